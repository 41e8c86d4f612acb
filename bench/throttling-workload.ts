import { latencyModel } from "../src/testing/latency.ts";
import { quantile } from "./measure.ts";
import { warmUp } from "./workload.ts";

/** How a provider throttles its workers' model, the planner's not. */
export interface Throttler {
  readonly said: string;
  /** Requests that it carries out at once. */
  readonly slots?: number;
  /** Requests that it takes in any second. */
  readonly perSecond?: number;
  /** What it asks those to wait whom it sends back, in seconds. */
  readonly retryAfterS?: number;
  /** Does it tell its limit in its headers, as OpenAI does? */
  readonly tells?: boolean;
}

/** By the folder under which each is found. */
export const throttlers: ReadonlyMap<string, Throttler> = new Map<string, Throttler>([
  ["at-once", { said: "20 at once", slots: 20 }],
  ["at-once-later", { said: "20 at once with Retry-After: 1", slots: 20, retryAfterS: 1 }],
  ["a-second", { said: "50 a second", perSecond: 50 }],
  ["a-second-told", { said: "50 a second with headers", perSecond: 50, tells: true }],
]);

export const workers = 200;

/** The network's part, each way. */
export const networkMs = 50;

/** When a part of the plan reaches the client, in milliseconds after its request; the first opens the plan. */
export function planPartMs(seed: number, part: number): number {
  return seed === warmUp ? 0 : 300 + 20 * Math.max(0, part - 1);
}

/** Of a worker, from its request's arrival to the last byte that leaves. */
export function workerMs(seed: number, subtask: number): number {
  if (seed === warmUp) return 0;
  return latencyModel({ seed, firstTokenMs: { median: 1, sigma: 0 }, totalMs: { median: 4000, sigma: 0.5 } }).sample(`${subtask}`);
}

/**
 * The soonest that a client is done that knows the provider's limit and keeps to it: slots taken first come, first served, each for a call
 * as its client sees it, the network included.
 */
export function soonestMs(seed: number, { slots = workers, perSecond = workers }: Throttler): number {
  const freeAt = Array.from({ length: slots }, () => 0);
  const begun: number[] = [];
  for (let subtask = 0; subtask < workers; subtask++) {
    freeAt.sort((a, b) => a - b);
    const slot = quantile(freeAt, 0);
    const begins = Math.max(planPartMs(seed, subtask + 1), slot, (begun.at(-perSecond) ?? Number.NEGATIVE_INFINITY) + 1000);
    begun.push(begins);
    freeAt[0] = begins + 2 * networkMs + workerMs(seed, subtask);
  }
  return Math.max(...freeAt);
}
