import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { adaptiveGovernor } from "../governor/adaptive-governor.ts";
import type { Model, ModelTable } from "../models/model.ts";
import { sleep } from "../runtime.ts";
import { testRuntime, virtualClock } from "../testing/virtual-clock.ts";
import { addUsage, noUsage } from "../usage.ts";
import { type AdmittedContext, type AttemptContext, type CallResult, type Calls, ranks } from "./call.ts";
import { aContext, aRequest, aResult, aRun, errorOf, failed, modelThat, rules, spent, tableOf } from "../../test/call-fixture.ts";
import { governed } from "./governed.ts";

const unusedModel = modelThat(() => Promise.reject(new Error("`governed` calls no model itself.")));

/** The layer over a lower one, with a limiter and a virtual clock of its own. */
function stage(next: Calls<AdmittedContext>, change: { readonly admissionMs?: number; readonly model?: Partial<Model> } = {}) {
  const clock = virtualClock();
  // Each model has a lane of its own.
  const models: ModelTable = (id) => ({ ...tableOf(unusedModel, change.model)(id), lane: id });
  const calls = governed({ governor: adaptiveGovernor(testRuntime({ clock })), models, clock, admissionMs: change.admissionMs ?? 600_000 })(next);
  const run = aRun();
  const call = (ctx: Partial<AttemptContext> = {}, model = "test:model"): Promise<CallResult> =>
    calls(aRequest({ model }), { ...aContext({ run }), attempt: 1, ...ctx });
  return { clock, run, call };
}

/** Ends its calls like this, one after another, the last for ever; notes when each came. */
function answering(answers: readonly (CallResult | Error)[], at: number[] = [], now: () => number = () => 0): Calls<AdmittedContext> {
  return async () => {
    const answer = answers[Math.min(at.length, answers.length - 1)];
    at.push(now());
    if (answer === undefined || answer instanceof Error) throw answer;
    return answer;
  };
}

const throttled = (retryAfterMs?: number) => failed("rate_limited", { status: 429, ...(retryAfterMs !== undefined && { retryAfterMs }) }, false);
const overloaded = (retryAfterMs?: number) => failed("overloaded", { status: 529, ...(retryAfterMs !== undefined && { retryAfterMs }) }, false);

describe("the events of an attempt", () => {
  test("say when it started, what it used and what that cost", async () => {
    const { call, run } = stage(answering([aResult("x")]));
    await call();
    expect(run.events).toEqual([
      {
        type: "attempt.started",
        role: "worker",
        subtaskId: "s1",
        attempt: 1,
        model: "test:model",
        requeues: 0,
        reserved: { inputTokens: expect.any(Number), outputTokens: 100 },
      },
      { type: "attempt.settled", role: "worker", subtaskId: "s1", attempt: 1, usage: spent(10, 5), cost: 0.25 },
    ]);
  });

  test("name no subtask where the call is none's", async () => {
    const clock = virtualClock();
    const run = aRun();
    const calls = governed({ governor: adaptiveGovernor(testRuntime({ clock })), models: tableOf(unusedModel), clock, admissionMs: 1_000 })(
      answering([aResult("x")]),
    );
    await calls(aRequest(), { run, role: "orchestrator", rank: ranks.plan, signal: new AbortController().signal, rules, attempt: 1 });
    expect(run.events.map((event) => "subtaskId" in event)).toEqual([false, false]);
  });

  test("settle a failed attempt with what it used, and one that was never taken on with nothing", async () => {
    const accepted = stage(answering([failed("stream_broken")]));
    await errorOf(accepted.call());
    expect(accepted.run.of("attempt.settled")).toMatchObject([{ usage: { totalTokens: 10 }, cost: 0.25 }]);
    const refused = stage(answering([failed("authentication", {}, false)]));
    await errorOf(refused.call());
    expect(refused.run.of("attempt.settled")).toMatchObject([{ usage: { totalTokens: 0 }, cost: 0 }]);
  });
});

test("an attempt that the log does not take never leaves, and has used nothing", async () => {
  const { call, run } = stage(answering([aResult("x")]));
  const error = new DivvyError("run_taken_over", "Another has it.");
  await expect(call({ run: { ...run, committed: () => Promise.reject(error) } })).rejects.toBe(error);
  expect(run.of("attempt.settled")).toMatchObject([{ usage: noUsage, cost: 0 }]);
});

test("a role's own price stands above the model's, for that role's calls alone", async () => {
  const { call, run } = stage(answering([aResult("x")]));
  await call({ rules: { ...rules, price: ({ outputTokens }) => (outputTokens ?? 0) * 2 } });
  await call();
  expect(run.of("attempt.settled").map(({ cost }) => cost)).toEqual([10, 0.25]);
});

