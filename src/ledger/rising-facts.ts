import { DivvyError } from "../errors.ts";
import type { RunWrites } from "./ledger.ts";

/**
 * Refuses facts that do not continue the log: they come from somebody who does not know how it ends.
 *
 * @param last the highest `seq` that the log holds
 * @throws DivvyError `ledger_failed`
 */
export function checkRising({ runId, facts }: RunWrites, last: number): void {
  let before = last;
  for (const { seq } of facts) {
    if (!(seq > before)) throw new DivvyError("ledger_failed", `The log of the run ${runId} goes on after fact ${before}; fact ${seq} does not continue it.`);
    before = seq;
  }
}
