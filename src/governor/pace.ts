const secondMs = 1_000;
/** How far back it can look: one that was throttled went out some time ago, and others in the second before it. */
const memoryMs = 10_000;
/** How long it holds before it tries to be quicker, in milliseconds: twice as long each time that goes wrong, up to the longest. */
const firstHoldMs = 2_000;
const longestHoldMs = 60_000;
/** How much quicker it becomes within the first second after that; within n seconds, by its power of n². */
const growth = 1.05;
/** Where so large a part of what is taken in a second went out within one, it is plain that the next is throttled. */
const nearlyAll = 0.9;
/** What a closed lane missed is made up for, up to so long, in milliseconds. */
const madeUpMs = 250;
/** A request's way takes now longer, now shorter: by so much, in milliseconds, a second is taken for longer. */
const marginMs = 20;
/** A gap so short, in milliseconds, is none. */
const shortest = 1;

/**
 * How quickly attempts of one lane may follow one another, once one was throttled: within any second as many as were taken in the one
 * before it, and evenly. So a provider that counts requests is not knocked at in waves, even if it tells no limits. The gaps vary at
 * random, so that several processes do not keep step. Data and arithmetic only.
 */
export class Pace {
  readonly #random: () => number;
  /** When those went out lately that were not sent back. */
  readonly #out: number[] = [];
  #perSecond = Number.POSITIVE_INFINITY;
  #learnedAt = 0;
  #holdMs = firstHoldMs;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** When the next may go out, in epoch milliseconds. */
  opensAt(now: number): number {
    const most = Math.floor(this.#at(now));
    const first = this.#out.at(-most);
    return first === undefined ? this.#nextAt : Math.max(this.#nextAt, first + secondMs + marginMs);
  }

  letOut(now: number): void {
    const old = this.#out.findIndex((at) => at > now - memoryMs);
    this.#out.splice(0, old === -1 ? this.#out.length : old);
    this.#out.push(now);
    const gap = secondMs / this.#at(now);
    this.#nextAt = gap < shortest ? Number.NEGATIVE_INFINITY : Math.max(this.#nextAt, now - madeUpMs) + gap * (0.9 + 0.2 * this.#random());
  }

  /** One that went out then was throttled: it is none of those that were taken. */
  sentBack(at: number): void {
    const index = this.#out.lastIndexOf(at);
    if (index !== -1) this.#out.splice(index, 1);
  }

  /** Had as many gone out in the second before as are taken, so that one more had to be throttled, however many are in flight? */
  explains(at: number): boolean {
    return this.#takenBefore(at) >= nearlyAll * this.#perSecond;
  }

  /** One that went out then was throttled, and it is not plain that too many were in flight. */
  slowDown(at: number, now: number): void {
    const taken = this.#takenBefore(at);
    if (taken === 0) return;
    const before = this.#at(now);
    if (before > this.#perSecond) this.#holdMs = Math.min(longestHoldMs, 2 * this.#holdMs);
    this.#perSecond = Math.max(1, Math.min(taken, before - 1));
    this.#learnedAt = now;
  }

  #at(now: number): number {
    const seconds = Math.max(0, now - this.#learnedAt - this.#holdMs) / secondMs;
    return this.#perSecond * growth ** (seconds ** 2);
  }

  #takenBefore(at: number): number {
    return this.#out.filter((other) => other > at - secondMs && other <= at).length;
  }
}
