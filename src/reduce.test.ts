import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EventBody, isDelta } from "./events.ts";
import { error, outcome, runs, stamped } from "../test/events-fixture.ts";
import { reduce } from "./reduce.ts";
import { initialRunState, type RunState } from "./run-state.ts";
import { reserved, spent } from "../test/call-fixture.ts";

const stateAfter = (bodies: readonly EventBody[]): RunState => stamped(bodies).reduce(reduce, initialRunState);

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}

const planned: EventBody & { type: "subtask.planned" } = {
  type: "subtask.planned",
  subtask: { id: "s1", type: "default", description: "d", dependsOn: [] },
  ordinal: 0,
  sample: 0,
};
const worker = { role: "worker", subtaskId: "s1" } as const;
const started = (attempt: number, requeues = 0): EventBody => ({ type: "attempt.started", ...worker, attempt, model: "p:m", requeues, reserved });
const settled = (tokens: number, cost?: number): EventBody => ({
  type: "attempt.settled",
  ...worker,
  attempt: 1,
  usage: spent(tokens, tokens),
  ...(cost !== undefined && { cost }),
});
const delta = (attempt: number, text: string): EventBody => ({ type: "subtask.delta", subtaskId: "s1", attempt, text });
const failedOnce: EventBody = { type: "attempt.failed", ...worker, attempt: 1, error, retryInMs: 5 };

test("changes neither the state it is given nor the event", () => {
  fc.assert(
    fc.property(runs, (bodies) => {
      let state = frozen(initialRunState);
      for (const event of stamped(bodies)) state = frozen(reduce(state, frozen(event)));
      expect(state.phase).toBe("finished");
    }),
  );
});

test("makes plain data: a state that went through JSON goes on as the original does, from any point", () => {
  fc.assert(
    fc.property(runs, fc.nat(), (bodies, at) => {
      const events = stamped(bodies);
      const cut = at % events.length;
      const half = events.slice(0, cut).reduce(reduce, initialRunState);
      const revived: RunState = JSON.parse(JSON.stringify(half));
      const rest = events.slice(cut);
      expect(JSON.parse(JSON.stringify(rest.reduce(reduce, revived)))).toEqual(JSON.parse(JSON.stringify(rest.reduce(reduce, half))));
    }),
  );
});

describe("totals", () => {
  test("are the sum of the attempts that were settled, and of the calls' own totals", () => {
    fc.assert(
      fc.property(runs, (bodies) => {
        const state = stateAfter(bodies);
        const all = bodies.filter((body) => body.type === "attempt.settled");
        const tokens = all.reduce((sum, { usage }) => sum + (usage.totalTokens ?? 0), 0);
        const costs = all.map(({ cost }) => cost);
        const cost = costs.includes(undefined) ? undefined : costs.reduce<number>((sum, one) => sum + (one ?? 0), 0);
        const calls = [state.plan, ...state.subtasks, state.answer];
        expect(state.usage.totalTokens).toBe(tokens);
        expect(state.cost).toBe(cost);
        expect(calls.reduce((sum, { usage }) => sum + (usage.totalTokens ?? 0), 0)).toBe(tokens);
      }),
    );
  });

  test("count a call once, whatever its attempts and requeues", () => {
    const state = stateAfter([planned, started(1), started(1, 1), failedOnce, started(2), started(2, 1)]);
    expect(state.calls).toBe(1);
  });

  test("have no cost once one price was not known, and never get it back", () => {
    expect(stateAfter([planned, settled(1, 0.5)]).cost).toBe(0.5);
    const state = stateAfter([planned, settled(1, 0.5), settled(1), settled(1, 0.5)]);
    expect([state.cost, state.subtasks[0]?.cost]).toEqual([undefined, undefined]);
  });
});

describe("a text", () => {
  test("is what was written in its attempt, put together", () => {
    expect(stateAfter([planned, started(1), delta(1, "a"), delta(1, "b")]).subtasks[0]).toMatchObject({ text: "ab", attempt: 1, status: "running" });
  });

  test("is void as soon as a new attempt has started, and then is that attempt's alone", () => {
    const before = [planned, started(1), delta(1, "old "), failedOnce];
    expect(stateAfter([...before, started(2)]).subtasks[0]).toMatchObject({ text: "", attempt: 2 });
    expect(stateAfter([...before, started(2), delta(2, "new")]).subtasks[0]?.text).toBe("new");
    expect(stateAfter([...before, started(2), delta(2, "n"), delta(2, "ew")]).subtasks[0]?.text).toBe("new");
  });

  test("of a late reader, to whom the old attempt's delta comes after the new one's facts, is the new one's in the end", () => {
    expect(stateAfter([planned, started(1), failedOnce, started(2), delta(1, "old "), delta(2, "new")]).subtasks[0]?.text).toBe("new");
  });

  test("of a finished subtask is its result", () => {
    const state = stateAfter([
      planned,
      started(1),
      delta(1, "<response>r"),
      { type: "subtask.finished", subtaskId: "s1", result: "r", truncated: false, attempts: 1 },
    ]);
    expect(state.subtasks[0]).toMatchObject({ text: "r", status: "done", error: undefined });
  });

  test("of a run that is over is the outcome's, and of no try: who comes late never saw one", () => {
    const end: EventBody = { type: "run.finished", outcome };
    const restarted: EventBody = { type: "answer.delta", attempt: 2, text: "The" };
    expect(stateAfter([restarted, end]).answer).toMatchObject({ text: "The answer.", textAttempt: stateAfter([end]).answer.textAttempt });
  });

  test("of a plan that is asked for again begins anew", () => {
    const written: EventBody = { type: "plan.delta", attempt: 1, text: "<tasks>" };
    expect(stateAfter([written, { type: "plan.asked_again", reason: "cut", format: "xml", round: 1, analysis: "" }]).plan.text).toBe("");
  });
});

