import { renderToString } from "ink";
import { expect, test } from "vitest";
import { DivvyError } from "../../errors.ts";
import type { EventBody } from "../../events.ts";
import { failedOutcome } from "../../orchestrator/ending/outcome-of.ts";
import { Tally } from "../../orchestrator/tally.ts";
import { reduce } from "../../reduce.ts";
import { initialRunState, type RunState } from "../../run-state.ts";
import { noUsage, presumedUsage } from "../../usage.ts";
import { reserved } from "../../../test/call-fixture.ts";
import { setup } from "../../../test/events-fixture.ts";
import { type Paint, paintFor, plain } from "../writing/paint.ts";
import { Screen } from "../test-world.ts";
import { RunPicture } from "./run-picture.tsx";
import { runView } from "./run-view.ts";
import { TokenMeter } from "./token-meter.ts";

/** A run's state after events, each with the second at which it happened. */
function stateAfter(events: readonly (readonly [number, EventBody])[]): RunState {
  return events.reduce((state, [at, body], seq) => reduce(state, { ...body, seq, at: at * 1000, runId: "r" }), initialRunState);
}

function picture(
  state: RunState,
  columns: number,
  { now = 10, lines = 23, whole = false, paint = plain, note = "" }: { now?: number; lines?: number; whole?: boolean; paint?: Paint; note?: string } = {},
): string {
  const view = runView({ state, now: now * 1000, meter: new TokenMeter() }, lines);
  return renderToString(<RunPicture view={view} columns={columns} paint={paint} whole={whole} note={note} />, { columns });
}

const spent = (input: number, output: number): typeof noUsage => ({ ...noUsage, inputTokens: input, outputTokens: output, totalTokens: input + output });
const strong = "anthropic:claude-opus";
const fast = "anthropic:claude-haiku";

const planned = (id: string, description: string, dependsOn: string[] = [], ordinal = 0): EventBody => ({
  type: "subtask.planned",
  subtask: { id, type: id, description, dependsOn },
  ordinal,
  sample: 0,
});
const begun = (subtaskId: string): EventBody[] => [
  { type: "subtask.started", subtaskId, model: fast },
  { type: "attempt.started", role: "worker", subtaskId, attempt: 1, model: fast, requeues: 0, reserved },
];
const over = (subtaskId: string): EventBody[] => [
  { type: "attempt.settled", role: "worker", subtaskId, attempt: 1, usage: spent(300, 388), cost: 0.0012 },
  { type: "subtask.finished", subtaskId, result: "All of it.", truncated: false, attempts: 1 },
];
const at = (second: number, bodies: readonly EventBody[]): (readonly [number, EventBody])[] => bodies.map((body) => [second, body] as const);

const threePlanned = [
  ...at(0, [
    {
      type: "run.started",
      request: { task: "t", context: "" },
      models: { orchestrator: strong, synthesizer: strong, workers: { default: fast } },
      concurrency: 100,
      setup,
    },
    { type: "plan.started", given: false },
    { type: "attempt.started", role: "orchestrator", attempt: 1, model: strong, requeues: 0, reserved },
  ]),
  ...at(1, [planned("technical-specifications", "e-commerce: materials, certifications, sizes"), ...begun("technical-specifications")]),
  ...at(1.5, [planned("lifestyle-emotional", "social media: the feeling"), ...begun("lifestyle-emotional")]),
  ...at(2, [planned("benefit-practical", "retail: what it is good for", ["technical-specifications"])]),
];
const planOver = at(2.1, [
  { type: "attempt.settled", role: "orchestrator", attempt: 1, usage: spent(1200, 400), cost: 0.008 },
  { type: "plan.finished", analysis: "Three channels buy for three reasons: facts, identity, use.", combine: "keep", subtasks: 3, dropped: 0, complete: true },
]);
const halfWay = [
  ...threePlanned,
  ...planOver,
  ...at(5, over("technical-specifications")),
  ...at(5, [
    { type: "subtask.delta", subtaskId: "lifestyle-emotional", attempt: 1, text: "It is with you everywhere: the morning run, the desk, the trail —" },
  ]),
  ...at(5, begun("benefit-practical")),
];

