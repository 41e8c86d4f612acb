import { afterEach, describe, expect, test, vi } from "vitest";
import { DivvyError } from "../../src/errors.ts";
import type { Outcome, Result } from "../../src/outcome.ts";
import { RunHandle } from "../../src/orchestrator/run-handle.ts";
import { calm, changeEvent, killed, type Sabotage, unsaid } from "./sabotage.ts";
import type { Schedule } from "./schedule.ts";

const heart = vi.hoisted(() => ({ ends: (outcome: Outcome): Outcome => outcome }));
vi.mock(import("../../src/orchestrator/ending/outcome-of.ts"), async (original) => {
  const { outcomeOf, ...rest } = await original();
  return { ...rest, outcomeOf: (end) => heart.ends(outcomeOf(end)) };
});

/** Has every run end otherwise than it did. */
function ending(name: string, ends: (outcome: Outcome) => Outcome, says: readonly RegExp[], under?: (schedule: Schedule) => Schedule): Sabotage {
  const breaks = (): void => {
    heart.ends = ends;
  };
  return { name, breaks, says, ...(under && { under }) };
}

const error = new DivvyError("nothing_done", "Nothing is done.").toJSON();
const textOf = (outcome: Outcome): string => ("text" in outcome ? outcome.text : "");
const asOk = (outcome: Outcome): Outcome => ({ ...outcome, status: "ok", text: textOf(outcome) });
const asPartial = (outcome: Outcome): Outcome => ({ ...outcome, status: "partial", text: textOf(outcome), error });
const eachResult = (outcome: Outcome, change: (result: Result) => Result): Outcome => ({ ...outcome, results: outcome.results.map(change) });
const covering = (outcome: Outcome, more: Partial<Outcome["coverage"]>): Outcome => ({ ...outcome, coverage: { ...outcome.coverage, ...more } });
const stormy = (schedule: Schedule): Schedule => {
  const [life, ...rest] = schedule.lives;
  return life === undefined
    ? schedule
    : { ...schedule, lives: [{ ...life, weather: { throttled: 0, broken: 0.3, refused: 0.2, unable: 0, odd: 0 } }, ...rest] };
};
const stopped = (schedule: Schedule): Schedule => ({
  ...calm(schedule),
  lives: calm(schedule).lives.map((life) => ({ ...life, abort: { at: { on: "ask", what: "commit", n: 9, done: true }, all: true, bySignal: false } })),
});

/** What each run says of its results, by its request; a later one says the same. */
function forgetful(): (outcome: Outcome) => Outcome {
  const before = new Map<string, readonly Result[]>();
  return (outcome) => {
    const name = outcome.results.map(({ id }) => id).join(" ");
    const known = before.get(name);
    before.set(name, outcome.results);
    return known === undefined || outcome.status !== "ok" ? outcome : { ...outcome, results: known };
  };
}

const formed = (schedule: Schedule): Schedule => ({ ...schedule, formed: true });
const answerFormed = (schedule: Schedule): Schedule => ({ ...calm(schedule), synthesis: "merge", answerFormed: true });
const changingDone = (outcome: Outcome, change: (result: Result & { status: "done" }) => Result): Outcome =>
  eachResult(outcome, (result) => (result.status === "done" ? change(result) : result));

