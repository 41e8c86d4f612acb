import { DivvyError } from "../errors.ts";
import type { Fact } from "../events.ts";
import type { FactLog } from "../fact-log.ts";
import type { Clock } from "../runtime.ts";
import { type HeldRun, holdRun, type ProcessIdentity } from "./lease-keeper.ts";
import type { Ledger } from "./ledger.ts";
import { writerOf } from "./ledger-writer.ts";
import { patiently } from "./patience.ts";
import { RunLog } from "./run-log.ts";
import { newRecord, recordAfter } from "./run-record.ts";

export interface RunKeeper {
  readonly ledger: Ledger;
  readonly identity: ProcessIdentity;
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

/** A run under one lease. */
type Owned = Omit<OwnedRun, "open"> & { open(onBroken: (error: DivvyError) => void): Omit<FactLog, "rest" | "takeOn"> };

/** Takes a run on, a new one or one that another process left. Rejects with `run_held` where its owner lives. */
export async function ownRun(keeper: RunKeeper, runId: string): Promise<OwnedRun> {
  const owned = await ownOnce(keeper, runId);
  return { ...owned, open: (onBroken) => restingLog(keeper, runId, owned, onBroken) };
}

/** A log that can be given back, and taken on again if nobody else has written in it. */
function restingLog(keeper: RunKeeper, runId: string, owned: Owned, onBroken: (error: DivvyError) => void): FactLog {
  let log: ReturnType<Owned["open"]> | undefined = owned.open(onBroken);
  let last = owned.past.at(-1)?.seq;
  return {
    append: (fact) => {
      if (log === undefined) return;
      last = fact.seq;
      log.append(fact);
    },
    committed: async () => await log?.committed(),
    rest: async () => {
      const held = log;
      log = undefined;
      await held?.close();
    },
    takeOn: async () => {
      const { ledger, clock } = keeper;
      // Before it is taken: who has gone on with it is not to be held up.
      mustEndWith(last, runId, await patiently(clock, () => ledger.readFacts(runId)));
      const again = await ownOnce(keeper, runId);
      try {
        mustEndWith(last, runId, again.past);
      } catch (thrown) {
        await again.release();
        throw thrown;
      }
      log = again.open(onBroken);
    },
    close: async () => await log?.close(),
  };
}

/** @throws DivvyError `run_taken_over` where somebody has written more, `run_not_found` where nothing is there */
function mustEndWith(last: number | undefined, runId: string, facts: readonly Fact[]): void {
  const end = facts.at(-1)?.seq;
  if (end === last) return;
  throw end === undefined ? new DivvyError("run_not_found", `The run ${runId} was removed while it waited.`) : takenOver(runId);
}

async function ownOnce({ ledger, identity, clock }: RunKeeper, runId: string): Promise<Owned> {
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
