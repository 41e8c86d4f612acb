import type { RunScope } from "../calls/call.ts";

/** What an attempt brings when it asks to be let out. */
export interface Admission {
  /** What shares one rate limit. */
  readonly lane: string;
  /** Calls the lane's server can carry out at once, where it has such a bound. */
  readonly maxConcurrency: number | undefined;
  readonly run: RunScope;
  /** Lower goes first. */
  readonly rank: number;
  /** When the call first asked; keeps its place over requeues. */
  readonly since: number;
  readonly signal: AbortSignal;
  /** How much longer it may wait, in milliseconds. */
  readonly waitMs: number;
  /** For messages. */
  readonly model: string;
}

/** A slot. Give it back exactly once: with `release`, or with `throttled`. */
export interface Permit {
  /** The provider has taken the request on. */
  accepted(): void;
  release(): void;
  /**
   * The provider sent the attempt back. Closes the lane for a while.
   *
   * @param retryAfterMs how long the provider asks to wait
   * @returns when the lane opens again, in epoch milliseconds
   */
  throttled(retryAfterMs: number | undefined): number;
}

/** Decides when an attempt may start. One for all runs of a process. */
export interface Governor {
  /** Resolves when the attempt may start. Rejects with `admission_timeout`, or with the signal's reason. */
  admit(admission: Admission): Promise<Permit>;
}
