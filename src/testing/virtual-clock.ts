import { setImmediate } from "node:timers/promises";
import type { Cancel, Clock, Runtime } from "../runtime.ts";
import { seededRandom } from "./random.ts";

/** A clock that stands still until it is moved. Give it to a run, and an hour of waiting takes milliseconds. */
export interface VirtualClock extends Clock {
  /**
   * Moves time on by `ms` milliseconds. Timers that fall due fire in order, each at its own time, and what they set
   * off settles before the next one fires: promises, and code that hops over a few turns of the event loop. Sockets
   * and files are not waited for.
   */
  advance(ms: number): Promise<void>;
  /**
   * Moves time on, timer by timer, until none is left.
   *
   * @param limitMs - Rejects, naming what is left, when timers remain after this many milliseconds: something ticks for ever. Default: 86,400,000 (a day).
   */
  runUntilIdle(limitMs?: number): Promise<void>;
  /** Timers that are set and neither fired nor cancelled; 0 after a run that cleans up. */
  readonly pending: number;
}

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

/** Microtasks drain in one turn of the event loop; more turns are for code that itself waits for one. */
const SETTLE_TURNS = 16;

async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await setImmediate();
}

/** @param startAt - What the clock shows at first, in milliseconds since the Unix epoch. Default: 0, so that `now()` is the time passed. */
export function virtualClock(startAt = 0): VirtualClock {
  let now = startAt;
  // Insertion order decides between timers of the same time, as in the system's own.
  const timers = new Set<Timer>();

  const nextDue = (until: number): Timer | undefined => {
    let next: Timer | undefined;
    for (const timer of timers) if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer;
    return next;
  };

  const fireUntil = async (until: number): Promise<void> => {
    await settle();
    for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
      timers.delete(timer);
      now = Math.max(now, timer.at);
      timer.fn();
      await settle();
    }
  };

  return {
    now: () => now,
    setTimer(ms: number, fn: () => void): Cancel {
      const timer: Timer = { at: now + (ms > 0 ? ms : 0), fn };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms: number): Promise<void> {
      const until = now + ms;
      await fireUntil(until);
      now = Math.max(now, until);
    },
    async runUntilIdle(limitMs = 86_400_000): Promise<void> {
      await fireUntil(now + limitMs);
      if (timers.size > 0) throw new Error(`${timers.size} timer(s) remain after ${limitMs} ms of virtual time.`);
    },
    get pending() {
      return timers.size;
    },
  };
}

export interface TestRuntime<C extends Clock> extends Runtime {
  readonly clock: C;
}

/**
 * A `Runtime` in which nothing is left to chance: random numbers from a seed, ids "id-1", "id-2", ..., and a clock of
 * your own.
 *
 * @param options.seed - Default: 1.
 * @param options.clock - Default: a new `virtualClock()`.
 */
export function testRuntime(options?: { readonly seed?: number }): TestRuntime<VirtualClock>;
export function testRuntime<C extends Clock>(options: { readonly seed?: number; readonly clock: C }): TestRuntime<C>;
export function testRuntime(options: { readonly seed?: number; readonly clock?: Clock } = {}): Runtime {
  let ids = 0;
  return {
    clock: options.clock ?? virtualClock(),
    random: seededRandom(options.seed ?? 1),
    newId: () => `id-${++ids}`,
  };
}
