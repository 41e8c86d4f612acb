import type { Limit } from "./rate-limits.ts";

/** A minute, in which a limit is full again of which it is not known how quickly it fills. */
const usualMs = 60_000;
const longestWaitMs = 60_000;

/**
 * One limit of a provider, as its headers tell it: so much is left, and by when it is full again. It fills evenly between the two;
 * what goes out is taken from it until a later answer says better.
 */
export class TokenBucket {
  #limit: number;
  #level: number;
  #perMs: number;
  #at: number;
  #learnedAt: number;
  /** All that was ever taken. */
  #taken = 0;

  constructor(limit: number, now: number) {
    this.#limit = limit;
    this.#level = limit;
    this.#perMs = limit / usualMs;
    this.#at = now;
    this.#learnedAt = now;
  }

  /**
   * When so much will be there, in epoch milliseconds. Who needs more than fits waits until it is full; nobody waits long for what
   * was told long ago: then the provider is asked.
   */
  opensAt(need: number, now: number): number {
    this.#fill(now);
    const lacking = Math.min(need, this.#limit) - this.#level;
    return lacking <= 0 ? Number.NEGATIVE_INFINITY : Math.min(now + lacking / this.#perMs, this.#learnedAt + longestWaitMs);
  }

  /** Takes so much out, and says how much was taken in all. */
  take(need: number, now: number): number {
    this.#fill(now);
    this.#level -= need;
    this.#taken += need;
    return this.#taken;
  }

  /** @param takenThen what had been taken in all when the attempt went out whose answer tells this; what went out since is not in it */
  learn({ limit, remaining, resetMs }: Limit, takenThen: number, now: number): void {
    this.#limit = limit;
    this.#level = Math.min(limit, remaining) - (this.#taken - takenThen);
    this.#at = now;
    this.#learnedAt = now;
    if (remaining < limit && resetMs > 0) this.#perMs = (limit - remaining) / resetMs;
  }

  #fill(now: number): void {
    this.#level = Math.min(this.#limit, this.#level + Math.max(0, now - this.#at) * this.#perMs);
    this.#at = Math.max(this.#at, now);
  }
}
