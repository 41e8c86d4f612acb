import { DivvyError } from "../../src/errors.ts";
import type { Fact } from "../../src/events.ts";
import { isRecord, type Json } from "../../src/json.ts";
import type { Ledger, Lease, LedgerBatch, RunRecord } from "../../src/ledger/ledger.ts";
import { chance, type Chance } from "./chance.ts";
import type { Mortal, Timeline } from "./timeline.ts";

/** A fact that is in a log, and who wrote it. */
export interface Kept {
  readonly fact: Fact;
  readonly pid: number;
}

/** A paid call that is in the ledger. */
export interface PaidCall {
  readonly scope: string;
  readonly key: string;
  /** Its number, as the double counts; 0 where the answer does not say. */
  readonly n: number;
  readonly text: string;
  /** It was on its way when its process died or was taken over; others may have been about to make the same call. */
  readonly isLate: boolean;
  /** How many calls had left when it was written. */
  readonly begunBefore: number;
}

export interface StoreManners {
  /** How long it takes to answer, in milliseconds, at most. */
  readonly ledgerMs: number;
  readonly ledgerBusy: number;
  readonly ledgerFailsAt: number | undefined;
}

/** What a process may ask of the ledger. */
export type Ask = "commit" | "readCall" | "readFacts" | "readRun" | "readLease" | "takeLease" | "renewLease" | "releaseLease" | "readPlans" | "keepPlan";

/** Something that a process asks: its n-th thing of all, and the nth of its sort, from 1. */
export interface Asking {
  readonly what: Ask;
  readonly n: number;
  readonly nth: number;
}

/** Called around each thing that a process asks of the ledger; where it kills the process, what follows does not happen. */
export type OnAsk = (asking: Asking, moment: "before" | "after") => void;

/** Makes of a sound ledger one that breaks its word, to see that somebody notices. */
export type StoreBreaker = (ledger: Ledger, process: Mortal) => Ledger;

/** The one ledger of all processes of a simulation, and what each of them has written to it. */
export class Store {
  /** By run. */
  readonly logs: Map<string, Kept[]> = new Map<string, Kept[]>();
  /** By scope and key. */
  readonly paid: Map<string, PaidCall> = new Map<string, PaidCall>();
  /** What was answered to the calls whose answers were written, by their number; also of those that came second. */
  readonly answers: Map<number, string> = new Map<number, string>();
  /** Calls that were written again, though they were there when they began. */
  readonly paidAgain: { readonly n: number; readonly kept: number }[] = [];
  /** How often code was run, by the id and the description of its subtask. */
  readonly codeRuns: Map<string, number> = new Map<string, number>();
  readonly #open: () => Ledger;
  readonly #timeline: Timeline;
  readonly #seed: number;
  readonly #break: StoreBreaker;
  readonly #onFact: (kept: Kept) => void;
  /** What went wrong with it: what the coverage of a simulation counts. */
  readonly incidents: Set<string> = new Set<string>();
  /** Calls that have left. */
  begun = 0;

  /** @param open opens the ledger once more */
  constructor(
    open: () => Ledger,
    timeline: Timeline,
    { seed, breakStore = (ledger) => ledger }: { readonly seed: number; readonly breakStore: StoreBreaker | undefined },
    onFact: (kept: Kept) => void,
  ) {
    this.#open = open;
    this.#timeline = timeline;
    this.#seed = seed;
    this.#break = breakStore;
    this.#onFact = onFact;
  }

  factsOf(runId: string): Fact[] {
    return (this.logs.get(runId) ?? []).map(({ fact }) => fact);
  }

  async readRun(runId: string): Promise<RunRecord | undefined> {
    return await this.#open().readRun(runId);
  }

  async readLease(runId: string): Promise<Lease | undefined> {
    return await this.#open().readLease(runId);
  }

