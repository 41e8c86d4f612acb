import type { Fact } from "../events.ts";
import type { Json } from "../json.ts";
import type { Outcome } from "../outcome.ts";

/**
 * Keeps what must outlive a process: run logs, paid calls, and who owns a running run. Any store that can write a batch whole
 * or not at all will do; the conformance suite in `divvy/testing` says what it must keep to.
 *
 * Every method rejects with a `DivvyError`: `ledger_busy` where trying again may help, else `ledger_failed` or `ledger_version`.
 * What was written and can no longer be read is damage, and rejects too: nothing is left out in silence.
 */
export interface Ledger {
  /**
   * Writes a batch, all of it or nothing; what it resolved for survives a crash. Only the facts of a run whose lease has another
   * epoch than the batch says are left out, and its record, with the run named in the report. A call of a run that has no lease is
   * left out too: the run is not known, or is forgotten, and nobody would ask for it.
   */
  commit(batch: LedgerBatch): Promise<CommitReport>;
  /** An answer that was paid for. */
  readCall(scope: string, key: string): Promise<Json | undefined>;
  /** A run's facts in the order of `seq`; empty where it is not known. */
  readFacts(runId: string): Promise<readonly Fact[]>;
  readRun(runId: string): Promise<RunRecord | undefined>;
  /** Newest first; of runs that started together, the one whose id sorts last. Rejects with `invalid_option` where the query is none. */
  listRuns(query?: RunQuery): Promise<readonly RunRecord[]>;
  /**
   * Forgets a run, its facts, its lease, its plan's vector and the calls recorded for it alone, if its lease is of this epoch (0 where it has none): so
   * whoever removes a run has looked at its last owner. Says whether. The run is there whole, or gone.
   */
  removeRun(runId: string, epoch: number): Promise<boolean>;
  readLease(runId: string): Promise<Lease | undefined>;
  /**
   * Makes `lease` the run's, if the one that it has is of the epoch before (or it has none, and `lease.epoch` is 1). Says whether.
   * Leases that ended a day before this one will, and under which no run was ever written, may be forgotten.
   */
  takeLease(runId: string, lease: Lease): Promise<boolean>;
  /** Moves the end of a lease that is still of this epoch. Says whether. */
  renewLease(runId: string, epoch: number, expiresAt: number): Promise<boolean>;
  /** Keeps by what a run's plan is found again; of a run that has no lease nothing is kept. Of a group the 500 newest stay at least. */
  keepPlan(plan: PlanVector): Promise<void>;
  /** The plans of a group, newest first: at most 500. */
  readPlans(group: string): Promise<readonly PlanVector[]>;
  /** Ends all use of the store: every other method rejects from now on. What was committed stays. Closing it again does nothing. */
  close(): Promise<void>;
}

/** By what the plan of a run is found again for a request like its own; plan and request stand in the run's log. */
export interface PlanVector {
  readonly runId: string;
  /** Plans of one group were asked for in the same way, and their vectors are of one model. Kept under another group before, a run's moves. */
  readonly group: string;
  /** Milliseconds since the Unix epoch. */
  readonly keptAt: number;
  /** The request's vector. */
  readonly vector: Float32Array;
}

/** Plans that are kept of a group. */
export const plansOfGroup = 500;

/** What is written together. */
export interface LedgerBatch {
  /** Each run at most once. */
  readonly runs: readonly RunWrites[];
  readonly calls: readonly CallWrite[];
}

/** More of one run's log. */
export interface RunWrites {
  readonly runId: string;
  /** Of the lease under which this is written. */
  readonly epoch: number;
  /** In the order of `seq`, each above all that the log holds; a batch that breaks this is refused whole. */
  readonly facts: readonly Fact[];
  /** Replaces the record. */
  readonly record: RunRecord;
}

export interface CallWrite {
  /** A run's id, or the name of a shared cache after `shared:`, which needs no run. */
  readonly scope: string;
  readonly key: string;
  /** Where the same call was written before, that answer stays. */
  readonly answer: Json;
}

export interface CommitReport {
  /** Ids of runs that another process has taken over. */
  readonly fenced: readonly string[];
}

/** A run in one line. */
export interface RunRecord {
  readonly runId: string;
  /** Its first 200 characters. */
  readonly task: string;
  /**
   * `running` until the run has ended; also where its process died. `waiting` while somebody is asked whether its plan may be carried
   * out: nobody has its lease then.
   */
  readonly status: "running" | "waiting" | Outcome["status"];
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** Of the last fact, in milliseconds since the Unix epoch. */
  readonly updatedAt: number;
  readonly calls: number;
  readonly tokens: number;
  /** US dollars; absent where a price is not known. */
  readonly cost?: number;
}

export interface RunQuery {
  /** How many at most: a whole number from 0 to `Number.MAX_SAFE_INTEGER`. @default 100 */
  readonly limit?: number;
  /** Only runs whose last fact is older, in milliseconds since the Unix epoch. */
  readonly updatedBefore?: number;
  /** Only runs whose id begins with this, to the letter. */
  readonly idPrefix?: string;
}

/** Who carries a run out. A process that lost its lease writes no more facts. */
export interface Lease {
  /** 1 for the first; each that takes the run over raises it by one. */
  readonly epoch: number;
  readonly owner: LeaseOwner;
  /** Milliseconds since the Unix epoch; 0 where it was given back. */
  readonly expiresAt: number;
}

/** A process, well enough described to tell on its own host whether it is dead. */
export interface LeaseOwner {
  readonly pid: number;
  readonly host: string;
  /** Names the machine (`-` where that is not known), its boot and the process's number space; empty where the system tells too little. */
  readonly space: string;
  /** When the process started, in the system's own unit; empty where it does not tell. */
  readonly startTime: string;
}
