import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aRun } from "../../test/call-fixture.ts";
import { ranks } from "../calls/call.ts";
import type { Claim } from "../calls/run-budget.ts";
import { DivvyError } from "../errors.ts";
import { testRuntime, virtualClock } from "../testing/virtual-clock.ts";
import { adaptiveGovernor } from "./adaptive-governor.ts";
import type { Governor, Permit } from "./governor.ts";
import { anAdmission, stage } from "./governor-fixture.ts";

describe("a run", () => {
  test("has as many calls in flight as its concurrency, and one more whenever one has ended", async () => {
    const { ask, order, permit } = stage();
    const run = aRun(2);
    const [a] = ["a", "b", "c", "d"].map((name) => ask(name, { run }));
    expect(await order()).toEqual(["a", "b"]);
    if (a) (await permit(a)).release();
    expect(await order()).toEqual(["a", "b", "c"]);
  });

  test("ends who waits for a closed lane when his run's budget has no time left, and not the one whose has", async () => {
    const { ask, order, permit, clock } = stage();
    const run = aRun(1);
    (await permit(ask("first", { run }))).throttled(500_000);
    const error = new DivvyError("budget_exhausted", "Its time is over.");
    const claim: Claim = { reserve: () => "reserved", end: { at: 30_000, error: () => error } };
    const [late, patient] = [ask("late", { run, claim }), ask("patient", { run, claim: { reserve: () => "reserved" } })];
    await clock.advance(29_999);
    expect([late.error, patient.error]).toEqual([undefined, undefined]);
    await clock.advance(1);
    expect([late.error, late.at]).toEqual([error, 30_000]);
    await clock.advance(470_001);
    expect(await order()).toEqual(["first", "patient"]);
    expect(clock.pending).toBe(0);
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
    ask("slow too", { run, lane: "slow", maxConcurrency: 1, rank: ranks.plan });
    ask("quick", { run, lane: "quick" });
    expect(await order()).toEqual(["slow", "quick"]);
    slow.throttled(60_000);
    ask("quick too", { run, lane: "quick" });
    expect(await order()).toEqual(["slow", "quick", "quick too"]);
  });
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

test("a synthesis goes before the workers of other runs, though it is not their turn", async () => {
  const { ask, order, permit } = stage();
  const [big, small] = [aRun(), aRun()];
  const first = await permit(ask("first", { run: big, maxConcurrency: 1 }));
  ask("worker", { run: big, maxConcurrency: 1 });
  ask("plan", { run: big, maxConcurrency: 1, rank: ranks.plan });
  ask("answer", { run: small, maxConcurrency: 1, rank: ranks.answer });
  first.release();
  expect(await order()).toEqual(["first", "answer"]);
});

test("a synthesis goes before an older worker of another run when a throttled lane opens again", async () => {
  const { ask, order, permit, clock } = stage();
  const [big, small] = [aRun(), aRun()];
  const until = (await permit(ask("first", { run: big }))).throttled(20_000);
  ask("worker", { run: big });
  await clock.advance(1_000);
  ask("worker too", { run: small });
  await clock.advance(1_000);
  ask("answer", { run: small, rank: ranks.answer });
  await clock.advance(until - clock.now() - 1);
  expect(await order()).toEqual(["first"]);
  await clock.advance(1);
  expect((await order())[1]).toBe("answer");
});

test("runs that share the slots of a lane get one each in turn, whoever came first and whatever they ask for", async () => {
  const { ask, order, permit, clock } = stage();
  const maxConcurrency = 3;
  const openers = [ask("opener 0", { maxConcurrency }), ask("opener 1", { maxConcurrency }), ask("opener 2", { maxConcurrency })];
  for (const opener of openers) (await permit(opener)).accepted(undefined);
  const demands = { a: 7, b: 4, c: 2 };
  const asked = Object.entries(demands).flatMap(([name, count]) => {
    const run = aRun();
    return Array.from({ length: count }, () => ask(name, { run, maxConcurrency }));
  });
  for (const opener of openers) opener.permit?.release();
  const mostAtOnce: number[] = [];
  for (let served = 0; served < asked.length; served++) {
    await clock.advance(0);
    const holders = asked.filter((one) => one.permit !== undefined);
    mostAtOnce.push(holders.length);
    for (const holder of holders) holder.permit?.accepted(undefined);
    const [first] = holders;
    first?.permit?.release();
    if (first) first.permit = undefined;
  }
  expect((await order()).slice(3).join("")).toBe("abcabcababaaa");
  expect(Math.max(...mostAtOnce)).toBe(3);
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
  rank: fc.constantFrom(...Object.values(ranks)),
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
