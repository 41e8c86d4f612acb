import type { Fact } from "../events.ts";
import type { Ledger, LeaseOwner, Lease, LedgerBatch, RunRecord, RunWrites } from "./ledger.ts";

/** Small facts, records and leases, for tests of the ledger. */

export const someone: LeaseOwner = { pid: 7, host: "somewhere", space: "boot pid:[1]", startTime: "1" };

export function factOf(runId: string, seq: number, analysis = "text"): Fact {
  return { type: "plan.answered", analysis, seq, at: 1_000 + seq, runId };
}

export function recordOf(runId: string, more: Partial<RunRecord> = {}): RunRecord {
  return { runId, task: "Do it.", status: "running", startedAt: 1_000, updatedAt: 1_000, calls: 0, tokens: 0, ...more };
}

export function writesOf(runId: string, seqs: readonly number[], { epoch = 1, ...more }: Partial<RunRecord> & { readonly epoch?: number } = {}): RunWrites {
  return { runId, epoch, facts: seqs.map((seq) => factOf(runId, seq)), record: recordOf(runId, more) };
}

export function leaseOf(epoch: number, expiresAt = 9_000): Lease {
  return { epoch, owner: someone, expiresAt };
}

export function batchOf(runs: readonly RunWrites[], calls: LedgerBatch["calls"] = []): LedgerBatch {
  return { runs, calls };
}

export async function seqsOf(ledger: Ledger, runId: string): Promise<number[]> {
  return (await ledger.readFacts(runId)).map(({ seq }) => seq);
}

/**
 * Every kind of write, to a ledger with a run "r" under its first lease. In this order each finds what it needs.
 *
 * @param seq where the run's log goes on
 */
export const writesOfEachKind: Readonly<Record<string, (ledger: Ledger, seq: number) => Promise<unknown>>> = {
  facts: (ledger, seq) => ledger.commit(batchOf([writesOf("r", [seq])])),
  "a call": (ledger) => ledger.commit(batchOf([], [{ scope: "r", key: "new", answer: "paid" }])),
  "a renewal": (ledger) => ledger.renewLease("r", 1, 20_000),
  "a takeover": (ledger) => ledger.takeLease("r", leaseOf(2)),
  "a first lease": (ledger) => ledger.takeLease("new", leaseOf(1)),
  "a removal": async (ledger) => await ledger.removeRun("r", (await ledger.readLease("r"))?.epoch ?? 0),
};