describe("a subtask's way", () => {
  const way: readonly (readonly [EventBody, string])[] = [
    [planned, "waiting"],
    [{ type: "subtask.started", subtaskId: "s1", model: "p:m" }, "queued"],
    [started(1), "running"],
    [{ type: "governor.throttled", ...worker, model: "p:m", reason: "rate_limited", until: 9 }, "queued"],
    [started(1, 1), "running"],
    [failedOnce, "retrying"],
    [started(2), "running"],
    [{ type: "attempt.failed", ...worker, attempt: 2, error }, "running"],
    [{ type: "subtask.failed", subtaskId: "s1", error, attempts: 2 }, "failed"],
  ];

  test("is told by its events", () => {
    const seen = way.map((_, index) => stateAfter(way.slice(0, index + 1).map(([event]) => event)).subtasks[0]?.status);
    expect(seen).toEqual(way.map(([, status]) => status));
  });

  test("that a function takes is running from its start on", () => {
    const begun: EventBody = { type: "subtask.started", subtaskId: "s1", model: "function" };
    expect(stateAfter([planned, begun]).subtasks[0]).toMatchObject({ status: "running", startedAt: expect.any(Number) });
  });

  test("has its times: from its first attempt, waiting between attempts included, to its end", () => {
    const state = stateAfter(way.map(([event]) => event));
    expect(state.subtasks[0]).toMatchObject({ startedAt: 1_002, endedAt: 1_008, error });
  });

  test("may end before it began", () => {
    const state = stateAfter([planned, { type: "subtask.skipped", subtaskId: "s1", reason: "upstream", because: "s0" }]);
    expect(state.subtasks[0]).toMatchObject({ status: "skipped", skipped: "upstream", startedAt: undefined, endedAt: 1_001 });
  });
});

test("events of a subtask that is not in the plan change no subtask, and are counted all the same", () => {
  const state = stateAfter([started(1), delta(1, "x"), settled(3, 0.5)]);
  expect([state.subtasks, state.usage.totalTokens, state.calls]).toEqual([[], 6, 1]);
});

test("a choice is kept with its reason", () => {
  expect(initialRunState.chosen).toBeUndefined();
  const chosen: EventBody = { type: "synthesis.chosen", subtaskId: "s1", reason: "it is shorter" };
  expect(stateAfter([planned, chosen, { type: "run.finished", outcome }]).chosen).toEqual({ subtaskId: "s1", reason: "it is shorter" });
  expect(stateAfter([planned, chosen, { type: "run.resumed" }]).chosen).toBeUndefined();
});

test("an answer is being worked on while results are compared for it, and waits while they are shortened", () => {
  const begins = (part: string): EventBody => ({ type: "attempt.started", role: "synthesizer", part, attempt: 1, model: "p:m", requeues: 0, reserved });
  const synthesis = (combine: "choose" | "merge"): EventBody => ({ type: "synthesis.started", combine, model: "p:m" });
  expect(stateAfter([synthesis("choose"), begins("1"), begins("2")])).toMatchObject({ calls: 2, answer: { status: "running", startedAt: 1_001 } });
  const shortened = stateAfter([synthesis("merge"), { type: "reduction.started", level: 1, texts: 3, groups: 1 }, begins("1.1")]);
  expect(shortened).toMatchObject({ calls: 1, answer: { status: "queued", startedAt: undefined } });
});

test("a throttled lane is shown until the next attempt starts, and not after the run", () => {
  const throttled: EventBody = { type: "governor.throttled", ...worker, model: "p:m", reason: "rate_limited", until: 9 };
  expect(stateAfter([planned, throttled]).throttled).toEqual({ model: "p:m", reason: "rate_limited", until: 9 });
  expect(stateAfter([planned, throttled, started(1, 1)]).throttled).toBeUndefined();
  expect(stateAfter([planned, throttled, { type: "run.finished", outcome }]).throttled).toBeUndefined();
});

