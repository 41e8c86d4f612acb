import type { Cancel } from "../runtime.ts";
import { Pace } from "./pace.ts";
import { type Counted, rateLimits } from "./rate-limits.ts";
import { TokenBucket } from "./token-bucket.ts";
import { Window, type WindowTicket } from "./window.ts";

/** What an attempt takes of a provider's limits. */
export interface Demand {
  readonly inputTokens: number;
  /** Its output cap. */
  readonly outputTokens: number;
}

/** An attempt that was let out. */
export interface Ticket {
  /** When, in epoch milliseconds. */
  readonly at: number;
  readonly epoch: number;
  readonly window: WindowTicket;
  /** Of each limit, all that had been taken when it was out. */
  readonly taken: ReadonlyMap<Counted, number>;
  accepted: boolean;
}

/** Attempts in flight before any was accepted, where the provider is no server of one's own. */
const usualStart = 10;
/** How long a lane stays closed where the provider does not say: while others are in flight, and where none is; the longest, in milliseconds. */
const shortPauseMs = 250;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/** What shares one rate limit: when the next attempt may go out, learnt from what became of those before. */
export class Lane {
  readonly credential: string;
  /** Who waits for it. */
  waiting = 0;
  /** Set while somebody waits for it to open. */
  reopening: { readonly at: number; readonly cancel: Cancel } | undefined;
  readonly #random: () => number;
  readonly #window: Window;
  readonly #pace: Pace;
  readonly #buckets = new Map<Counted, TokenBucket>();
  #inFlight = 0;
  #accepted = 0;
  #closedUntil = Number.NEGATIVE_INFINITY;
  /** Congestions so far. What was let out before the last one brings no news of it. */
  #epoch = 0;
  /** Congestions since an attempt was last accepted. */
  #inVain = 0;

  /** @param bound attempts that its server can carry out at once; `undefined` where it has no such bound */
  constructor(credential: string, bound: number | undefined, random: () => number) {
    this.credential = credential;
    this.#random = random;
    this.#window = new Window(bound === undefined ? usualStart : 1, bound ?? Number.POSITIVE_INFINITY);
    this.#pace = new Pace(random);
  }

  /** Until when it is closed for all, in epoch milliseconds. */
  get closedUntil(): number {
    return this.#closedUntil;
  }

  /** When an attempt may go out: long ago where it may now, `Infinity` where one in flight has to end first. */
  opensAt(demand: Demand, now: number): number {
    let at = Math.max(this.#closedUntil, this.#pace.opensAt(now), this.#window.opensAt(this.#inFlight));
    for (const [counted, bucket] of this.#buckets) at = Math.max(at, bucket.opensAt(needOf(demand, counted), now));
    return at;
  }

  letOut(demand: Demand, now: number): Ticket {
    this.#inFlight++;
    this.#pace.letOut(now);
    const taken = new Map<Counted, number>();
    for (const [counted, bucket] of this.#buckets) taken.set(counted, bucket.take(needOf(demand, counted), now));
    return { at: now, epoch: this.#epoch, window: this.#window.letOut(this.#inFlight), taken, accepted: false };
  }

  /** The provider has taken the attempt on. */
  accepted(ticket: Ticket, headers: Readonly<Record<string, string>> | undefined, now: number): void {
    ticket.accepted = true;
    this.#accepted++;
    if (ticket.epoch === this.#epoch) this.#inVain = 0;
    this.#window.accepted(ticket.window, this.#accepted, now);
    for (const limit of rateLimits(headers)) {
      const bucket = this.#buckets.get(limit.counts) ?? new TokenBucket(limit.limit, now);
      bucket.learn(limit, ticket.taken.get(limit.counts) ?? 0, now);
      this.#buckets.set(limit.counts, bucket);
    }
  }

  /**
   * The provider has sent the attempt back: the lane closes for a while. Those that were let out together are throttled together: they
   * close it once, for as long as the longest of them was told.
   *
   * @param retryAfterMs how long the provider asks to wait
   */
  throttled({ at, epoch, window }: Ticket, retryAfterMs: number | undefined, now: number): void {
    const isNews = epoch === this.#epoch;
    const pauseMs = Math.max(retryAfterMs ?? 0, isNews ? this.#ownPause(retryAfterMs) : 0);
    this.#closedUntil = Math.max(this.#closedUntil, now + pauseMs);
    this.#pace.sentBack(at);
    if (isNews && this.#pace.explains(at)) {
      this.#window.gaveUp(window);
      this.#pace.slowDown(at, now);
    } else if (this.#window.throttled(window, isNews, this.#accepted, pauseMs, now)) this.#pace.slowDown(at, now);
    if (!isNews) return;
    this.#epoch++;
    this.#inVain++;
  }

  /** How long it closes at least. A provider that asks for a moment is believed, but it is not asked again and again where that is in vain. */
  #ownPause(retryAfterMs = 0): number {
    const isTold = retryAfterMs > 0;
    if (isTold && this.#inVain === 0) return 0;
    const first = isTold ? shortPauseMs / 2 : this.#accepted > 0 ? shortPauseMs : firstPauseMs;
    return Math.min(longestPauseMs, first * 2 ** this.#inVain) * (0.5 + this.#random() / 2);
  }

  /** The attempt is over. */
  ended(ticket: Ticket): void {
    this.#inFlight--;
    if (ticket.accepted) this.#accepted--;
    else this.#window.gaveUp(ticket.window);
  }

  isIdle(now: number): boolean {
    return this.#inFlight === 0 && this.waiting === 0 && this.#closedUntil <= now;
  }
}

/** Output counts when it is there, not when it is asked for; where all tokens are counted together, what is asked for counts. */
function needOf({ inputTokens, outputTokens }: Demand, counted: Counted): number {
  switch (counted) {
    case "requests":
    case "outputTokens":
      return 1;
    case "inputTokens":
      return inputTokens;
    case "tokens":
      return inputTokens + outputTokens;
  }
}
