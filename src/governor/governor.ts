import type { Rank } from "../calls/call.ts";
import type { Claim } from "../calls/run-budget.ts";
import type { RunScope } from "../calls/run-scope.ts";
import type { DivvyError } from "../errors.ts";
import type { Demand } from "./lane.ts";

/** What an attempt brings when it asks to be let out. */
export interface Admission {
  /** What shares one rate limit. */
  readonly lane: string;
  /** What shares one spending cap and one key: all its lanes end with it. */
  readonly credential: string;
  /** Calls the lane's server can carry out at once, where it has such a bound. */
  readonly maxConcurrency: number | undefined;
  readonly run: RunScope;
  readonly rank: Rank;
  /** When this try of the call first asked: it keeps its place when it is sent back. A further try, of a call that failed, asks as of then. */
  readonly since: number;
  readonly signal: AbortSignal;
  /** When it gives up waiting, in epoch milliseconds. May move while it waits. */
  readonly until: number;
  /** What it takes of the provider's limits. */
  readonly demand: Demand;
  /** What it takes of its run's budget; nothing where there is none. */
  readonly claim?: Claim;
  /** What the start of its prompt goes by, where the provider caches that and it is worth waiting for. */
  readonly prefix?: string | undefined;
  /** For messages. */
  readonly model: string;
}

/** A slot. Give it back exactly once: with `release`, `throttled` or `refused`. */
export interface Permit {
  /** The provider has taken the request on. @param headers of its answer, which may tell limits */
  accepted(headers: Readonly<Record<string, string>> | undefined): void;
  /** The model has read the prompt: the provider has its start in its cache. */
  began(): void;
  release(): void;
  /**
   * The provider sent the attempt back. Closes the lane for a while.
   *
   * @param retryAfterMs how long the provider asks to wait
   * @param settle is told when the lane opens again, in epoch milliseconds, before the slot is anybody else's
   * @returns the same
   */
  throttled(retryAfterMs: number | undefined, settle?: (reopensAt: number) => void): number;
  /** The provider takes nothing more under this credential: of the runs that are there, nobody who waits need ask. */
  refused(error: DivvyError): void;
}

/** Decides when an attempt may start. Runs that share a lane, and so its limits, are to share one. */
export interface Governor {
  /**
   * Resolves when the attempt may start. Rejects with `admission_timeout`, at once where it is known that it will wait too long; with
   * the claim's error; with what its credential was refused with; or with the signal's reason.
   */
  admit(admission: Admission): Promise<Permit>;
}