test("every event moves the state's time and names its run", () => {
  fc.assert(
    fc.property(runs, (bodies) => {
      let state = initialRunState;
      for (const event of stamped(bodies)) {
        state = reduce(state, event);
        expect([state.runId, state.at]).toEqual([event.runId, event.at]);
      }
      expect(bodies.some((body) => isDelta(body))).toBe(true);
    }),
    { numRuns: 10 },
  );
});

describe("a plan that needs approval", () => {
  const estimate = { expected: { calls: 1, tokens: 1 }, worst: { calls: 1, tokens: 1 } };
  const plan = { kind: "subtasks", analysis: "Parts.", combine: "keep", subtasks: [{ id: "s1", type: "default", description: "d", dependsOn: [] }] } as const;
  const finished: EventBody = { type: "plan.finished", analysis: "Parts.", combine: "keep", subtasks: 1, dropped: 0, complete: true, estimate };
  const dropped: EventBody = { type: "run.noticed", notice: { code: "subtasks_dropped", message: "The last 2 were dropped." } };
  const stays: EventBody = { type: "run.noticed", notice: { code: "built_in_model", message: "A small model." } };
  const requested: EventBody = { type: "approval.requested", plan, estimate };

  test("is asked about, and the time that takes counts as waited, not as active", () => {
    const [asked, given] = stamped([planned, finished, requested, { type: "approval.given", plan, edited: false }]).slice(2);
    const before = stateAfter([planned, finished]);
    if (asked === undefined || given === undefined) return expect.fail();
    const waiting = reduce(before, asked);
    expect(waiting).toMatchObject({ phase: "approving", approval: "requested" });
    const after = reduce(waiting, { ...given, at: asked.at + 5_000 });
    expect(after).toMatchObject({ phase: "working", approval: "given", activeMs: waiting.activeMs, waitedMs: 5_000, subtasks: [{ status: "waiting" }] });
  });

  test("that was sent back is void, with what was said of it; what was said of the run stays", () => {
    const state = stateAfter([planned, dropped, stays, finished, requested, { type: "approval.declined", feedback: "Otherwise." }]);
    expect(state).toMatchObject({ phase: "planning", approval: undefined, subtasks: [], plan: { analysis: "", combine: undefined, complete: false } });
    expect(state.notices.map(({ code }) => code)).toEqual(["built_in_model"]);
  });

  test("that was edited stands in place of the one before", () => {
    const other: EventBody = { type: "subtask.planned", subtask: { id: "s2", type: "default", description: "e", dependsOn: [] }, ordinal: 0, sample: 0 };
    const state = stateAfter([planned, dropped, finished, requested, { type: "approval.given", plan, edited: true }, other, finished]);
    expect(state).toMatchObject({ approval: "given", subtasks: [{ subtask: { id: "s2" } }], notices: [], plan: { complete: true } });
  });
});

test("an event that is not known, of a newer version, changes nothing but the time", () => {
  const before = stateAfter([planned, started(1)]);
  const unknown = { type: "tool.called", tool: "search", seq: 9, at: (before.at ?? 0) + 5, runId: before.runId };
  expect(Reflect.apply(reduce, undefined, [before, unknown])).toEqual({ ...before, at: unknown.at, activeMs: before.activeMs + 5 });
});

describe("a further round", () => {
  const error = { code: "unable" as const, message: "no data", hint: "", retryable: false };
  const failed: readonly EventBody[] = [
    planned,
    { type: "plan.finished", analysis: "So.", combine: "keep", subtasks: 1, dropped: 0, complete: true },
    { type: "subtask.started", subtaskId: "s1", model: "p:m" },
    started(1),
    delta(1, "half of it"),
    settled(5),
    { type: "subtask.failed", subtaskId: "s1", error, attempts: 1 },
    { type: "round.started", round: 2, cut: [] },
  ];

  test("is planned like the first, and keeps what was said before", () => {
    expect(stateAfter(failed)).toMatchObject({ phase: "planning", round: 2, plan: { status: "waiting", complete: false, analysis: "So.", combine: "keep" } });
  });

  test("puts what is written anew in the place of what failed, with what that used", () => {
    const anew: EventBody = { ...planned, subtask: { ...planned.subtask, description: "otherwise" }, round: 2 };
    const state = stateAfter([...failed, anew]);
    expect(state.subtasks).toMatchObject([{ status: "waiting", text: "", error: undefined, endedAt: undefined, subtask: { description: "otherwise" } }]);
    expect(state.subtasks[0]?.usage.totalTokens).toBe(10);
  });

  test("begins one anew that had been left out", () => {
    const skipped: EventBody = { type: "subtask.skipped", subtaskId: "s1", reason: "upstream", because: "s0" };
    const state = stateAfter([planned, skipped, { type: "round.started", round: 2, cut: [] }, { type: "subtask.started", subtaskId: "s1", model: "p:m" }]);
    expect(state.subtasks).toMatchObject([{ status: "queued", skipped: undefined, because: "", endedAt: undefined }]);
  });
});
