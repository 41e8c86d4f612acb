/** How one attempt stood in its lane's window when it was let out. */
export interface WindowTicket {
  /** Attempts in flight then, itself among them. */
  readonly inFlight: number;
  /** One more than the window has room for, to see whether it is taken. */
  readonly isProbe: boolean;
}

/** In milliseconds: from a cut to the first attempt too many, and the bounds of what comes between later ones. */
const firstProbeMs = 500;
const soonestProbeMs = 100;
const latestProbeMs = 30_000;
/** A probe that fails closes the lane for a while. It shall cost no more than one part in so many of the time. */
const pausesBetweenProbes = 8;
/** Of what was proven: who is throttled far below it is throttled for another reason than one attempt too many. */
const farBelow = 0.85;
const decrease = 0.7;

/**
 * How many attempts of one lane may be in flight at once. No provider tells that number, so it is found out. It doubles as attempts
 * are accepted, until one is throttled; that sets it to what was accepted and in flight. From then on it is probed with one attempt
 * more than it has room for: more seldom each time that is throttled, more often and in longer steps while it is accepted. Throttling
 * far below what was proven makes it smaller by a factor. Data and arithmetic only.
 */
export class Window {
  readonly #most: number;
  #size: number;
  #isDoubling = true;
  /** Most that were in flight when one more was accepted, since the last cut. */
  #proven = 0;
  #step = 1;
  #probeEveryMs = firstProbeMs;
  #probeAt = Number.POSITIVE_INFINITY;
  #isProbing = false;

  /**
   * @param start attempts in flight before any was accepted
   * @param most attempts in flight, whatever is accepted
   */
  constructor(start: number, most: number) {
    this.#size = Math.min(start, most);
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** When one more may go out beside so many, in epoch milliseconds: long ago where it may now, `Infinity` where one has to end first. */
  opensAt(inFlight: number): number {
    if (inFlight < this.#size) return Number.NEGATIVE_INFINITY;
    const mayProbe = !this.#isDoubling && !this.#isProbing && this.#size < this.#most && inFlight === this.#size;
    return mayProbe ? this.#probeAt : Number.POSITIVE_INFINITY;
  }

  /** One more goes out. @param inFlight attempts in flight from now on, itself among them */
  letOut(inFlight: number): WindowTicket {
    const isProbe = inFlight > this.#size;
    if (isProbe) this.#isProbing = true;
    return { inFlight, isProbe };
  }

  /** An attempt was accepted. @param accepted attempts accepted and in flight now */
  accepted({ inFlight, isProbe }: WindowTicket, accepted: number, now: number): void {
    this.#proven = Math.max(this.#proven, inFlight);
    if (this.#isDoubling) this.#size = Math.max(this.#size, Math.min(2 * accepted, this.#most));
    if (!isProbe) return;
    this.#isProbing = false;
    this.#size = Math.min(this.#most, Math.max(this.#size, inFlight) + this.#step - 1);
    this.#step = Math.min(2 * this.#step, this.#size);
    this.#probeEveryMs = Math.max(soonestProbeMs, this.#probeEveryMs / 2);
    this.#probeAt = now + this.#probeEveryMs;
  }

  /**
   * An attempt was throttled. One decrease for each congestion: what was let out before the last cut does not cut again.
   *
   * @param isNews it was let out since the last cut
   * @param accepted attempts accepted and in flight now
   * @param pauseMs how long the lane is closed for it
   * @returns whether so many in flight are not known to be the reason
   */
  throttled({ inFlight, isProbe }: WindowTicket, isNews: boolean, accepted: number, pauseMs: number, now: number): boolean {
    if (isProbe) this.#isProbing = false;
    if (!isNews) return false;
    const isFarBelow = !isProbe && inFlight <= this.#proven * farBelow;
    const unexplained = this.#isDoubling || isFarBelow;
    if (this.#isDoubling) {
      this.#isDoubling = false;
      this.#size = Math.max(1, accepted);
      this.#probeEveryMs = firstProbeMs;
    } else if (!isFarBelow) {
      // As many as before are taken, only not one more.
      this.#size = Math.max(1, Math.min(this.#size, inFlight - 1));
      this.#probeEveryMs = Math.min(latestProbeMs, Math.max(this.#probeEveryMs * 2, pauseMs * pausesBetweenProbes));
    } else {
      this.#size = Math.max(1, Math.floor(Math.min(this.#size, inFlight) * decrease));
      this.#probeEveryMs = firstProbeMs;
    }
    this.#step = 1;
    this.#proven = this.#size;
    this.#probeAt = now + pauseMs + this.#probeEveryMs;
    return unexplained;
  }

  /** A probe ended of which it is not known whether it was taken. */
  gaveUp({ isProbe }: WindowTicket): void {
    if (isProbe) this.#isProbing = false;
  }
}
