import { describe, expect, test, vi } from "vitest";
import { aContext, aRequest, aResult, aRun, errorOf, failed, modelThat, spent, tableOf, type TestRun } from "../../test/call-fixture.ts";
import { adaptiveGovernor } from "../governor/adaptive-governor.ts";
import { BudgetPool } from "../governor/budget-pool.ts";
import type { ModelTable } from "../models/model.ts";
import { testRuntime, type VirtualClock, virtualClock } from "../testing/virtual-clock.ts";
import type { AdmittedContext, AttemptContext, CallResult, Calls } from "./call.ts";
import { governed } from "./governed.ts";

/** What ends an attempt before it has left: its run's time, its credential, its budget. */

const unusedModel = modelThat(() => Promise.reject(new Error("`governed` calls no model itself.")));

/** Each model has a lane of its own; those whose names begin alike share a credential. */
function stage(next: Calls<AdmittedContext>, clock: VirtualClock = virtualClock()) {
  const models: ModelTable = (id) => ({ ...tableOf(unusedModel)(id), lane: id, credential: id.split(":", 1)[0] ?? "" });
  const calls = governed({ governor: adaptiveGovernor(testRuntime({ clock })), models, clock, admissionMs: 600_000 })(next);
  return (ctx: Partial<AttemptContext> & { readonly run: TestRun }, model = "test:model"): Promise<CallResult> =>
    calls(aRequest({ model }), { ...aContext(ctx), attempt: 1, ...ctx });
}

const refusing = (...errors: Parameters<typeof failed>[]): Calls<AdmittedContext> => {
  const left = [...errors];
  return () => {
    const error = left.shift();
    return error === undefined ? Promise.resolve(aResult("x")) : Promise.reject(failed(...error));
  };
};

describe("a wait", () => {
  test("that would last longer than the run fails at once, and says both times", async () => {
    const clock = virtualClock();
    const call = stage(refusing(["rate_limited", { status: 429, retryAfterMs: 90_000 }, false]), clock);
    const run = { ...aRun(), endsAt: () => 30_000 };
    const error = await errorOf(call({ run }));
    expect(error).toMatchObject({
      code: "rate_limited",
      retryable: false,
      message: expect.stringMatching(/[^.]\. It asks to wait 90 s, longer than the 31 s that this call may still wait/),
    });
    expect(clock.now()).toBe(0);
  });
});

describe("a credential", () => {
  test.each([
    ["a spending cap", "quota_exhausted", { status: 429 }],
    ["a key that is not taken", "authentication", { status: 401 }],
  ] as const)("with %s ends all calls of the run that go to it, after one", async (_, code, evidence) => {
    const call = stage(refusing([code, evidence, false]));
    const run = aRun(1);
    const asked = ["test:model", "test:model", "test:other"].map((model) => errorOf(call({ run }, model)));
    expect((await Promise.all(asked)).map((error) => error.code)).toEqual([code, code, code]);
    expect(run.of("attempt.started")).toHaveLength(1);
    expect(await call({ run }, "elsewhere:model")).toMatchObject({ cached: false });
  });

  test("that lacks one model serves the others", async () => {
    const call = stage(refusing(["authentication", { status: 403 }, false]));
    const run = aRun(1);
    expect(await errorOf(call({ run }))).toMatchObject({ code: "authentication" });
    expect(await call({ run }, "test:other")).toMatchObject({ cached: false });
  });
});

