import type { DivvyError } from "./errors.ts";
import type { Fact } from "./events.ts";

/** Where the facts of one run are kept while it is carried out. */
export interface FactLog {
  /** Must not throw. */
  append(fact: Fact): void;
  /** Resolves when all that was appended survives a crash; rejects with the `DivvyError` that keeps it from it. */
  committed(): Promise<void>;
  /** Gives the run back while somebody is waited for: what is appended until it is taken on again is lost. Never rejects. */
  rest(): Promise<void>;
  /**
   * Takes it on again. Rejects with a `DivvyError` where that may not be: `run_held`; `run_taken_over` where another process has
   * gone on with it meanwhile; `run_not_found` where it was removed. Then it stays given back.
   */
  takeOn(): Promise<void>;
  /** The run is over, here: another process may take it on. Never rejects. */
  close(): Promise<void>;
}

/**
 * Opens the log of a run that is carried out here from now on. Rejects with a `DivvyError` where that may not be.
 *
 * @param onBroken called once, when nothing more can be kept: the run must stop
 */
export type OpenLog = (onBroken: (error: DivvyError) => void) => Promise<FactLog>;
