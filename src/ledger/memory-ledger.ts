import { DivvyError } from "../errors.ts";
import type { Fact } from "../events.ts";
import type { Json } from "../json.ts";
import { aCount } from "../option-rules.ts";
import { type Ledger, type Lease, type LedgerBatch, plansOfGroup, type PlanVector, type RunRecord, type RunWrites } from "./ledger.ts";
import { checkRising } from "./rising-facts.ts";

export interface MemoryLedgerOptions {
  /**
   * Runs that are kept besides those which somebody carries out now: those last taken on, and as many that wait for approval. A whole
   * number from 0 to `Number.MAX_SAFE_INTEGER`.
   *
   * @default 100
   */
  readonly runs?: number | undefined;
  /** Calls that are kept of all shared caches, the newest: a whole number from 0 to `Number.MAX_SAFE_INTEGER`. @default 10000 */
  readonly sharedCalls?: number | undefined;
}

/** What is kept under a run's id. */
interface KeptRun {
  record: RunRecord | undefined;
  lease: Lease | undefined;
  plan: PlanVector | undefined;
  /** Nothing has been written under the lease yet. */
  isNew: boolean;
  readonly facts: Fact[];
  readonly calls: Map<string, Json>;
}

/**
 * Keeps everything in this process, within bounds: runs can be resumed as long as it lives.
 *
 * @throws DivvyError `invalid_option` where a bound is none
 */
export function memoryLedger({ runs: maxRuns = 100, sharedCalls: maxCalls = 10_000 }: MemoryLedgerOptions = {}): Ledger {
  aCount(maxRuns, "memoryLedger.runs");
  aCount(maxCalls, "memoryLedger.sharedCalls");
  /** In the order in which they were last taken on. */
  const runs = new Map<string, KeptRun>();
  const sharedCalls = new Map<string, Json>();
  let closed = false;

  const forgetOldRuns = (): void => {
    if (runs.size <= maxRuns) return;
    const still = [...runs].filter(([, kept]) => !isCarriedOut(kept));
    const { true: waiting = [], false: others = [] } = Object.groupBy(still, ([, { record }]) => (record?.status === "waiting" ? "true" : "false"));
    for (const kind of [waiting, others]) for (const [runId] of kind.slice(0, Math.max(0, kind.length - maxRuns))) runs.delete(runId);
  };
  const commit = (batch: LedgerBatch): string[] => {
    const fenced: string[] = [];
    const held: { readonly kept: KeptRun; readonly writes: RunWrites }[] = [];
    for (const writes of batch.runs) {
      const kept = runs.get(writes.runId);
      if (kept?.lease?.epoch === writes.epoch) held.push({ kept, writes });
      else fenced.push(writes.runId);
    }
    for (const { kept, writes } of held) checkRising(writes, kept.facts.at(-1)?.seq ?? -1);
    for (const { kept, writes } of held) {
      const { facts, record } = writes;
      for (const fact of facts) kept.facts.push(fact);
      kept.record = record;
      kept.isNew = false;
    }
    for (const { scope, key, answer } of batch.calls) {
      if (scope.startsWith("shared:")) keepFirst(sharedCalls, sharedKey(scope, key), answer);
      else {
        const run = runs.get(scope);
        if (run !== undefined) keepFirst(run.calls, key, answer);
      }
    }
    for (const key of sharedCalls.keys()) {
      if (sharedCalls.size <= maxCalls) break;
      sharedCalls.delete(key);
    }
    // A run that ended well is asked for its outcome alone.
    for (const { kept } of held) if (kept.record?.status === "ok") kept.calls.clear();
    // While all of them go on, there is none more to forget than before.
    if (held.some(({ kept }) => kept.record?.status !== "running")) forgetOldRuns();
    return fenced;
  };
  const at = async <T>(work: () => T): Promise<T> => {
    if (closed) throw new DivvyError("ledger_failed", "The ledger is closed.");
    return work();
  };

  return {
    commit: (batch) => at(() => ({ fenced: commit(batch) })),
    readCall: (scope, key) => at(() => (scope.startsWith("shared:") ? sharedCalls.get(sharedKey(scope, key)) : runs.get(scope)?.calls.get(key))),
    readFacts: (runId) => at(() => [...(runs.get(runId)?.facts ?? [])]),
    readRun: (runId) => at(() => runs.get(runId)?.record),
    listRuns: ({ limit = 100, updatedBefore = Number.POSITIVE_INFINITY, idPrefix = "" } = {}) =>
      at(() => {
        aCount(limit, "listRuns.limit");
        return [...runs.values()]
          .flatMap(({ record }) => record ?? [])
          .filter(({ runId, updatedAt }) => updatedAt < updatedBefore && runId.startsWith(idPrefix))
          .sort((a, b) => b.startedAt - a.startedAt || (a.runId < b.runId ? 1 : -1))
          .slice(0, limit);
      }),
    removeRun: (runId, epoch) =>
      at(() => {
        if ((runs.get(runId)?.lease?.epoch ?? 0) !== epoch) return false;
        runs.delete(runId);
        return true;
      }),
    readLease: (runId) => at(() => runs.get(runId)?.lease),
    takeLease: (runId, lease) =>
      at(() => {
        const kept = runs.get(runId) ?? newRun();
        if ((kept.lease?.epoch ?? 0) !== lease.epoch - 1) return false;
        kept.lease = lease;
        kept.isNew = true;
        // To the end of the order.
        runs.delete(runId);
        runs.set(runId, kept);
        return true;
      }),
    renewLease: (runId, epoch, expiresAt) =>
      at(() => {
        const kept = runs.get(runId);
        if (kept?.lease?.epoch !== epoch) return false;
        kept.lease = { ...kept.lease, expiresAt };
        return true;
      }),
    keepPlan: (plan) =>
      at(() => {
        const kept = runs.get(plan.runId);
        if (kept?.lease !== undefined) kept.plan = { ...plan, vector: plan.vector.slice() };
      }),
    readPlans: (group) =>
      at(() =>
        [...runs.values()]
          .flatMap(({ plan }) => (plan?.group === group ? plan : []))
          .sort((a, b) => b.keptAt - a.keptAt || (a.runId < b.runId ? 1 : -1))
          .slice(0, plansOfGroup),
      ),
    close: async () => {
      closed = true;
      runs.clear();
      sharedCalls.clear();
    },
  };
}

function newRun(): KeptRun {
  return { record: undefined, lease: undefined, plan: undefined, isNew: false, facts: [], calls: new Map() };
}

function isCarriedOut({ lease, isNew, record }: KeptRun): boolean {
  return lease !== undefined && lease.expiresAt !== 0 && (isNew || record?.status === "running");
}

function keepFirst(calls: Map<string, Json>, key: string, answer: Json): void {
  if (!calls.has(key)) calls.set(key, answer);
}

function sharedKey(scope: string, key: string): string {
  return `${scope}\n${key}`;
}
