import type { DatabaseSync } from "node:sqlite";
import { DivvyError } from "../errors.ts";
import type { Ledger, LedgerBatch } from "./ledger.ts";
import { checkRising } from "./rising-facts.ts";
import { sqliteError } from "./sqlite-error.ts";
import { openLedgerFile } from "./sqlite-file.ts";
import { rowReader } from "./sqlite-rows.ts";
import { inTransaction } from "./sqlite-transaction.ts";

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
    end: db.prepare("SELECT epoch, (SELECT max(seq) FROM facts WHERE run_id = leases.run_id) AS last FROM leases WHERE run_id = ?"),
    addFact: db.prepare("INSERT INTO facts (run_id, seq, fact) VALUES (?, ?, ?)"),
    putRun: db.prepare(`INSERT INTO runs (run_id, started_at, updated_at, record) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET started_at = excluded.started_at, updated_at = excluded.updated_at, record = excluded.record`),
    addCall: db.prepare("INSERT INTO calls (scope, key, answer) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"),
    call: db.prepare("SELECT scope, answer FROM calls WHERE scope = ? AND key = ?"),
    facts: db.prepare("SELECT run_id, seq, fact FROM facts WHERE run_id = ? ORDER BY seq"),
    run: db.prepare("SELECT run_id, record FROM runs WHERE run_id = ?"),
    list: db.prepare("SELECT run_id, record FROM runs WHERE updated_at < ? ORDER BY started_at DESC, run_id DESC LIMIT ?"),
    lease: db.prepare("SELECT run_id, epoch, expires_at, owner FROM leases WHERE run_id = ?"),
    firstLease: db.prepare("INSERT INTO leases (run_id, epoch, expires_at, owner) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"),
    nextLease: db.prepare("UPDATE leases SET epoch = ?, expires_at = ?, owner = ? WHERE run_id = ? AND epoch = ?"),
    renew: db.prepare("UPDATE leases SET expires_at = ? WHERE run_id = ? AND epoch = ?"),
    removals: ["runs WHERE run_id", "facts WHERE run_id", "leases WHERE run_id", "calls WHERE scope NOT LIKE 'shared:%' AND scope"].map((rows) =>
      db.prepare(`DELETE FROM ${rows} = ?`),
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
      checkRising(writes, typeof end["last"] === "number" ? end["last"] : -1);
      for (const fact of facts) sql.addFact.run(runId, fact.seq, JSON.stringify(fact));
      sql.putRun.run(runId, Math.round(record.startedAt), Math.round(record.updatedAt), JSON.stringify(record));
    }
    for (const { scope, key, answer } of batch.calls) sql.addCall.run(scope, key, JSON.stringify(answer));
    return fenced;
  };
  const remove = (runId: string): void => {
    for (const removal of sql.removals) removal.run(runId);
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
    listRuns: ({ limit = 100, updatedBefore = Number.MAX_SAFE_INTEGER } = {}) => at(() => sql.list.all(updatedBefore, limit).map(rows.record)),
    removeRuns: (runIds) =>
      at(() => {
        // One by one: in a single transaction, many of them would keep other processes' runs from writing until those give up.
        for (const runId of runIds) inTransaction(db, () => remove(runId));
      }),
    readLease: (runId) => at(() => readIf(sql.lease.get(runId), rows.lease)),
    takeLease: (runId, { epoch, owner, expiresAt }) =>
      at(() => {
        const [end, who] = [Math.round(expiresAt), JSON.stringify(owner)];
        const { changes } = epoch === 1 ? sql.firstLease.run(runId, epoch, end, who) : sql.nextLease.run(epoch, end, who, runId, epoch - 1);
        return changes === 1;
      }),
    renewLease: (runId, epoch, expiresAt) => at(() => sql.renew.run(Math.round(expiresAt), runId, epoch).changes === 1),
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
