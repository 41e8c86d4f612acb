import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { aRun } from "../../test/call-fixture.ts";
import { ranks } from "../calls/call.ts";
import { type Clock, sleep } from "../runtime.ts";
import { latencyModel, testRuntime } from "../testing/index.ts";
import { adaptiveGovernor } from "./adaptive-governor.ts";
import type { Permit } from "./governor.ts";

/**
 * The governor alone against a provider that throttles, in virtual time: 200 workers, the first tag after 0.3 s, then one every 20 ms;
 * lognormal with a median of 4 s and a sigma of 0.5; 50 ms of network each way. The bound is what a client would need that knows the
 * provider's limit and keeps to it: slots that are taken first come, first served, each for a call as its client sees it.
 */

interface Provider {
  /** Requests that it carries out at once. */
  readonly slots?: number;
  /** Requests that it takes in any second. */
  readonly perSecond?: number;
  /** What it asks those to wait that it sends back, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Does it tell its limit in its headers? */
  readonly tells?: boolean;
  /** By how much one request's way to it is longer than another's, at most, in milliseconds. */
  readonly jitterMs?: number;
}

/** Virtual time for code that waits for nothing but its timers: one turn of the event loop settles what each sets off. */
function quickClock(): Clock & { run(): Promise<void> } {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly fn: () => void }>();
  return {
    now: () => now,
    setTimer: (ms, fn) => {
      const timer = { at: now + Math.max(0, ms), fn };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    run: async () => {
      for (;;) {
        await nextTurn();
        let next: { readonly at: number; readonly fn: () => void } | undefined;
        for (const timer of timers) if (next === undefined || timer.at < next.at) next = timer;
        if (next === undefined) return;
        timers.delete(next);
        now = next.at;
        next.fn();
      }
    },
  };
}

const workers = 200;
const networkMs = 50;
const tagAt = (index: number): number => 300 + 20 * index;

interface Figures {
  readonly done: number;
  readonly throttled: number;
  /** Makespan over the bound. */
  readonly ratio: number;
}

async function carryOut(seed: number, provider: Provider): Promise<Figures> {
  const latency = latencyModel({ seed, firstTokenMs: { median: 1, sigma: 0 }, totalMs: { median: 4_000, sigma: 0.5 } });
  const takes = Array.from({ length: workers }, (_, index) => latency.sample(`${index}`));
  const clock = quickClock();
  const governor = adaptiveGovernor(testRuntime({ clock, seed }));
  const run = aRun(1_000);
  const { signal } = new AbortController();
  const { random } = testRuntime({ seed: -seed });
  const server = { inFlight: 0, taken: [] as number[] };
  let [done, throttled, makespan] = [0, 0, 0];

  const isFull = (): boolean => {
    server.taken = server.taken.filter((at) => at > clock.now() - 1_000);
    return server.inFlight >= (provider.slots ?? Infinity) || server.taken.length >= (provider.perSecond ?? Infinity);
  };
  const headers = (): Record<string, string> => {
    const { perSecond = 0, tells = false } = provider;
    if (!tells) return {};
    const left = perSecond - server.taken.length;
    return {
      "x-ratelimit-limit-requests": String(perSecond),
      "x-ratelimit-remaining-requests": String(left),
      "x-ratelimit-reset-requests": `${Math.ceil((server.taken.length * 1_000) / perSecond)}ms`,
    };
  };
  const ask = async (index: number, permit: Permit): Promise<boolean> => {
    await sleep(clock, networkMs + random() * (provider.jitterMs ?? 0));
    if (isFull()) {
      await sleep(clock, networkMs);
      throttled++;
      permit.throttled(provider.retryAfterMs);
      return false;
    }
    server.inFlight++;
    server.taken.push(clock.now());
    const told = headers();
    clock.setTimer(networkMs, () => permit.accepted(told));
    await sleep(clock, takes[index] ?? 0);
    server.inFlight--;
    await sleep(clock, networkMs);
    permit.release();
    return true;
  };
  const work = async (index: number): Promise<void> => {
    await sleep(clock, tagAt(index));
    const admission = { lane: "l", credential: "c", maxConcurrency: undefined, run, rank: ranks.work, signal, until: Infinity, model: "m" };
    const demand = { inputTokens: 1_000, outputTokens: 1_000 };
    while (!(await ask(index, await governor.admit({ ...admission, since: tagAt(index), demand })))) {
      // Once more: it has not counted.
    }
    done++;
    makespan = clock.now();
  };
  const all = Promise.all(takes.map((_, index) => work(index)));
  await clock.run();
  await all;
  return { done, throttled, ratio: makespan / boundOf(takes, provider) };
}

