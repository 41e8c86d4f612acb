import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aRun } from "../../test/call-fixture.ts";
import { DivvyError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import { testRuntime, type VirtualClock, virtualClock } from "../testing/virtual-clock.ts";
import type { Admission, Governor, Permit } from "./governor.ts";
import { adaptiveGovernor } from "./adaptive-governor.ts";

function anAdmission(change: Partial<Admission> = {}): Admission {
  return {
    lane: "lane",
    maxConcurrency: undefined,
    run: aRun(),
    rank: 2,
    since: 0,
    signal: new AbortController().signal,
    until: 600_000,
    credential: "credential",
    demand: { inputTokens: 10, outputTokens: 100 },
    model: "test:model",
    ...change,
  };
}

interface Asked {
  readonly name: string;
  permit: Permit | undefined;
  error: unknown;
  at: number | undefined;
}

/** A limiter under a virtual clock, and who was let out of it, in order. */
function stage(clock: VirtualClock = virtualClock()) {
  const governor = adaptiveGovernor(testRuntime({ clock }));
  const out: Asked[] = [];
  const ask = (name: string, change: Partial<Admission> = {}): Asked => {
    const asked: Asked = { name, permit: undefined, error: undefined, at: undefined };
    void governor.admit(anAdmission({ since: clock.now(), ...change })).then(
      (permit) => {
        asked.permit = permit;
        asked.at = clock.now();
        out.push(asked);
      },
      (error: unknown) => {
        asked.error = error;
        asked.at = clock.now();
      },
    );
    return asked;
  };
  return {
    clock,
    governor,
    ask,
    /** Names of those let out so far, in order. */
    order: async (): Promise<string[]> => {
      await clock.advance(0);
      return out.map(({ name }) => name);
    },
    permit: async (asked: Asked): Promise<Permit> => {
      await clock.advance(0);
      if (asked.permit === undefined) throw new Error(`${asked.name} was not let out.`);
      return asked.permit;
    },
  };
}

describe("a run", () => {
  test("has as many calls in flight as its concurrency, and one more whenever one has ended", async () => {
    const { ask, order, permit } = stage();
    const run = aRun(2);
    const [a] = ["a", "b", "c", "d"].map((name) => ask(name, { run }));
    expect(await order()).toEqual(["a", "b"]);
    if (a) (await permit(a)).release();
    expect(await order()).toEqual(["a", "b", "c"]);
  });

  test("gives a slot back once, however often its permit is", async () => {
    const { ask, order, permit } = stage();
    const run = aRun(1);
    const first = await permit(ask("a", { run }));
    for (const name of ["b", "c", "d"]) ask(name, { run });
    first.release();
    first.release();
    first.throttled(undefined);
    expect(await order()).toEqual(["a", "b"]);
  });

  test("lets out by rank, then by age, then in the order of asking", async () => {
    const { ask, order, permit } = stage();
    const run = aRun(1);
    const asked = [ask("first", { run })];
    for (const [name, rank, since] of [
      ["young", 2, 30],
      ["old", 2, 10],
      ["old too", 2, 10],
      ["planner", 0, 40],
      ["synthesizer", 1, 50],
    ] as const) {
      asked.push(ask(name, { run, rank, since }));
    }
    const expected = ["first", "planner", "synthesizer", "old", "old too", "young"];
    for (const [index, name] of expected.entries()) {
      expect(await order()).toEqual(expected.slice(0, index + 1));
      const holder = asked.find((one) => one.name === name);
      if (holder) (await permit(holder)).release();
    }
  });

  test("is not held up by its calls to another lane that is full or closed", async () => {
    const { ask, order, permit } = stage();
    const run = aRun(10);
    const slow = await permit(ask("slow", { run, lane: "slow", maxConcurrency: 1 }));
    ask("slow too", { run, lane: "slow", maxConcurrency: 1, rank: 0 });
    ask("quick", { run, lane: "quick" });
    expect(await order()).toEqual(["slow", "quick"]);
    slow.throttled(60_000);
    ask("quick too", { run, lane: "quick" });
    expect(await order()).toEqual(["slow", "quick", "quick too"]);
  });
});

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

describe("a budget", () => {
  test("is asked when an attempt may go, not while it waits", async () => {
    const { ask, permit, order } = stage();
    const run = aRun(1);
    let asked = 0;
    const reserve = (): "reserved" => {
      asked++;
      return "reserved";
    };
    const first = await permit(ask("first", { run }));
    ask("second", { run, claim: { reserve } });
    expect([await order(), asked]).toEqual([["first"], 0]);
    first.release();
    expect([await order(), asked]).toEqual([["first", "second"], 1]);
  });

  test("that others have reserved is waited for, without a slot; nobody overtakes in that run", async () => {
    const { ask, permit, order } = stage();
    const run = aRun(2);
    const first = await permit(ask("first", { run }));
    let isFree = false;
    ask("dear", { run, claim: { reserve: () => (isFree ? "reserved" : "later") } });
    ask("cheap", { run, claim: { reserve: () => "reserved" } });
    ask("other run");
    expect(await order()).toEqual(["first", "other run"]);
    isFree = true;
    first.release();
    expect(await order()).toEqual(["first", "other run", "dear", "cheap"]);
  });

  test("that is used up ends the attempt with its error", async () => {
    const { ask, order, clock } = stage();
    const broke = new DivvyError("incomplete", "Broke.");
    const asked = ask("dear", { claim: { reserve: () => broke } });
    expect(await order()).toEqual([]);
    expect([asked.error, clock.pending]).toEqual([broke, 0]);
  });
});

test("a synthesis goes before the workers of other runs, though it is not their turn", async () => {
  const { ask, order, permit } = stage();
  const [big, small] = [aRun(), aRun()];
  const first = await permit(ask("first", { run: big, maxConcurrency: 1 }));
  ask("worker", { run: big, maxConcurrency: 1 });
  ask("plan", { run: big, maxConcurrency: 1, rank: 0 });
  ask("answer", { run: small, maxConcurrency: 1, rank: 1 });
  first.release();
  expect(await order()).toEqual(["first", "answer"]);
});

test("runs that share a lane take turns, however much one of them asks for", async () => {
  const { ask, order, clock } = stage();
  const [big, small] = [aRun(), aRun()];
  const asked = [
    ...Array.from({ length: 6 }, (_, i) => ask(`big ${i}`, { run: big, maxConcurrency: 1 })),
    ask("small 0", { run: small, maxConcurrency: 1 }),
    ask("small 1", { run: small, maxConcurrency: 1 }),
  ];
  for (let served = 0; served < asked.length; served++) {
    await clock.advance(0);
    const holder = asked.find(({ permit }) => permit !== undefined);
    holder?.permit?.release();
    if (holder) holder.permit = undefined;
  }
  expect(await order()).toEqual(["big 0", "big 1", "small 0", "big 2", "small 1", "big 3", "big 4", "big 5"]);
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

describe("waiting", () => {
  test("longer than is allowed ends with an error that says how long it was", async () => {
    const { ask, permit, clock, order } = stage();
    const run = aRun(1);
    const first = await permit(ask("a", { run }));
    const second = ask("b", { run, until: 90_000 });
    await clock.advance(89_999);
    expect(second.error).toBeUndefined();
    await clock.advance(1);
    expect(second.error).toBeInstanceOf(DivvyError);
    expect(second.error).toMatchObject({ code: "admission_timeout", message: expect.stringContaining("90 s"), retryable: false });
    ask("c", { run });
    first.release();
    expect(await order()).toEqual(["a", "c"]);
  });

  test("ends at once with the signal's reason, and its place is given to the next", async () => {
    const { ask, permit, clock, order } = stage();
    const run = aRun(1);
    const abort = new AbortController();
    const first = await permit(ask("a", { run }));
    const second = ask("b", { run, signal: abort.signal });
    ask("c", { run });
    const reason = new DivvyError("aborted", "Stop.");
    abort.abort(reason);
    await clock.advance(0);
    expect(second.error).toBe(reason);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
    first.release();
    expect(await order()).toEqual(["a", "c"]);
  });

  test("does not begin for a call that is aborted already", async () => {
    const { ask, clock, order } = stage();
    const late = ask("a", { signal: AbortSignal.abort("stop") });
    await clock.advance(0);
    expect([late.error, await order(), clock.pending]).toEqual(["stop", [], 0]);
  });

  test("leaves nothing behind for a call that is let out: no timer, no listener", async () => {
    const { ask, permit, clock } = stage();
    const run = aRun(1);
    const { signal } = new AbortController();
    const first = await permit(ask("a", { run }));
    const second = ask("b", { run, signal });
    await clock.advance(0);
    expect([clock.pending, getEventListeners(signal, "abort").length]).toEqual([1, 1]);
    first.release();
    await permit(second);
    expect([clock.pending, getEventListeners(signal, "abort").length]).toEqual([0, 0]);
  });
});

/** What one call of the property does when it is let out. */
const endings = fc.record({
  holdMs: fc.integer({ min: 0, max: 3_000 }),
  throttles: fc.array(fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }), { maxLength: 3 }),
  abortAt: fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined }),
  startAt: fc.integer({ min: 0, max: 5_000 }),
  rank: fc.integer({ min: 0, max: 2 }),
  run: fc.integer({ min: 0, max: 2 }),
  lane: fc.integer({ min: 0, max: 2 }),
});