  /** The ledger as a process sees it. What a dead one asks for is neither done nor answered; but what was on its way may arrive. */
  viewOf(process: Mortal, { ledgerMs, ledgerBusy, ledgerFailsAt = Number.POSITIVE_INFINITY }: StoreManners, onAsk: OnAsk): Ledger {
    const inner = this.#break(this.#open(), process);
    const timeline = this.#timeline;
    const draw = chance(this.#seed, `ledger of ${process.pid}`);
    let asks = 0;
    const asksOf = new Map<Ask, number>();
    const never = new Promise<never>(() => undefined);

    const ask = async <T>(what: Ask, work: (nth: number) => Promise<T>): Promise<T> => {
      const nth = (asksOf.get(what) ?? 0) + 1;
      asksOf.set(what, nth);
      const asking: Asking = { what, n: ++asks, nth };
      timeline.touch(process);
      if (process.isDead) return await never;
      await this.#travel(ledgerMs, draw);
      // Of what a process that died has sent, some arrives.
      const isLate = process.isDead;
      if (isLate && draw.happens(0.5)) return await never;
      if (!isLate) onAsk(asking, "before");
      if (process.isDead && !isLate) return await never;
      const done = await settled(draw.happens(ledgerBusy) ? Promise.reject(this.#trouble("ledger_busy", "Busy.")) : work(nth));
      if (!process.isDead) onAsk(asking, "after");
      await this.#travel(ledgerMs, draw);
      if (process.isDead) return await never;
      while (process.frozenUntil > timeline.now) await new Promise<void>((go) => timeline.after(process.frozenUntil - timeline.now, go));
      if (process.isDead) return await never;
      if ("error" in done) throw done.error;
      return done.value;
    };
    return {
      ...inner,
      commit: (batch) =>
        ask("commit", async (nth) => {
          if (nth >= ledgerFailsAt) throw this.#trouble("ledger_failed", "The disk is full.");
          const report = await inner.commit(batch);
          this.#written(batch, report.fenced, process);
          return report;
        }),
      readCall: (scope, key) => ask("readCall", () => inner.readCall(scope, key)),
      readFacts: (runId) => ask("readFacts", () => inner.readFacts(runId)),
      readRun: (runId) => ask("readRun", () => inner.readRun(runId)),
      readLease: (runId) => ask("readLease", () => inner.readLease(runId)),
      takeLease: (runId, lease) => ask("takeLease", () => inner.takeLease(runId, lease)),
      readPlans: (group) => ask("readPlans", () => inner.readPlans(group)),
      keepPlan: (plan) => ask("keepPlan", () => inner.keepPlan(plan)),
      renewLease: (runId, epoch, expiresAt) => ask(expiresAt === 0 ? "releaseLease" : "renewLease", () => inner.renewLease(runId, epoch, expiresAt)),
    };
  }

  #trouble(code: "ledger_busy" | "ledger_failed", message: string): DivvyError {
    this.incidents.add(code === "ledger_busy" ? "ledger: busy" : "ledger: failed");
    return new DivvyError(code, message);
  }

  async #travel(atMost: number, { random }: Chance): Promise<void> {
    if (atMost > 0) await new Promise<void>((arrive) => this.#timeline.after(random() * atMost, arrive));
  }

  #written({ runs, calls }: LedgerBatch, fenced: readonly string[], { pid, isGone: isLate }: Mortal): void {
    for (const { runId, facts } of runs) {
      if (fenced.includes(runId)) continue;
      const log = this.logs.get(runId) ?? [];
      this.logs.set(runId, log);
      for (const fact of facts) {
        const kept = { fact, pid };
        log.push(kept);
        this.#onFact(kept);
      }
    }
    for (const { scope, key, answer } of calls) {
      const name = `${scope} ${key}`;
      const text = textIn(answer);
      const n = Number(/#(\d+)#/.exec(text)?.[1] ?? 0);
      this.answers.set(n, text);
      const before = this.paid.get(name);
      if (before === undefined) this.paid.set(name, { scope, key, n, text, isLate, begunBefore: this.begun });
      else if (n > before.begunBefore && !before.isLate) this.paidAgain.push({ n, kept: before.n });
    }
  }
}

function textIn(answer: Json): string {
  const content = isRecord(answer) && Array.isArray(answer["content"]) ? answer["content"] : [];
  return content.map((part) => (isRecord(part) && part["type"] === "text" ? String(part["text"]) : "")).join("");
}

async function settled<T>(work: Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await work };
  } catch (error) {
    return { error };
  }
}