describe("a price that is not known", () => {
  test.each<[string, Model["price"]]>([
    ["is said by the list", async () => () => undefined],
    ["cannot be loaded", () => Promise.reject(new Error("no list"))],
    [
      "makes the list throw",
      async () => () => {
        throw new Error("inconsistent");
      },
    ],
  ])("and %s leaves the cost out, and loses no reply", async (_, price) => {
    const { call, run } = stage(answering([aResult("x")]), { model: { price } });
    expect(await call()).toMatchObject({ content: [{ text: "x" }] });
    expect(run.of("attempt.settled")).toHaveLength(1);
    expect(run.of("attempt.settled")[0]).not.toHaveProperty("cost");
  });
});

describe("a throttled attempt", () => {
  test("is let out again when the provider says, is the same attempt, and nothing fails", async () => {
    const at: number[] = [];
    const { call, run, clock } = stage(answering([throttled(7_000), throttled(1_500), aResult("x")], at, () => clock.now()));
    const done = call({ attempt: 2 });
    await clock.runUntilIdle();
    expect(await done).toMatchObject({ content: [{ text: "x" }] });
    expect(at).toEqual([0, 7_000, 8_500]);
    expect(run.of("attempt.started").map(({ attempt, requeues }) => [attempt, requeues])).toEqual([
      [2, 0],
      [2, 1],
      [2, 2],
    ]);
    expect(run.of("governor.throttled").map(({ reason, until, model }) => [reason, until, model])).toEqual([
      ["rate_limited", 7_000, "test:model"],
      ["rate_limited", 8_500, "test:model"],
    ]);
    expect(run.of("attempt.failed")).toEqual([]);
  });

  test("keeps its age: when the lane opens it goes before a call that asked after it", async () => {
    const order: string[] = [];
    const { call, clock } = stage(
      async (_, ctx) => {
        order.push(ctx.subtaskId ?? "");
        if (order.length === 1) throw throttled(1_000);
        await sleep(clock, 10);
        return aResult("x");
      },
      { model: { maxConcurrency: 1 } },
    );
    const first = call({ subtaskId: "old" });
    await clock.advance(1);
    const later = ["young", "younger"].map((subtaskId) => call({ subtaskId }));
    await clock.runUntilIdle();
    await Promise.all([first, ...later]);
    expect(order).toEqual(["old", "old", "young", "younger"]);
  });

  test("holds no slot while it waits", async () => {
    let calls = 0;
    const { call, clock } = stage(async () => {
      if (++calls === 1) throw throttled(60_000);
      return aResult("x");
    });
    const run = aRun(1);
    const slow = call({ run });
    await clock.advance(0);
    expect(await call({ run }, "test:other")).toMatchObject({ content: [{ text: "x" }] });
    expect(clock.now()).toBe(0);
    await clock.runUntilIdle();
    expect([await slow, clock.now()]).toMatchObject([{ content: [{ text: "x" }] }, 60_000]);
  });

  test("that is told to wait longer than a call may here fails at once, typed, and says both times", async () => {
    const { call, clock, run } = stage(answering([throttled(3_600_000)]));
    const error = errorOf(call());
    await clock.advance(0);
    expect(await error).toMatchObject({
      code: "rate_limited",
      retryable: false,
      message: expect.stringMatching(/3600 s.*600 s/),
      evidence: { retryAfterMs: 3_600_000, status: 429 },
    });
    expect([clock.now(), clock.pending]).toEqual([0, 0]);
    expect(run.of("attempt.settled")).toHaveLength(1);
  });

  test("may wait only what is left of its time, over all its requeues", async () => {
    const { call, clock } = stage(answering([throttled(4_000), throttled(4_000), throttled(4_000)]), { admissionMs: 10_000 });
    const error = errorOf(call());
    await clock.advance(8_000);
    expect(await error).toMatchObject({ code: "rate_limited", retryable: false });
    expect(clock.pending).toBe(0);
  });

  test("that had been taken on is no throttled one: it fails", async () => {
    const { call, run } = stage(answering([failed("rate_limited", {}, true)]));
    expect(await errorOf(call())).toMatchObject({ code: "rate_limited", retryable: true });
    expect(run.of("governor.throttled")).toEqual([]);
  });
});

