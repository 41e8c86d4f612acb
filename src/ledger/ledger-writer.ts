import { DivvyError, toDivvyError } from "../errors.ts";
import { isRecord } from "../json.ts";
import type { Clock } from "../runtime.ts";
import type { CallWrite, CommitReport, Ledger, LedgerBatch, RunWrites } from "./ledger.ts";
import { patiently } from "./patience.ts";

/** Writes to a ledger; what several writers of one process want in one tick is written in one transaction. */
export interface LedgerWriter {
  writeRun(entry: RunEntry): void;
  /** Resolves when it is committed. Rejects with the store's `DivvyError`. */
  writeCall(write: CallWrite): Promise<void>;
}

export interface RunEntry {
  readonly runId: string;
  /** Asked for what to write at the last moment, so that the facts of one tick make one write; nothing, to write nothing. */
  readonly take: () => RunWrites | undefined;
  /** Told when it is committed, or why it is not, before the next is asked: the store's error, or `run_taken_over`. Must not throw. */
  readonly end: (error?: DivvyError) => void;
}

/** What one writer wants written. */
interface Part {
  readonly writes: LedgerBatch;
  readonly end: (error?: DivvyError) => void;
}

const writers = new WeakMap<Ledger, LedgerWriter>();

/** The one writer that a ledger has in this process. */
export function writerOf(ledger: Ledger, clock: Clock): LedgerWriter {
  const known = writers.get(ledger);
  if (known !== undefined) return known;
  const writer = ledgerWriter(ledger, clock);
  writers.set(ledger, writer);
  return writer;
}

function ledgerWriter(ledger: Ledger, clock: Clock): LedgerWriter {
  let runs: RunEntry[] = [];
  let calls: Part[] = [];
  let flushing = false;

  const takeAll = (): Part[] => {
    const [entries, answers] = [runs, calls];
    [runs, calls] = [[], []];
    const logs = new Map<string, Part>();
    for (const entry of entries) {
      // A report names runs: of two logs of one run, one under a lease that is lost, the second waits for the next batch.
      if (logs.has(entry.runId)) runs.push(entry);
      else {
        const writes = entry.take();
        if (writes === undefined) entry.end();
        else logs.set(entry.runId, { writes: { runs: [writes], calls: [] }, end: entry.end });
      }
    }
    return [...logs.values(), ...answers];
  };
  const flush = async (): Promise<void> => {
    const parts = takeAll();
    if (parts.length > 0) await write(ledger, clock, parts);
    flushing = false;
    if (runs.length > 0 || calls.length > 0) wake();
  };
  const wake = (): void => {
    if (flushing) return;
    flushing = true;
    // Not a microtask, since what happens in one tick happens over many of them; nor a timer, which waits a millisecond and more.
    // oxlint-disable-next-line no-restricted-globals -- no time passes: simulated or not, it is the end of this tick
    setImmediate(() => void flush());
  };

  return {
    writeRun: (entry) => {
      runs.push(entry);
      wake();
    },
    writeCall: (write) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      calls.push({ writes: { runs: [], calls: [write] }, end: (error) => (error === undefined ? resolve() : reject(error)) });
      wake();
      return promise;
    },
  };
}

/** Writes all parts in one batch. Never rejects: each part is told its end. */
async function write(ledger: Ledger, clock: Clock, parts: readonly Part[]): Promise<void> {
  const batch: LedgerBatch = { runs: parts.flatMap(({ writes }) => writes.runs), calls: parts.flatMap(({ writes }) => writes.calls) };
  let report: unknown;
  try {
    report = await patiently(clock, () => ledger.commit(batch));
  } catch (thrown) {
    const error = toDivvyError(thrown);
    if (parts.length === 1 || error.code === "ledger_busy") for (const { end } of parts) end(error);
    // A write that the store cannot take must not end the runs whose writes fell into the same tick.
    else for (const part of parts) await write(ledger, clock, [part]);
    return;
  }
  if (!isReport(report)) {
    const hint = "`commit` resolves to { fenced: [...] }; `ledgerConformance` says what else a store must do.";
    // Nobody knows what is written now, so nothing is written again.
    for (const { end } of parts) end(new DivvyError("ledger_failed", "The ledger gave no report of what it wrote.", { hint }));
    return;
  }
  const { fenced } = report;
  for (const { writes, end } of parts) {
    const lost = writes.runs.find(({ runId }) => fenced.includes(runId));
    end(lost === undefined ? undefined : new DivvyError("run_taken_over", `Another process has taken over the run ${lost.runId}.`));
  }
}

/** A store of somebody else's may resolve to anything. */
function isReport(value: unknown): value is CommitReport {
  return isRecord(value) && Array.isArray(value["fenced"]) && value["fenced"].every((runId) => typeof runId === "string");
}