const sabotages: readonly Sabotage[] = [
  ending(
    "loses what a schema made of a result",
    (outcome) => changingDone(outcome, ({ output: _output, ...rest }) => rest),
    [/is done, and its output is not that of its text/],
    formed,
  ),
  ending("is done without its form", (outcome) => changingDone(outcome, (result) => ({ ...result, result: "It is so." })), [/does not have its form/], formed),
  ending(
    "loses what a schema made of its answer",
    (outcome) => ("output" in outcome ? { ...outcome, output: undefined } : outcome),
    [/its output is not that of its text/],
    answerFormed,
  ),
  ending(
    "is answered without its form",
    (outcome) => ("text" in outcome ? { ...outcome, text: "It is so." } : outcome),
    [/its answer does not have its form/],
    answerFormed,
  ),
  {
    name: "asks for a form more often than it may",
    breaks: () => changeEvent("output.rejected", (event) => [{ ...event, try: 9 }]),
    says: [/was asked for its form 9 times/],
    under: formed,
  },
  {
    name: "wants a form that nobody asked for",
    breaks: () => changeEvent("subtask.started", (event) => [event, { type: "output.rejected", subtaskId: event.subtaskId, try: 1, issues: [] }]),
    says: [/was to have a form, and nobody wants one/],
  },
  ending("is ok where a subtask failed", asOk, [/it is ok, and not whole/]),
  ending("is not ok where all is done", (outcome) => (outcome.status === "ok" ? asPartial(outcome) : outcome), [
    /it is partial, and whole/,
    /in the end it is partial/,
  ]),
  ending("is failed where something is done", (outcome) => ({ ...outcome, status: "failed", error }), [/it is failed, and something is done/]),
  ending("is partial where nothing is done", (outcome) => (outcome.status === "failed" ? asPartial(outcome) : outcome), [/it is partial, and nothing is done/]),
  ending("is aborted where nobody stopped it", (outcome) => ({ ...outcome, status: "aborted", error }), [/it is aborted, and nobody stopped it/], calm),
  ending(
    "is partial where it was stopped",
    (outcome) => (outcome.status === "aborted" ? asPartial(outcome) : outcome),
    [/it was stopped, and is partial/],
    stopped,
  ),
  ending("counts what is done wrongly", (outcome) => covering(outcome, { done: outcome.coverage.done + 1 }), [/its coverage says done \d+; it is \d+/]),
  ending("does not name what is missing", (outcome) => covering(outcome, { missing: [] }), [/its coverage does not name all that is missing/]),
  ending("counts what was dropped wrongly", (outcome) => covering(outcome, { dropped: 1 }), [/its coverage says dropped \d+, its log says \d+/]),
  ending("says that a cut plan is complete", (outcome) => covering(outcome, { planComplete: !outcome.coverage.planComplete }), [/it is ok, and not whole/]),
  ending("leaves a result out", (outcome) => ({ ...outcome, results: outcome.results.slice(1) }), [/its results are not those that its log plans/]),
  ending(
    "tells of another plan",
    (outcome) => (outcome.plan?.kind === "subtasks" ? { ...outcome, plan: { ...outcome.plan, subtasks: outcome.plan.subtasks.slice(1) } } : outcome),
    [/its plan is not the one that was carried out/],
  ),
  ending("cuts a result", (outcome) => eachResult(outcome, (result) => (result.status === "done" ? { ...result, result: result.result.slice(1) } : result)), [
    / is not what its log says/,
  ]),
  ending(
    "calls what failed skipped",
    (outcome) => eachResult(outcome, (result) => (result.status === "failed" ? { ...result, status: "skipped", reason: "upstream" } : result)),
    [/ is skipped, its log says failed/],
    stormy,
  ),
  ending(
    "fails for another reason",
    (outcome) => eachResult(outcome, (result) => (result.status === "failed" ? { ...result, error } : result)),
    [/ failed with nothing_done, its log says/],
    stormy,
  ),
  ending("skips for another reason", (outcome) => eachResult(outcome, (result) => (result.status === "skipped" ? { ...result, reason: "timeout" } : result)), [
    / was skipped: timeout, its log says/,
  ]),
  ending("counts a subtask's attempts wrongly", (outcome) => eachResult(outcome, (result) => ({ ...result, attempts: result.attempts + 1 })), [
    / took \d+ attempts, its log says \d+/,
  ]),
  ending("counts a subtask's tokens wrongly", (outcome) => eachResult(outcome, (result) => ({ ...result, usage: { ...result.usage, totalTokens: 1 } })), [
    / used 1, its log says \d+/,
  ]),
  ending("takes less than no time", (outcome) => ({ ...eachResult(outcome, (result) => ({ ...result, durationMs: -1 })), durationMs: -1 }), [
    /it took less than no time/,
    / took -1 ms/,
  ]),
  ending("counts its calls wrongly", (outcome) => ({ ...outcome, calls: outcome.calls + 1 }), [/it made \d+ calls, its log says \d+/]),
  ending("counts its tokens wrongly", (outcome) => ({ ...outcome, usage: { ...outcome.usage, totalTokens: 1 } }), [
    /it used .*, its log says/,
    /its roles' usage does not add up/,
    /it says that it used .*, its attempts are booked at/,
  ]),
  ending("counts its cost wrongly", (outcome) => ({ ...outcome, cost: 100 }), [
    /it cost 100, its log says/,
    /it says that it cost 100, its attempts are booked at/,
  ]),
  ending("says what its log does not", (outcome) => covering(outcome, { notices: [{ code: "upstream_cut", message: "!" }] }), [
    /its notices are .*, its log says/,
  ]),
  ending("has a text of which nobody read a piece", (outcome) => ("text" in outcome ? { ...outcome, text: `${outcome.text}!` } : outcome), [
    /textStream gave .*, its text is/,
    /read late, its text is/,
  ]),
  ending("has a text where none was to be", (outcome) => ("text" in outcome && outcome.text === "" ? { ...outcome, text: "?" } : outcome), [
    /it has a text, though none was to be written/,
  ]),
  {
    name: "tells another outcome when it is asked again",
    breaks: () => {
      const { finished } = RunHandle;
      vi.spyOn(RunHandle, "finished").mockImplementation((runId, clock, past, outcome) =>
        finished.call(RunHandle, runId, clock, past, { ...outcome, durationMs: -1 }),
      );
    },
    says: [/resumed when it was ok, it has another outcome/],
  },
  {
    name: "gives old results when one is to be done anew",
    breaks: () => {
      heart.ends = forgetful();
    },
    says: [/was to be done anew and was not/],
    under: (schedule) => ({ ...calm(schedule), isGiven: true, rerun: true }),
  },
  {
    name: "changes results that were not to be done anew",
    breaks: () => {
      let n = 0;
      heart.ends = (outcome) => {
        n++;
        return eachResult(outcome, (result) => (result.status === "done" ? { ...result, result: `${result.result}${n}` } : result));
      };
    },
    says: [/ changed for no reason/],
    under: (schedule) => ({ ...calm(schedule), isGiven: true, rerun: true }),
  },
  {
    name: "fails whatever is done anew",
    breaks: () => {
      let n = 0;
      heart.ends = (outcome) => (n++ === 0 ? outcome : { ...outcome, status: "failed", error });
    },
    says: [/done anew, it is failed/],
    under: (schedule) => ({ ...calm(schedule), isGiven: true, rerun: true }),
  },
  ending(
    "says of a plan that was over the limit that it is not complete",
    (outcome) => (outcome.coverage.dropped > 0 ? covering(outcome, { planComplete: false }) : outcome),
    [/in the end its plan is not complete/],
    (schedule) => ({ ...schedule, maxSubtasks: 4 }),
  ),
  ending("cannot end well any more", (outcome) => ({ ...outcome, status: "failed", error }), [/in the end it is failed/], killed(5)),
];

describe("a simulation notices an outcome that", () => {
  afterEach(() => {
    heart.ends = (outcome) => outcome;
    vi.restoreAllMocks();
  });
  test.for(sabotages.map((sabotage) => [sabotage.name, sabotage] as const))("%s", { timeout: 60_000 }, async ([, sabotage]) => {
    expect(await unsaid(sabotage)).toEqual([]);
  });
});