describe("a budget", () => {
  const priced = { ...aContext().rules, price: ({ inputTokens = 0, outputTokens = 0 }) => (inputTokens + outputTokens) / 100 };
  const poolOf = (run: TestRun, usd: number): BudgetPool =>
    new BudgetPool({ budget: { usd }, spent: { calls: 0, tokens: 0, cost: 0 }, activeMs: 0, clock: virtualClock(), emit: run.emit });

  test("is charged what a try used, at the role's own price, and gets back what it did not use", async () => {
    const plain = aRun();
    const run = { ...plain, budget: poolOf(plain, 3) };
    const call = stage(refusing());
    // Each may use 100 tokens and its input, and uses 15.
    await call({ run, rules: priced });
    await call({ run, rules: priced });
    expect(run.of("attempt.settled").map(({ cost }) => cost)).toEqual([0.15, 0.15]);
    const claim = run.budget.claim({ role: "orchestrator", reserved: { inputTokens: 0, outputTokens: 0 }, cost: 2.71 });
    expect(claim.reserve()).toMatchObject({ code: "budget_exhausted" });
    expect(run.budget.claim({ role: "orchestrator", reserved: { inputTokens: 0, outputTokens: 0 }, cost: 2.69 }).reserve()).toBe("reserved");
  });

  test("that does not allow a call ends it before it has left, and nothing is booked", async () => {
    const plain = aRun();
    const run = { ...plain, budget: poolOf(plain, 0.5) };
    expect(await errorOf(stage(refusing())({ run, rules: priced }))).toMatchObject({ code: "budget_exhausted" });
    expect(run.events).toEqual([]);
  });

  test("hears of a model that writes beyond its cap, and of one that does not", async () => {
    const plain = aRun();
    const pool = new BudgetPool({ budget: { tokens: 1e6 }, spent: { calls: 0, tokens: 0 }, activeMs: 0, clock: virtualClock(), emit: plain.emit });
    const told = vi.spyOn(pool, "spend");
    const usages = [spent(10_000, 100), spent(10, 101)];
    const call = stage(() => Promise.resolve({ ...aResult("x"), usage: usages.shift() ?? spent(0, 0) }));
    for (const _ of [1, 2]) await call({ run: { ...plain, budget: pool } });
    expect(told.mock.calls.map(([, isBeyondCap]) => isBeyondCap)).toEqual([false, true]);
  });

  test("hears what the answer will have to read at once with what comes back: nobody is let out between the two", async () => {
    const plain = aRun();
    const told: string[] = [];
    const pool = new BudgetPool({ budget: { tokens: 1e6 }, spent: { calls: 0, tokens: 0 }, activeMs: 0, clock: virtualClock(), emit: plain.emit });
    const { claim } = pool;
    vi.spyOn(pool, "claim").mockImplementation((need) => {
      const real = claim.call(pool, need);
      const giveBack = (): void => {
        real.giveBack();
        told.push("back");
        queueMicrotask(() => told.push("later"));
      };
      return { ...real, giveBack };
    });
    vi.spyOn(pool, "answerReads").mockImplementation((tokens) => void told.push(`reads ${tokens()}`));
    await stage(refusing())({ run: { ...plain, budget: pool } });
    expect(told).toEqual(["back", "reads 5", "later"]);
  });

  test("counts no try that was throttled, and lets nothing be lost by it", async () => {
    const plain = aRun();
    const pool = new BudgetPool({ budget: { calls: 1 }, spent: { calls: 0, tokens: 0 }, activeMs: 0, clock: virtualClock(), emit: plain.emit });
    const run = { ...plain, budget: pool };
    const clock = virtualClock();
    const asked = stage(refusing(["rate_limited", { status: 429, retryAfterMs: 1_000 }, false]), clock)({ run });
    await clock.advance(1_000);
    expect(await asked).toMatchObject({ cached: false });
    expect(await errorOf(stage(refusing())({ run }))).toMatchObject({ code: "budget_exhausted" });
  });

  test.each([
    ["throttled for longer than it may wait", "rate_limited", 3_600_000],
    ["refused by a provider that stays overloaded", "overloaded", 61_000],
  ] as const)("counts a try that was %s, and so does its log", async (_, code, retryAfterMs) => {
    const plain = aRun();
    const spent: number[] = [];
    const pool = new BudgetPool({ budget: { calls: 9 }, spent: { calls: 0, tokens: 0 }, activeMs: 0, clock: virtualClock(), emit: plain.emit });
    vi.spyOn(pool, "spend").mockImplementation(({ calls }) => void spent.push(calls));
    const clock = virtualClock();
    const asked = errorOf(stage(refusing([code, { retryAfterMs: 1_000 }, false], [code, { retryAfterMs }, false]), clock)({ run: { ...plain, budget: pool } }));
    await clock.runUntilIdle();
    expect(await asked).toMatchObject({ code });
    expect(spent).toEqual([0, 1]);
    expect(plain.of("attempt.settled").map(({ calls }) => calls)).toEqual([0, undefined]);
  });
});
