import type { DatabaseSync } from "node:sqlite";

/** Writes all or nothing. Other processes' writes are waited for at the beginning, never half way. */
export function inTransaction<T>(db: DatabaseSync, write: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = write();
    db.exec("COMMIT");
    return result;
  } catch (thrown) {
    rollBack(db);
    throw thrown;
  }
}

function rollBack(db: DatabaseSync): void {
  try {
    db.exec("ROLLBACK");
  } catch {
    // A full disk has rolled it back already; `isTransaction` would tell, but not on Node 22.13.
  }
}