test("while the plan is written: its last words, and who works already", () => {
  const writing = stateAfter([
    ...at(0, []),
    ...threePlanned,
    ...at(2, [{ type: "plan.delta", attempt: 1, text: "<tasks><task><description>social media: the feeling of a" }]),
  ]);
  expect(picture(writing, 60, { now: 2 })).toMatchInlineSnapshot(`
    "◐ plan   claude-opus · 3 subtasks so far · 2.0 s
      social media: the feeling of a
    ◐ technical-specificat…  e-commerce: mate…             1.0 s
    ◐ lifestyle-emotional    social media: th…             0.5 s
    ○ benefit-practical      waits for techni…
      3 calls · 2.0 s"
  `);
});

test("a plan is cut off once it is over, not while it is written", () => {
  const opened = [...threePlanned, ...at(2, [{ type: "plan.opened", combine: "keep" }])];
  expect(picture(stateAfter(opened), 60, { now: 2 })).toContain("3 subtasks so far · keep · 2.0 s");
  const cut: EventBody = { type: "plan.finished", analysis: "", combine: "keep", subtasks: 3, dropped: 0, complete: false };
  expect(picture(stateAfter([...opened, ...at(3, [cut])]), 60, { now: 3 })).toContain("3 subtasks · keep, cut off · 3.0 s");
});

test("a plan that was asked about here, and approved elsewhere: nobody reads that it was not approved", () => {
  const ended = (code: "plan_rejected" | "run_taken_over"): RunState =>
    stateAfter([
      ...threePlanned.filter(([, { type }]) => type !== "subtask.started" && type !== "attempt.started"),
      ...planOver,
      ...at(3, [
        { type: "subtask.skipped", subtaskId: "technical-specifications", reason: "approval", because: "" },
        { type: "run.finished", outcome: failedOutcome("r", new DivvyError(code, "No."), new Tally(), 0) },
      ]),
    ]);
  expect(picture(ended("plan_rejected"), 100)).toContain("left out: the plan was not approved");
  expect(picture(ended("run_taken_over"), 100)).toContain("left to the process that has taken over");
});

test("at 100 columns", () => {
  expect(picture(stateAfter(halfWay), 100, { now: 6 })).toMatchInlineSnapshot(`
    "◆ plan   claude-opus · 3 subtasks · keep · 2.1 s
      Three channels buy for three reasons: facts, identity, use.
    ✔ technical-specifications  e-commerce: materials, certifications, sizes    388 tok   4.0 s  $0.0012
    ◐ lifestyle-emotional       …here: the morning run, the desk, the trail —   ~17 tok   4.5 s
    ◐ benefit-practical         retail: what it is good for                               1.0 s
      4 calls · 1.5k in, 788 out · $0.0092 · 6.0 s"
  `);
});

test("at 60 columns the costs go", () => {
  expect(picture(stateAfter(halfWay), 60, { now: 6 })).toMatchInlineSnapshot(`
    "◆ plan   claude-opus · 3 subtasks · keep · 2.1 s
      Three channels buy for three reasons: facts, identity, us…
    ✔ technical-specificat…  e-commerce: mate…   388 tok   4.0 s
    ◐ lifestyle-emotional    …esk, the trail —   ~17 tok   4.5 s
    ◐ benefit-practical      retail: what it …             1.0 s
      4 calls · 1.5k in, 788 out · $0.0092 · 6.0 s"
  `);
});

test("at 40 columns the tokens go", () => {
  expect(picture(stateAfter(halfWay), 40, { now: 6 })).toMatchInlineSnapshot(`
    "◆ plan   claude-opus · 3 subtasks · kee…
      Three channels buy for three reasons:…
    ✔ technical-spe…  e-commerce: m…   4.0 s
    ◐ lifestyle-emo…  …, the trail —   4.5 s
    ◐ benefit-pract…  retail: what …   1.0 s
      4 calls · 1.5k in, 788 out · $0.0092 …"
  `);
});