describe("an overloaded provider", () => {
  test("is waited for like one that throttles, for 60 s; then the attempt has failed and may be tried again", async () => {
    const at: number[] = [];
    const { call, clock } = stage(answering([overloaded(25_000)], at, () => clock.now()));
    const error = errorOf(call());
    await clock.runUntilIdle();
    expect(await error).toMatchObject({ code: "overloaded", retryable: true });
    expect(at).toEqual([0, 25_000, 50_000]);
    expect(clock.pending).toBe(0);
  });

  test("that asks for more than 60 s is not waited for at all", async () => {
    const { call, clock } = stage(answering([overloaded(61_000)]));
    const error = errorOf(call());
    await clock.advance(0);
    expect(await error).toMatchObject({ code: "overloaded", retryable: true });
    expect(clock.now()).toBe(0);
  });

  test("that recovers in time costs no attempt", async () => {
    const { call, clock, run } = stage(answering([overloaded(), overloaded(), aResult("x")]));
    const done = call();
    await clock.runUntilIdle();
    expect(await done).toMatchObject({ content: [{ text: "x" }] });
    expect(run.of("governor.throttled").map(({ reason }) => reason)).toEqual(["overloaded", "overloaded"]);
  });
});

describe("a call that waits for its turn", () => {
  test("longer than it may ends with `admission_timeout`, and nothing was started or settled for it", async () => {
    const { call, clock, run } = stage(
      async () => {
        await sleep(clock, 60_000);
        return aResult("x");
      },
      { admissionMs: 5_000, model: { maxConcurrency: 1 } },
    );
    const first = call();
    const error = errorOf(call({ subtaskId: "s2" }));
    await clock.runUntilIdle();
    await first;
    expect(await error).toMatchObject({ code: "admission_timeout" });
    expect(run.events.filter((event) => "subtaskId" in event && event.subtaskId === "s2")).toEqual([]);
  });
});

test("every attempt that started is settled exactly once, and what was settled adds up", async () => {
  const ending = fc.oneof(
    fc.constantFrom<"done" | "broken" | "refused" | "fault">("done", "broken", "refused", "fault").map((kind) => ({ kind, retryAfterMs: undefined })),
    fc.record({
      kind: fc.constantFrom<"throttled" | "overloaded">("throttled", "overloaded"),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 30_000 }), { nil: undefined }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(ending, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 }), async (scripts) => {
      const scriptOf = new Map(scripts.map((script, index) => [`s${index}`, [...script]]));
      let used = 0;
      const { call, clock, run } = stage(
        async (_, { subtaskId = "", onAccepted }) => {
          await sleep(clock, 5);
          const next = scriptOf.get(subtaskId)?.shift();
          switch (next?.kind) {
            case "throttled":
              throw throttled(next.retryAfterMs);
            case "overloaded":
              throw overloaded(next.retryAfterMs);
            case "refused":
              throw failed("bad_request", {}, false);
            case "broken":
              used += 10;
              throw failed("stream_broken");
            default:
              onAccepted(undefined);
              used += 15;
              return aResult("x");
          }
        },
        { model: { maxConcurrency: 3 } },
      );
      const ends = Promise.allSettled([...scriptOf.keys()].map((subtaskId) => call({ subtaskId })));
      await clock.runUntilIdle();
      await ends;
      for (const subtaskId of scriptOf.keys()) {
        const types = run.events
          .filter((event) => "subtaskId" in event && event.subtaskId === subtaskId && event.type !== "governor.throttled")
          .map(({ type }) => type);
        expect(types.length % 2).toBe(0);
        expect(types).toEqual(types.map((_, index) => (index % 2 === 0 ? "attempt.started" : "attempt.settled")));
      }
      const settled = run.of("attempt.settled");
      expect(settled.reduce((sum, { usage }) => addUsage(sum, usage), noUsage).totalTokens).toBe(used);
      expect(settled.every(({ usage, cost }) => cost === (usage.totalTokens === 0 ? 0 : 0.25))).toBe(true);
      expect(clock.pending).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test("an abort in the queue ends the call at once and starts nothing", async () => {
  const { call, clock, run } = stage(async (_, { signal }) => sleep(clock, 60_000, signal).then(() => aResult("x")), { model: { maxConcurrency: 1 } });
  const [holding, waiting] = [new AbortController(), new AbortController()];
  const first = call({ signal: holding.signal }).catch((error: DivvyError) => error);
  const second = call({ signal: waiting.signal, subtaskId: "s2" }).catch((error: unknown) => error);
  await clock.advance(1);
  waiting.abort("stop");
  expect(await second).toBe("stop");
  expect(run.of("attempt.started").map(({ subtaskId }) => subtaskId)).toEqual(["s1"]);
  holding.abort("stop");
  await first;
  expect(clock.pending).toBe(0);
});
