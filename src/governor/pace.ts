/** How much quicker it becomes within a second in which nobody is throttled. */
const growth = 1.05;
/** How much slower, at most, each time that one is throttled again. */
const slower = 1.2;
const lookBackMs = 1_000;
/** A gap so short, in milliseconds, is none. */
const shortest = 1;

/**
 * How quickly attempts of one lane may follow one another, once one was throttled: as quickly as they were accepted in the second
 * before, and a little quicker each second. So a provider that counts requests is not knocked at in waves, even if it tells no limits.
 * The gaps vary at random, so that several processes do not keep step.
 */
export class Pace {
  readonly #random: () => number;
  #accepted: number[] = [];
  #gapMs = 0;
  #since = 0;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** When the next may go out, in epoch milliseconds. */
  get opensAt(): number {
    return this.#nextAt;
  }

  letOut(now: number): void {
    if (this.#gapMs === 0) return;
    const gap = this.#gapAt(now);
    if (gap < shortest) this.#gapMs = 0;
    this.#nextAt = gap < shortest ? Number.NEGATIVE_INFINITY : now + gap * (0.9 + 0.2 * this.#random());
  }

  accepted(now: number): void {
    this.#forget(now);
    this.#accepted.push(now);
  }

  /** One was throttled, though no more were in flight than are taken. */
  slowDown(now: number): void {
    this.#forget(now);
    if (this.#accepted.length === 0) return;
    const seen = lookBackMs / this.#accepted.length;
    // A lane that was closed meanwhile has accepted less than it would have.
    this.#gapMs = this.#gapMs === 0 ? seen : Math.min(seen, this.#gapAt(now) * slower);
    this.#since = now;
  }

  #gapAt(now: number): number {
    return this.#gapMs / growth ** ((now - this.#since) / 1_000);
  }

  #forget(now: number): void {
    const first = this.#accepted.findIndex((at) => at > now - lookBackMs);
    if (first !== 0) this.#accepted.splice(0, first === -1 ? this.#accepted.length : first);
  }
}