test("trouble is told calmly, in its line", () => {
  const error = new DivvyError("overloaded", `${fast} is overloaded (HTTP 529).`).toJSON();
  const trouble = stateAfter([
    ...threePlanned,
    ...planOver,
    ...at(3, [
      { type: "attempt.failed", role: "worker", subtaskId: "technical-specifications", attempt: 1, error, retryInMs: 1000 },
      { type: "governor.throttled", role: "worker", subtaskId: "lifestyle-emotional", model: fast, reason: "rate_limited", until: 20_000 },
    ]),
  ]);
  expect(picture(trouble, 80, { now: 6.5 })).toMatchInlineSnapshot(`
    "◆ plan   claude-opus · 3 subtasks · keep · 2.1 s
      Three channels buy for three reasons: facts, identity, use.
    ↻ technical-specifications  tries again: it is overloaded (HT…             5.5 s
    ○ lifestyle-emotional       rate limited, goes on in 13.5 s                5.0 s
    ○ benefit-practical         waits for technical-specifications
      3 calls · 1.2k in, 400 out · $0.0080 · 6.5 s"
  `);
  const failed = stateAfter([
    ...threePlanned,
    ...planOver,
    ...at(3, [
      { type: "attempt.failed", role: "worker", subtaskId: "technical-specifications", attempt: 1, error },
      { type: "subtask.failed", subtaskId: "technical-specifications", error, attempts: 3 },
      { type: "subtask.skipped", subtaskId: "benefit-practical", reason: "upstream", because: "technical-specifications" },
    ]),
  ]);
  expect(picture(failed, 80, { now: 6.5, note: "Stopping; Ctrl-C again leaves at once." })).toMatchInlineSnapshot(`
    "◆ plan   claude-opus · 3 subtasks · keep · 2.1 s
      Three channels buy for three reasons: facts, identity, use.
    ✖ technical-specifications  it is overloaded (HTTP 529).                   2.0 s
    ◐ lifestyle-emotional       social media: the feeling                      5.0 s
    – benefit-practical         left out: it needs technical-spec…
      3 calls · 1.2k in, 400 out · $0.0080 · 6.5 s
    Stopping; Ctrl-C again leaves at once."
  `);
});

test("what stays at the end is whole, with the time it would have taken one after another", () => {
  const finished = stateAfter([
    ...halfWay,
    ...at(7, [
      ...over("lifestyle-emotional"),
      ...over("benefit-practical"),
      { type: "synthesis.started", combine: "merge", model: strong },
      { type: "attempt.started", role: "synthesizer", attempt: 1, model: strong, requeues: 0, reserved },
    ]),
    ...at(9, [
      { type: "attempt.settled", role: "synthesizer", attempt: 1, usage: spent(900, 500), cost: 0.01 },
      { type: "run.finished", outcome: { ...failedOutcome("r", new DivvyError("internal", "x"), new Tally(), 9000), status: "ok", text: "All." } },
    ]),
  ]);
  expect(picture(finished, 60, { now: 50, whole: true })).toMatchInlineSnapshot(`
    "◆ plan   claude-opus · 3 subtasks · keep · 2.1 s
      Three channels buy for three reasons: facts, identity,
      use.
    ✔ technical-specificat…  e-commerce: mate…   388 tok   4.0 s
    ✔ lifestyle-emotional    social media: th…   388 tok   5.5 s
    ✔ benefit-practical      retail: what it …   388 tok   2.0 s
    ✔ answer                 claude-opus         500 tok   2.0 s
      5 calls · 3.0k in, 2.1k out · $0.022 · 9.0 s (one after
      another ≈ 15.6 s)"
  `);
});

