import { holderIn, type ProcessIdentity } from "../../ledger/lease-keeper.ts";
import type { Ledger, RunRecord } from "../../ledger/ledger.ts";

/** How a run stands: one that is said to run, and that nobody carries out any more, was interrupted. */
export type ShownStatus = RunRecord["status"] | "interrupted";

/** A run as it is listed. */
export type ListedRun = Omit<RunRecord, "status"> & { readonly status: ShownStatus };

export async function shownStatus(ledger: Ledger, { runId, status }: RunRecord, identity: ProcessIdentity): Promise<ShownStatus> {
  if (status !== "running") return status;
  return holderIn(await ledger.readLease(runId), identity) === undefined ? "interrupted" : "running";
}