test("never lets out more than is allowed, lets everybody out in the end, loses no slot, and forgets all", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(endings, { minLength: 1, maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 }),
      fc.array(fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }), { minLength: 3, maxLength: 3 }),
      async (calls, concurrencies, bounds) => {
        const clock = virtualClock();
        const governor: Governor = adaptiveGovernor(testRuntime({ clock }));
        const runs = concurrencies.map((concurrency) => aRun(concurrency));
        const [inRun, inLane, closedUntil] = [
          [0, 0, 0],
          [0, 0, 0],
          [0, 0, 0],
        ];
        const ends: string[] = [];

        const call = async ({ holdMs, throttles, abortAt, startAt, rank, run: r, lane: l }: (typeof calls)[number]): Promise<void> => {
          const run = runs[r] ?? aRun();
          const maxConcurrency = bounds[l];
          const abort = new AbortController();
          if (abortAt !== undefined) clock.setTimer(abortAt, () => abort.abort("stop"));
          await new Promise<void>((resolve) => void clock.setTimer(startAt, resolve));
          for (const throttle of [...throttles, "done" as const]) {
            let permit: Permit;
            try {
              permit = await governor.admit(anAdmission({ lane: `${l}`, maxConcurrency, run, rank, since: startAt, signal: abort.signal, until: 10_000_000 }));
            } catch (error) {
              ends.push(String(error));
              return;
            }
            inRun[r] = (inRun[r] ?? 0) + 1;
            inLane[l] = (inLane[l] ?? 0) + 1;
            expect(inRun[r]).toBeLessThanOrEqual(run.concurrency);
            expect(inLane[l]).toBeLessThanOrEqual(maxConcurrency ?? Number.POSITIVE_INFINITY);
            expect(clock.now()).toBeGreaterThanOrEqual(closedUntil[l] ?? 0);
            await new Promise<void>((resolve) => void clock.setTimer(holdMs, resolve));
            inRun[r] = (inRun[r] ?? 0) - 1;
            inLane[l] = (inLane[l] ?? 0) - 1;
            if (throttle === "done") {
              permit.accepted(undefined);
              permit.release();
            } else closedUntil[l] = Math.max(closedUntil[l] ?? 0, permit.throttled(throttle));
          }
          ends.push("done");
        };

        const all = Promise.all(calls.map(call));
        await clock.runUntilIdle();
        await all;
        expect(ends.length).toBe(calls.length);
        expect(ends.filter((end) => end === "done").length).toBeGreaterThanOrEqual(calls.filter(({ abortAt }) => abortAt === undefined).length);
        expect([clock.pending, inRun, inLane]).toEqual([0, [0, 0, 0], [0, 0, 0]]);

        // Every slot is there again: a lane with room lets out as many at once as a run may have.
        for (const run of runs) {
          const permits: Permit[] = [];
          for (let i = 0; i < run.concurrency; i++) void governor.admit(anAdmission({ run, lane: "fresh" })).then((permit) => permits.push(permit));
          await clock.advance(0);
          expect(permits.length).toBe(run.concurrency);
          for (const permit of permits) permit.release();
        }
      },
    ),
    { numRuns: 60 },
  );
}, 30_000);
