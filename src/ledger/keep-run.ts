import { DivvyError } from "../errors.ts";
import type { Fact } from "../events.ts";
import type { FactLog } from "../fact-log.ts";
import type { Clock } from "../runtime.ts";
import { type HeldRun, holdRun, type Identity } from "./lease-keeper.ts";
import type { Ledger } from "./ledger.ts";
import { writerOf } from "./ledger-writer.ts";
import { patiently } from "./patience.ts";
import { RunLog } from "./run-log.ts";
import { newRecord, recordAfter } from "./run-record.ts";

export interface RunKeeper {
  readonly ledger: Ledger;
  readonly identity: Identity;
  readonly clock: Clock;
}

/** A run that this process owns, before anything is written of it. */
export interface OwnedRun {
  /** What its log holds; nobody else adds to it. */
  readonly past: readonly Fact[];
  /** Writes on. Call once. */
  open(onBroken: (error: DivvyError) => void): FactLog;
  /** Gives it back unwritten. Never rejects. */
  release(): Promise<void>;
}

/** Takes a run on, a new one or one that another process left. Rejects with `run_held` where its owner lives. */
export async function ownRun({ ledger, identity, clock }: RunKeeper, runId: string): Promise<OwnedRun> {
  // It may be lost before anybody listens.
  let lost: DivvyError | undefined;
  let tell: ((error: DivvyError) => void) | undefined;
  const held: HeldRun = await holdRun(ledger, runId, identity, clock, () => {
    lost = takenOver(runId);
    tell?.(lost);
  });
  const past = await readOrRelease(ledger, runId, held, clock);
  return {
    past,
    release: () => held.release(),
    open: (onBroken) => {
      let record = past.reduce(recordAfter, newRecord(runId));
      const log = new RunLog(record, held.epoch, writerOf(ledger, clock), onBroken);
      tell = onBroken;
      if (lost !== undefined) onBroken(lost);
      return {
        append: (fact) => {
          record = recordAfter(record, fact);
          log.append(fact, record);
        },
        committed: async () => {
          await log.committed();
          if (!(await held.isOurs())) throw takenOver(runId);
        },
        close: () => held.release(),
      };
    },
  };
}

async function readOrRelease(ledger: Ledger, runId: string, held: HeldRun, clock: Clock): Promise<readonly Fact[]> {
  // The first of its epoch has nothing to read.
  if (held.epoch === 1) return [];
  try {
    return await patiently(clock, () => ledger.readFacts(runId));
  } catch (thrown) {
    await held.release();
    throw thrown;
  }
}

function takenOver(runId: string): DivvyError {
  return new DivvyError("run_taken_over", `Another process has taken over the run ${runId}.`);
}
