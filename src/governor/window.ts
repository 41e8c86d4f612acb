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
/** So many more than were in flight when the first was throttled are no chance: as a part of them, and at least. */
const beyondDoubt = 0.05;
const leastBeyondDoubt = 2;

/**
 * How many attempts of one lane may be in flight at once. No provider tells that number, so it is found out. It doubles as attempts
 * are accepted, until one is throttled; that sets it to what was accepted and in flight. Whether that many were the reason is found
 * out with the next one: where a few more than before are accepted, something else was, and it doubles on. Else it is probed with one
 * attempt more than it has room for: more seldom each time that is throttled, more often and in longer steps while it is accepted.
 * Throttling far below what was proven makes it smaller by a factor. Data and arithmetic only.
 */
export class Window {
  readonly #most: number;
  #size: number;
  #phase: "doubling" | "doubted" | "probing" = "doubling";
  /** Accepted and in flight when it was doubted that there is room for one more. */
  #doubted = 0;
  /** Most that were in flight when one more was accepted, since the last cut. */
  #proven = 0;
  #step = 1;
  #probeEveryMs = 0;
  #probeAt = Number.POSITIVE_INFINITY;
  #isProbeOut = false;

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
    const mayProbe = this.#phase !== "doubling" && !this.#isProbeOut && this.#size < this.#most && inFlight === this.#size;
    return mayProbe ? this.#probeAt : Number.POSITIVE_INFINITY;
  }

  /** One more goes out. @param inFlight attempts in flight from now on, itself among them */
  letOut(inFlight: number): WindowTicket {
    const isProbe = inFlight > this.#size;
    if (isProbe) this.#isProbeOut = true;
    return { inFlight, isProbe };
  }

  /** An attempt was accepted. @param accepted attempts accepted and in flight now */
  accepted({ inFlight, isProbe }: WindowTicket, accepted: number, now: number): void {
    this.#proven = Math.max(this.#proven, inFlight);
    if (isProbe) this.#isProbeOut = false;
    const few = Math.max(leastBeyondDoubt, Math.ceil(this.#doubted * beyondDoubt));
    if (this.#phase === "doubted" && accepted >= this.#doubted + few) this.#phase = "doubling";
    switch (this.#phase) {
      case "doubling":
        this.#grow(2 * accepted);
        return;
      case "doubted":
        this.#grow(isProbe ? this.#size + few : accepted);
        return;
      case "probing":
        if (isProbe) this.#climb(inFlight, now);
    }
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
    if (isProbe) this.#isProbeOut = false;
    if (!isNews) return false;
    const isFarBelow = !isProbe && inFlight <= this.#proven * farBelow;
    const isUnexplained = this.#phase === "doubling" || isFarBelow;
    if (this.#phase === "doubling") {
      this.#phase = "doubted";
      this.#doubted = accepted;
      this.#size = Math.max(1, accepted);
      this.#probeEveryMs = 0;
    } else if (isFarBelow) {
      this.#phase = "probing";
      this.#size = Math.max(1, Math.floor(Math.min(this.#size, inFlight) * decrease));
      this.#probeEveryMs = firstProbeMs;
    } else {
      // As many as before are taken, only not one more.
      this.#phase = "probing";
      this.#size = Math.max(1, Math.min(this.#size, inFlight - 1));
      const later = Math.max(firstProbeMs, 2 * this.#probeEveryMs, pauseMs * pausesBetweenProbes);
      this.#probeEveryMs = Math.min(latestProbeMs, later);
    }
    this.#step = 1;
    this.#proven = this.#size;
    this.#probeAt = now + pauseMs + this.#probeEveryMs;
    return isUnexplained;
  }

  /** A probe ended of which it is not known whether it was taken. */
  gaveUp({ isProbe }: WindowTicket): void {
    if (isProbe) this.#isProbeOut = false;
  }

  #grow(size: number): void {
    this.#size = Math.max(this.#size, Math.min(size, this.#most));
  }

  /** A probe was accepted: there is room for more. */
  #climb(inFlight: number, now: number): void {
    this.#grow(Math.max(this.#size, inFlight) + this.#step - 1);
    this.#step = Math.min(2 * this.#step, this.#size);
    this.#probeEveryMs = Math.max(soonestProbeMs, this.#probeEveryMs / 2);
    this.#probeAt = now + this.#probeEveryMs;
  }
}