function boundOf(takes: readonly number[], { slots = workers, perSecond = workers }: Provider): number {
  const free = Array.from({ length: slots }, () => 0);
  const begun: number[] = [];
  let bound = 0;
  for (const [index, ms] of takes.entries()) {
    free.sort((a, b) => a - b);
    const begins = Math.max(tagAt(index), free[0] ?? 0, (begun[begun.length - perSecond] ?? -Infinity) + 1_000);
    begun.push(begins);
    free[0] = begins + 2 * networkMs + ms;
    bound = Math.max(bound, free[0]);
  }
  return bound;
}

const seeds = Array.from({ length: 100 }, (_, index) => index + 1);
const sorted = (figures: readonly number[]): number[] => figures.toSorted((a, b) => a - b);
const median = (figures: readonly number[]): number => sorted(figures)[Math.floor(figures.length / 2)] ?? Number.NaN;

describe("over 100 seeds, 200 workers", () => {
  test.each([
    ["20 at once", { slots: 20 }, { ratio: [1.02, 1.02], throttled: [20, 20] }],
    ["20 at once, over ways that differ", { slots: 20, jitterMs: 5 }, { ratio: [1.02, 1.03], throttled: [20, 20] }],
    ["20 at once, who are told to wait a second", { slots: 20, retryAfterMs: 1_000 }, { ratio: [1.02, 1.03], throttled: [20, 20] }],
    ["60 at once", { slots: 60 }, { ratio: [1.02, 1.02], throttled: [20, 20] }],
    ["50 a second", { perSecond: 50 }, { ratio: [1.02, 1.02], throttled: [10, 10] }],
    ["50 a second, over ways that differ", { perSecond: 50, jitterMs: 5 }, { ratio: [1.02, 1.03], throttled: [10, 10] }],
    ["50 a second, as its headers tell", { perSecond: 50, tells: true, jitterMs: 5 }, { ratio: [1.02, 1.04], throttled: [10, 10] }],
    ["49 a second", { perSecond: 49, jitterMs: 5 }, { ratio: [1.02, 1.03], throttled: [10, 10] }],
    ["40 a second", { perSecond: 40, jitterMs: 5 }, { ratio: [1.02, 1.04], throttled: [10, 15] }],
    ["25 a second", { perSecond: 25, jitterMs: 5 }, { ratio: [1.02, 1.06], throttled: [10, 15] }],
    ["10 a second", { perSecond: 10, jitterMs: 5 }, { ratio: [1.05, 1.12], throttled: [15, 20] }],
    ["10 a second, as its headers tell", { perSecond: 10, tells: true, jitterMs: 5 }, { ratio: [1.1, 1.2], throttled: [10, 10] }],
    ["30 a second and 20 at once", { perSecond: 30, slots: 20, jitterMs: 5 }, { ratio: [1.02, 1.03], throttled: [20, 20] }],
  ] as const)("against a provider that takes %s: all are done, hardly later than could be, hardly one in vain", async (_, provider, most) => {
    const figures: Figures[] = [];
    for (const seed of seeds) figures.push(await carryOut(seed, provider));
    const [ratios, throttled] = [figures.map(({ ratio }) => ratio), figures.map(({ throttled }) => throttled)];
    expect(figures.map(({ done }) => done)).toEqual(seeds.map(() => workers));
    const seen = `ratio ${median(ratios).toFixed(3)}, at worst ${Math.max(...ratios).toFixed(3)}; throttled ${median(throttled)}, at worst ${Math.max(...throttled)}`;
    const [ratio, worstRatio] = most.ratio;
    const [vain, worstVain] = most.throttled;
    expect(median(ratios), seen).toBeLessThanOrEqual(ratio);
    expect(Math.max(...ratios), seen).toBeLessThanOrEqual(worstRatio);
    expect(median(throttled), seen).toBeLessThanOrEqual(vain);
    expect(Math.max(...throttled), seen).toBeLessThanOrEqual(worstVain);
  });
}, 120_000);
