/**
 * Everything a run takes from the world besides models: time, chance and names. Injected everywhere from the first
 * day, so that a whole run can be simulated; the lint rules forbid the originals in the heart.
 */

/** Cancels a timer; calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since the Unix epoch, never going backwards within a process. May have a fraction. */
  now(): number;
  /** Calls `fn` once after `ms` milliseconds. The timer keeps the process alive. */
  setTimer(ms: number, fn: () => void): Cancel;
}

export interface Runtime {
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** A new identifier, unique over processes and machines. */
  readonly newId: () => string;
}

/** The longest delay that timers take (2^31 - 1 ms, about 24.8 days); a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const { timeOrigin } = performance;

export const systemClock: Clock = {
  now: () => timeOrigin + performance.now(),
  setTimer: (ms, fn) => {
    const timer = setTimeout(fn, Math.min(ms, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** The time of day in milliseconds since the Unix epoch, as other processes tell it too; it may be set back. */
export const timeOfDay = (): number => Date.now();

export const systemRuntime: Runtime = {
  clock: systemClock,
  random: Math.random,
  newId: () => crypto.randomUUID(),
};

/** Resolves after `ms` milliseconds, or rejects with the signal's reason as soon as it aborts. Leaves no timer. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.setTimer(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