test("results that are shortened before they are merged are one calm line, until the answer is written", () => {
  const reducing = [
    ...halfWay,
    ...at(7, [
      ...over("lifestyle-emotional"),
      ...over("benefit-practical"),
      { type: "synthesis.started", combine: "merge", model: strong } as const,
      { type: "reduction.started", level: 1, texts: 3, groups: 2 } as const,
      ...["1.1", "1.2"].map((part): EventBody => ({ type: "attempt.started", role: "synthesizer", part, attempt: 1, model: strong, requeues: 0, reserved })),
      {
        type: "attempt.failed",
        role: "synthesizer",
        part: "1.2",
        attempt: 1,
        error: new DivvyError("server_error", "It broke.").toJSON(),
        retryInMs: 1000,
      } as const,
    ]),
  ];
  expect(picture(stateAfter(reducing), 100).split("\n").at(-2)).toMatchInlineSnapshot(
    `"○ answer                    shortens 3 results in 2 calls, to fit its wi…"`,
  );
  const answering = [
    ...reducing,
    ...at(9, [{ type: "attempt.started", role: "synthesizer", attempt: 1, model: strong, requeues: 0, reserved } as const]),
    ...at(9.5, [{ type: "answer.delta", attempt: 1, text: "In short: buy it." } as const]),
  ];
  expect(picture(stateAfter(answering), 100).split("\n").at(-2)).toMatchInlineSnapshot(
    `"◐ answer                    In short: buy it.                                ~6 tok   1.0 s"`,
  );
});

test("a choice stands with its reason, whole in what stays", () => {
  const chosen = (reason: string): RunState =>
    stateAfter([
      ...threePlanned,
      ...planOver,
      ...at(3, [
        { type: "synthesis.started", combine: "choose", model: strong },
        { type: "synthesis.chosen", subtaskId: "lifestyle-emotional", reason },
      ]),
    ]);
  const lines = picture(chosen("It says what the bottle\u001B[31m is for, and to whom."), 50, { whole: true }).split("\n");
  expect(lines.slice(-3, -1)).toEqual(["  chose lifestyle-emotional: It says what the", "  bottle is for, and to whom."]);
  expect(picture(chosen(""), 50)).toContain("\n  chose lifestyle-emotional\n");
  expect(picture(stateAfter([...threePlanned, ...planOver]), 50)).not.toContain("chose");
  expect(picture(chosen("It is short."), 80, { lines: 6 }).split("\n")).toHaveLength(6);
});

test("two hundred workers fit any height: what runs, what just ended, the rest counted", () => {
  const ids = Array.from({ length: 200 }, (_, index) => `part-${index + 1}`);
  const many = stateAfter([
    ...threePlanned.slice(0, 3),
    ...ids.flatMap((id) => at(1, [planned(id, `do ${id}`)])),
    ...planOver,
    ...ids.slice(0, 120).flatMap((id) => at(2, begun(id))),
    ...ids.slice(0, 90).flatMap((id, index) => at(3 + index / 100, over(id))),
  ]);
  expect(picture(many, 60, { lines: 16 })).toMatchInlineSnapshot(`
    "◆ plan   claude-opus · 200 subtasks · keep · 2.1 s
      Three channels buy for three reasons: facts, identity, us…
    ✔ part-89  do part-89                        388 tok   1.9 s
    ✔ part-90  do part-90                        388 tok   1.9 s
    ◐ part-91  do part-91                                  8.0 s
    ◐ part-92  do part-92                                  8.0 s
    ◐ part-93  do part-93                                  8.0 s
    ◐ part-94  do part-94                                  8.0 s
    ◐ part-95  do part-95                                  8.0 s
    ◐ part-96  do part-96                                  8.0 s
    ◐ part-97  do part-97                                  8.0 s
    ◐ part-98  do part-98                                  8.0 s
    ◐ part-99  do part-99                                  8.0 s
      and 88 done, 21 running, 80 waiting
      121 calls · 28.2k in, 35.3k out · $0.116 · 10.0 s"
  `);
  for (const lines of [4, 6, 8, 24, 60]) expect(picture(many, 60, { lines }).split("\n").length).toBeLessThanOrEqual(lines);
});

test("no line is wider than the terminal, however narrow", () => {
  for (const columns of [10, 20, 40, 60, 200]) {
    for (const line of picture(stateAfter(halfWay), columns).split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
  }
});

test("styles only where they are wanted", () => {
  const screen = new Screen({ isTTY: true });
  const state = stateAfter(halfWay);
  expect(picture(state, 60, { paint: paintFor({}, screen) })).toContain("\u001B[32m✔\u001B[39m");
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }, { FORCE_COLOR: "0" }])
    expect(picture(state, 60, { paint: paintFor(env, screen) })).not.toContain("\u001B");
  expect(picture(state, 60, { paint: paintFor({ FORCE_COLOR: "1", NO_COLOR: "1" }, new Screen()) })).toContain("\u001B[32m✔");
});

