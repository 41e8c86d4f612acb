import type { DatabaseSync } from "node:sqlite";
import { DivvyError } from "../errors.ts";
import { aCount } from "../option-rules.ts";
import { type Ledger, type Lease, type LedgerBatch, plansOfGroup, type PlanVector } from "./ledger.ts";
import { checkRising } from "./rising-facts.ts";
import { sqliteError } from "./sqlite-error.ts";
import { openLedgerFile } from "./sqlite-file.ts";
import { rowReader } from "./sqlite-rows.ts";
import { inTransaction } from "./sqlite-transaction.ts";

/** How long a lease is kept under which nothing was written, in milliseconds after its end: its process died before its run began. */
const idleMs = 86_400_000;
/** No id goes on with it. */
const lastCharacter = "\u{10FFFF}";

/**
 * Keeps runs and paid calls in one SQLite file (`node:sqlite`), which many processes may use at once. What a commit resolved for
 * survives the death of the process and of the machine (WAL, `synchronous = FULL`). The file is made where it is not there, for
 * its owner alone.
 *
 * @throws DivvyError `ledger_failed` where the file cannot be opened; `ledger_version` where it is another program's or a newer
 * version's; `ledger_busy` where another process holds it
 */
export function sqliteLedger(path: string): Ledger {
  const db = guarded(path, () => openLedgerFile(path));
  try {
    return guarded(path, () => ledgerOn(db, path));
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** The ledger on an open file, which it closes in the end. */
export function ledgerOn(db: DatabaseSync, path: string): Ledger {
  const sql = {
    end: db.prepare("SELECT epoch, begun, (SELECT max(seq) FROM facts WHERE run_id = leases.run_id) AS last FROM leases WHERE run_id = ?"),
    begin: db.prepare("UPDATE leases SET begun = 1 WHERE run_id = ?"),
    addFact: db.prepare("INSERT INTO facts (run_id, seq, fact) VALUES (?, ?, ?)"),
    putRun: db.prepare(`INSERT INTO runs (run_id, started_at, updated_at, record) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET started_at = excluded.started_at, updated_at = excluded.updated_at, record = excluded.record`),
    addCall: db.prepare("INSERT INTO calls (scope, key, answer) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"),
    isLeased: db.prepare("SELECT 1 FROM leases WHERE run_id = ?"),
    call: db.prepare("SELECT scope, answer FROM calls WHERE scope = ? AND key = ?"),
    facts: db.prepare("SELECT run_id, seq, fact FROM facts WHERE run_id = ? ORDER BY seq"),
    run: db.prepare("SELECT run_id, record FROM runs WHERE run_id = ?"),
    list: db.prepare("SELECT run_id, record FROM runs WHERE updated_at < ? ORDER BY started_at DESC, run_id DESC LIMIT ?"),
    listById: db.prepare(`SELECT run_id, record FROM runs WHERE run_id >= ? AND run_id < ? AND updated_at < ?
      ORDER BY started_at DESC, run_id DESC LIMIT ?`),
    lease: db.prepare("SELECT run_id, epoch, expires_at, owner FROM leases WHERE run_id = ?"),
    firstLease: db.prepare("INSERT INTO leases (run_id, epoch, expires_at, owner) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"),
    nextLease: db.prepare("UPDATE leases SET epoch = ?, expires_at = ?, owner = ? WHERE run_id = ? AND epoch = ?"),
    renew: db.prepare("UPDATE leases SET expires_at = ? WHERE run_id = ? AND epoch = ?"),
    forgetIdle: db.prepare("DELETE FROM leases WHERE begun = 0 AND expires_at < ?"),
    putPlan: db.prepare("INSERT OR REPLACE INTO plans (run_id, plan_group, kept_at, vector) VALUES (?, ?, ?, ?)"),
    forgetPlans: db.prepare(`DELETE FROM plans WHERE plan_group = ? AND run_id NOT IN
      (SELECT run_id FROM plans WHERE plan_group = ? ORDER BY kept_at DESC, run_id DESC LIMIT ?)`),
    plans: db.prepare("SELECT run_id, plan_group, kept_at, vector FROM plans WHERE plan_group = ? ORDER BY kept_at DESC, run_id DESC LIMIT ?"),
    removals: ["runs WHERE run_id", "facts WHERE run_id", "leases WHERE run_id", "plans WHERE run_id", "calls WHERE scope NOT LIKE 'shared:%' AND scope"].map(
      (rows) => db.prepare(`DELETE FROM ${rows} = ?`),
    ),
  };
  const rows = rowReader(path);
  let closed = false;

  const commit = (batch: LedgerBatch): string[] => {
    const fenced: string[] = [];
    for (const writes of batch.runs) {
      const { runId, epoch, facts, record } = writes;
      const end = sql.end.get(runId);
      if (end?.["epoch"] !== epoch) {
        fenced.push(runId);
        continue;
      }
      if (end["begun"] === 0) sql.begin.run(runId);
      checkRising(writes, typeof end["last"] === "number" ? end["last"] : -1);
      for (const fact of facts) sql.addFact.run(runId, fact.seq, JSON.stringify(fact));
      sql.putRun.run(runId, Math.round(record.startedAt), Math.round(record.updatedAt), JSON.stringify(record));
    }
    for (const { scope, key, answer } of batch.calls) {
      if (scope.startsWith("shared:") || sql.isLeased.get(scope) !== undefined) sql.addCall.run(scope, key, JSON.stringify(answer));
    }
    return fenced;
  };
  const remove = (runId: string, epoch: number): boolean => {
    if ((sql.lease.get(runId)?.["epoch"] ?? 0) !== epoch) return false;
    for (const removal of sql.removals) removal.run(runId);
    return true;
  };
  const take = (runId: string, { epoch, owner, expiresAt }: Lease): boolean => {
    const [end, who] = [Math.round(expiresAt), JSON.stringify(owner)];
    if (epoch !== 1) return sql.nextLease.run(epoch, end, who, runId, epoch - 1).changes === 1;
    return inTransaction(db, () => {
      sql.forgetIdle.run(end - idleMs);
      return sql.firstLease.run(runId, epoch, end, who).changes === 1;
    });
  };
  const keep = ({ runId, group, keptAt, vector }: PlanVector): void => {
    if (sql.isLeased.get(runId) === undefined) return;
    sql.putPlan.run(runId, group, Math.round(keptAt), new Uint8Array(vector.slice().buffer));
    sql.forgetPlans.run(group, group, plansOfGroup);
  };
  const at = async <T>(work: () => T): Promise<T> => {
    if (closed) throw new DivvyError("ledger_failed", `The ledger ${path} is closed.`, { evidence: { path } });
    return guarded(path, work);
  };

  return {
    commit: (batch) => at(() => ({ fenced: inTransaction(db, () => commit(batch)) })),
    readCall: (scope, key) => at(() => readIf(sql.call.get(scope, key), rows.answer)),
    readFacts: (runId) => at(() => sql.facts.all(runId).map(rows.fact)),
    readRun: (runId) => at(() => readIf(sql.run.get(runId), rows.record)),
    listRuns: ({ limit = 100, updatedBefore = Number.MAX_SAFE_INTEGER, idPrefix } = {}) =>
      at(() => {
        aCount(limit, "listRuns.limit");
        const found = idPrefix === undefined ? sql.list.all(updatedBefore, limit) : sql.listById.all(idPrefix, idPrefix + lastCharacter, updatedBefore, limit);
        return found.map(rows.record);
      }),
    removeRun: (runId, epoch) => at(() => inTransaction(db, () => remove(runId, epoch))),
    readLease: (runId) => at(() => readIf(sql.lease.get(runId), rows.lease)),
    takeLease: (runId, lease) => at(() => take(runId, lease)),
    renewLease: (runId, epoch, expiresAt) => at(() => sql.renew.run(Math.round(expiresAt), runId, epoch).changes === 1),
    keepPlan: (plan) => at(() => inTransaction(db, () => keep(plan))),
    readPlans: (group) => at(() => sql.plans.all(group, plansOfGroup).map(rows.plan)),
    close: async () => {
      if (closed) return;
      closed = true;
      guarded(path, () => db.close());
    },
  };
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw sqliteError(thrown, path);
  }
}

function readIf<R, T>(row: R | undefined, read: (row: R) => T): T | undefined {
  return row === undefined ? undefined : read(row);
}
