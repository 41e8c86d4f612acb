import { describe, expect, test } from "vitest";
import { aRun } from "../../test/call-fixture.ts";
import { DivvyError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import { testRuntime, virtualClock } from "../testing/virtual-clock.ts";
import { adaptiveGovernor } from "./adaptive-governor.ts";
import type { Permit } from "./governor.ts";
import { anAdmission, stage } from "./governor-fixture.ts";

/** What is learnt of one lane holds for all who wait for it. */

describe("a lane", () => {
  test("of a server with a bound begins with one call, and has no more in flight than it takes, over all runs", async () => {
    const { ask, order, permit } = stage();
    const [a, b] = ["a", "b", "c", "d"].map((name) => ask(name, { maxConcurrency: 2 }));
    expect(await order()).toEqual(["a"]);
    if (a) (await permit(a)).accepted(undefined);
    expect(await order()).toEqual(["a", "b"]);
    if (b) (await permit(b)).accepted(undefined);
    expect(await order()).toEqual(["a", "b"]);
    if (a) (await permit(a)).release();
    expect(await order()).toEqual(["a", "b", "c"]);
  });

  test("begins with ten calls, and has twice as many in flight once they are accepted, not when they are done", async () => {
    const { ask, order, permit } = stage();
    const asked = Array.from({ length: 100 }, (_, index) => ask(`${index}`));
    for (const expected of [10, 20, 40, 80]) {
      expect(await order()).toHaveLength(expected);
      for (const one of asked.slice(expected === 10 ? 0 : expected / 2, expected)) (await permit(one)).accepted(undefined);
    }
    expect(await order()).toHaveLength(100);
  });

  test("whose limits its provider tells is asked no faster than they allow", async () => {
    const { ask, order, permit, clock } = stage();
    const limits = { "x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "2", "x-ratelimit-reset-requests": "58s" };
    (await permit(ask("first"))).accepted(limits);
    for (let index = 0; index < 5; index++) ask(`${index}`);
    expect(await order()).toEqual(["first", "0", "1"]);
    await clock.advance(999);
    expect(await order()).toHaveLength(3);
    await clock.advance(1);
    expect(await order()).toHaveLength(4);
    await clock.advance(2_000);
    expect(await order()).toHaveLength(6);
    expect(clock.pending).toBe(0);
  });

  test("whose tokens are used up is waited for, by the tokens that each call takes", async () => {
    const { ask, order, permit, clock } = stage();
    const limits = {
      date: "Mon, 23 Nov 2026 10:00:00 GMT",
      "anthropic-ratelimit-input-tokens-limit": "10000",
      "anthropic-ratelimit-input-tokens-remaining": "1000",
      "anthropic-ratelimit-input-tokens-reset": "2026-11-23T10:00:09Z",
    };
    (await permit(ask("first"))).accepted(limits);
    ask("big", { demand: { inputTokens: 3_000, outputTokens: 1 } });
    ask("small", { demand: { inputTokens: 500, outputTokens: 1 } });
    // Who is small does not overtake for ever.
    await clock.advance(1_999);
    expect(await order()).toEqual(["first"]);
    await clock.advance(1);
    expect(await order()).toEqual(["first", "big"]);
    await clock.advance(500);
    expect(await order()).toEqual(["first", "big", "small"]);
  });
});

describe("a credential that was refused", () => {
  const spent = new DivvyError("quota_exhausted", "Nothing left.");

  test("ends all who wait for one of its lanes with the same error, and nobody else", async () => {
    const { ask, permit, order, clock } = stage();
    const run = aRun(1);
    const first = await permit(ask("first", { run, lane: "one" }));
    const [same, other, elsewhere] = [
      ask("same", { run, lane: "one" }),
      ask("other", { run, lane: "two" }),
      ask("elsewhere", { run, lane: "three", credential: "b" }),
    ];
    first.refused(spent);
    await clock.advance(0);
    expect([same.error, other.error, elsewhere.error]).toEqual([spent, spent, undefined]);
    expect(await order()).toEqual(["first", "elsewhere"]);
    expect(clock.pending).toBe(0);
  });

  test("is not asked again by the runs that were there; a new one may find it mended", async () => {
    const { ask, permit, clock, order } = stage();
    const run = aRun();
    const [first, second] = [await permit(ask("first", { run })), await permit(ask("second", { run }))];
    first.refused(spent);
    const late = ask("late", { run });
    await clock.advance(0);
    expect(late.error).toBe(spent);
    ask("new", { run: aRun() });
    expect(await order()).toEqual(["first", "second", "new"]);
    second.release();
  });
});

describe("a throttled lane", () => {
  test("is closed for every run until the time that the provider names, to the millisecond; other lanes are not", async () => {
    const { ask, order, permit, clock } = stage();
    const until = (await permit(ask("a"))).throttled(12_345);
    expect(until).toBe(12_345);
    ask("b");
    ask("other", { lane: "other" });
    expect(await order()).toEqual(["a", "other"]);
    await clock.advance(12_344);
    expect(await order()).toEqual(["a", "other"]);
    await clock.advance(1);
    expect(await order()).toEqual(["a", "other", "b"]);
    expect(clock.pending).toBe(0);
  });

  test("opens again on a clock whose timers fire a little early, as Node's do", async () => {
    const clock = virtualClock();
    // Node cuts a delay to whole milliseconds, and its loop's own time lags behind.
    const early: Clock = { now: () => clock.now(), setTimer: (ms, fn) => clock.setTimer(Math.max(0.25, Math.trunc(ms) - 0.75), fn) };
    const governor = adaptiveGovernor(testRuntime({ clock: early }));
    (await governor.admit(anAdmission())).throttled(1_000.4);
    let admittedAt: number | undefined;
    void governor.admit(anAdmission()).then(() => (admittedAt = clock.now()));
    await clock.advance(1_002);
    expect(admittedAt).toBeGreaterThanOrEqual(1_000.4);
    expect(admittedAt).toBeLessThan(1_002);
  });

  test("opens again on a clock that moves while it is looked at", async () => {
    for (const step of [0.1, 0.3, 0.7, 1, 3, 7]) {
      const clock = virtualClock();
      let passed = 0;
      const moving: Clock = { now: () => clock.now() + (passed += step), setTimer: (ms, fn) => clock.setTimer(Math.max(1, Math.trunc(ms)), fn) };
      const governor = adaptiveGovernor(testRuntime({ clock: moving }));
      (await governor.admit(anAdmission())).throttled(10);
      let admitted = false;
      void governor.admit(anAdmission()).then(() => (admitted = true));
      await clock.advance(20);
      expect([admitted, clock.pending]).toEqual([true, 0]);
    }
  });

  test("stays closed for the longest time that anybody was told", async () => {
    const { ask, order, permit, clock } = stage();
    const [a, b, c] = [await permit(ask("a")), await permit(ask("b")), await permit(ask("c"))];
    expect([a.throttled(5_000), b.throttled(9_000), c.throttled(2_000)]).toEqual([5_000, 9_000, 9_000]);
    ask("d");
    await clock.advance(8_999);
    expect(await order()).toEqual(["a", "b", "c"]);
    await clock.advance(1);
    expect(await order()).toEqual(["a", "b", "c", "d"]);
  });

  test("of which nobody said for how long is closed for longer each time, with jitter, and for 30 s at most", async () => {
    const { ask, permit, clock } = stage();
    const pauses: number[] = [];
    for (let time = 0; time < 8; time++) {
      const until = (await permit(ask(`${time}`))).throttled(undefined);
      pauses.push(until - clock.now());
      await clock.advance(until - clock.now());
    }
    for (const [index, bound] of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000].entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(bound / 2);
      expect(pauses[index]).toBeLessThanOrEqual(bound);
    }
    const accepted = await permit(ask("at last"));
    accepted.accepted(undefined);
    accepted.release();
    expect((await permit(ask("again"))).throttled(undefined) - clock.now()).toBeLessThanOrEqual(1_000);
  });

  test("is closed once by a wave that was let out together, not longer by each of its calls", async () => {
    const { ask, permit, clock } = stage();
    const wave: Permit[] = [];
    for (let i = 0; i < 10; i++) wave.push(await permit(ask(`${i}`)));
    const untils = wave.map((one) => one.throttled(undefined));
    expect(new Set(untils).size).toBe(1);
    expect(untils[0]).toBeLessThanOrEqual(1_000);
    await clock.advance(untils[0] ?? 0);
    // The next wave is news again.
    const next = (await permit(ask("next"))).throttled(undefined) - clock.now();
    expect(next).toBeGreaterThan(999);
    expect(next).toBeLessThanOrEqual(2_000);
  });

  test("that asks to be tried again at once is not asked without a pause", async () => {
    const { ask, permit, clock } = stage();
    expect((await permit(ask("a"))).throttled(0) - clock.now()).toBeGreaterThanOrEqual(500);
  });

  test.each([1, 5, 100])("that asks for %d ms each time is asked more and more seldom", async (retryAfterMs) => {
    const { ask, permit, clock } = stage();
    let asked = 0;
    for (; clock.now() < 120_000; asked++) await clock.advance((await permit(ask(`${asked}`))).throttled(retryAfterMs) - clock.now());
    expect(asked).toBeLessThan(15);
  });

  test("keeps no process alive when nobody waits for it", async () => {
    const { ask, permit, clock, order } = stage();
    (await permit(ask("a"))).throttled(3_600_000);
    expect(clock.pending).toBe(0);
    const abort = new AbortController();
    ask("b", { signal: abort.signal, until: 4_000_000 });
    expect(clock.pending).toBe(2);
    abort.abort();
    expect(clock.pending).toBe(0);
    ask("c", { until: 4_000_000 });
    await clock.advance(3_600_000);
    expect(await order()).toEqual(["a", "c"]);
  });
});
