import type { DivvyError } from "../errors.ts";
import type { Fact } from "../events.ts";
import type { RunRecord, RunWrites } from "./ledger.ts";
import type { LedgerWriter } from "./ledger-writer.ts";

/** The log of one run, as the process that owns the run writes it. */
export class RunLog {
  readonly #runId: string;
  readonly #epoch: number;
  readonly #writer: LedgerWriter;
  readonly #onBroken: (error: DivvyError) => void;
  /** What this tick has added and no write has taken along. */
  #facts: Fact[] = [];
  #record: RunRecord;
  #committed: Promise<void> = Promise.resolve();
  #broken: DivvyError | undefined;

  /** @param onBroken called once, when something could not be written: the run must stop, for nothing after it is kept */
  constructor(record: RunRecord, epoch: number, writer: LedgerWriter, onBroken: (error: DivvyError) => void) {
    this.#runId = record.runId;
    this.#record = record;
    this.#epoch = epoch;
    this.#writer = writer;
    this.#onBroken = onBroken;
  }

  append(fact: Fact, record: RunRecord): void {
    this.#record = record;
    if (this.#broken !== undefined) return;
    this.#facts.push(fact);
    if (this.#facts.length > 1) return;
    const done = Promise.withResolvers<void>();
    this.#committed = done.promise;
    // Whoever does not wait for it hears of it by `onBroken`.
    done.promise.catch(() => undefined);
    this.#writer.writeRun({
      runId: this.#runId,
      take: () => this.#take(),
      end: (error) => {
        if (error !== undefined) this.#break(error);
        if (this.#broken === undefined) done.resolve();
        else done.reject(this.#broken);
      },
    });
  }

  /** Resolves when all that was added is committed; rejects with the `DivvyError` that broke the log. */
  committed(): Promise<void> {
    return this.#committed;
  }

  #break(error: DivvyError): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    this.#onBroken(error);
  }

  /** A log has no holes: after a write that failed there is no other. */
  #take(): RunWrites | undefined {
    const facts = this.#facts;
    this.#facts = [];
    if (this.#broken !== undefined) return undefined;
    return { runId: this.#runId, epoch: this.#epoch, facts, record: this.#record };
  }
}