test("nothing that a model or a provider writes commands the terminal", () => {
  const evil = "\u001B[2J\u001B]0;owned\u0007\u202Eevil\u009B31m\r";
  const error = new DivvyError("bad_request", `${fast} rejected the request: ${evil}`).toJSON();
  const state = stateAfter([
    ...threePlanned.slice(0, 3),
    ...at(1, [planned("a", evil), ...begun("a"), planned("b", "x", [`a${evil}`]), planned("c", "x"), ...begun("c")]),
    ...at(2, [
      { type: "plan.finished", analysis: evil, combine: "keep", subtasks: 3, dropped: 0, complete: true },
      { type: "subtask.delta", subtaskId: "a", attempt: 1, text: evil },
      { type: "subtask.failed", subtaskId: "c", error, attempts: 1 },
    ]),
  ]);
  expect(picture(state, 100)).not.toMatch(/(?!\n)\p{Cc}|\u202E/u);
});

test("estimates and unknown prices are marked as such", () => {
  const state = stateAfter([
    ...threePlanned,
    ...at(3, [{ type: "attempt.settled", role: "worker", subtaskId: "lifestyle-emotional", attempt: 1, usage: { ...spent(100, 50), estimatedTokens: 150 } }]),
    ...at(3, [{ type: "subtask.finished", subtaskId: "lifestyle-emotional", result: "x", truncated: false, attempts: 1 }]),
  ]);
  const lines = picture(state, 80, { now: 3 }).split("\n");
  expect(lines.find((line) => line.includes("lifestyle"))).toContain("~50 tok");
  expect(lines.at(-1)).toBe("  3 calls · ~100 in, ~50 out · price unknown · 3.0 s");
});

test("tokens that came from a provider's cache are shown beside all that went in", () => {
  const usage = spent(12_300, 50);
  const cached = { ...usage, inputTokenDetails: { ...usage.inputTokenDetails, cacheReadTokens: 9_800 } };
  const state = stateAfter([
    ...threePlanned,
    ...at(3, [{ type: "attempt.settled", role: "worker", subtaskId: "lifestyle-emotional", attempt: 1, usage: cached, cost: 0.01 }]),
  ]);
  expect(picture(state, 80, { now: 3 })).toContain("12.3k in (9.8k cached), 50 out · $0.010");
});

test("tokens of tries whose end is not known are told apart", () => {
  const state = stateAfter([
    ...threePlanned,
    ...at(3, [
      {
        type: "attempt.settled",
        role: "worker",
        subtaskId: "lifestyle-emotional",
        attempt: 1,
        usage: presumedUsage({ inputTokens: 3000, outputTokens: 100 }),
        cost: 0.01,
      },
    ]),
  ]);
  const lines = picture(state, 80, { now: 3 }).split("\n");
  expect(lines.find((line) => line.includes("lifestyle"))).toContain("~100 tok");
  expect(lines.at(-1)).toBe("  3 calls · 3.0k in, 100 out · $0.010 · 3.0 s · about 3.1k tokens presumed");
});

test("a call that was tried more than once says so, where there is room", () => {
  const tries = stateAfter([
    ...threePlanned,
    ...at(3, [
      { type: "attempt.started", role: "worker", subtaskId: "lifestyle-emotional", attempt: 2, model: fast, requeues: 0, reserved },
      { type: "subtask.finished", subtaskId: "lifestyle-emotional", result: "x", truncated: false, attempts: 2 },
    ]),
  ]);
  expect(picture(tries, 80)).toMatch(/✔ lifestyle-emotional .* 2 tries .*s$/m);
  expect(picture(tries, 60)).not.toContain("tries ");
});

test("what was left for days and gone on with counts its time from then on", () => {
  const later = stateAfter(
    at(90_000, [{ type: "run.resumed" }, { type: "run.finished", outcome: failedOutcome("r", new DivvyError("aborted", "Stopped."), new Tally(), 0) }]),
  );
  const view = runView({ state: later, now: 90_000_000, since: 89_996_000, meter: new TokenMeter() }, 20);
  expect(view.totals).toMatch(/^4\.\d s$/);
});
