import type { DatabaseSync } from "node:sqlite";
import { DivvyError } from "../errors.ts";
import { inTransaction } from "./sqlite-transaction.ts";

/**
 * Each brings a file from the version of its index to the next. Never changed once released; new ones go to the end.
 *
 * Facts and answers can be long, so they stand in tables with row ids: a long row read from one without takes six times as long.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE runs (
     run_id TEXT PRIMARY KEY,
     started_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     record TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX runs_by_start ON runs (started_at);
   CREATE TABLE facts (
     run_id TEXT NOT NULL,
     seq INTEGER NOT NULL,
     fact TEXT NOT NULL,
     PRIMARY KEY (run_id, seq)
   ) STRICT;
   CREATE TABLE calls (
     scope TEXT NOT NULL,
     key TEXT NOT NULL,
     answer TEXT NOT NULL,
     PRIMARY KEY (scope, key)
   ) STRICT;
   CREATE TABLE leases (
     run_id TEXT PRIMARY KEY,
     epoch INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     owner TEXT NOT NULL,
     begun INTEGER NOT NULL DEFAULT 0
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX leases_not_begun ON leases (expires_at) WHERE begun = 0;`,
  // A vector is long too.
  `CREATE TABLE plans (
     run_id TEXT PRIMARY KEY,
     plan_group TEXT NOT NULL,
     kept_at INTEGER NOT NULL,
     vector BLOB NOT NULL
   ) STRICT;
   CREATE INDEX plans_by_group ON plans (plan_group, kept_at);`,
];

/** "Dvvy", so that a file of another program is not taken for ours. */
const applicationId = 0x44767679;

/**
 * Brings the file to the newest version, in one transaction that other processes wait for. Until it is known to be ours, it is
 * only read.
 *
 * @throws DivvyError `ledger_version`
 */
export function migrate(db: DatabaseSync, path: string, steps: readonly string[] = migrations): void {
  if (versionOf(db, path, steps.length) === steps.length) return;
  inTransaction(db, () => {
    // Another process may have been faster.
    for (const step of steps.slice(versionOf(db, path, steps.length))) db.exec(step);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}`);
  });
}

/** In one statement, so that all of it is seen at one time, while another process may be making the file. */
const state = `SELECT count(*) AS tables,
  (SELECT user_version FROM pragma_user_version) AS version,
  (SELECT application_id FROM pragma_application_id) AS program
  FROM sqlite_schema`;

function versionOf(db: DatabaseSync, path: string, newest: number): number {
  const { tables, version, program } = db.prepare(state).get() ?? {};
  if (tables === 0) return 0;
  if (program !== applicationId || typeof version !== "number") {
    throw new DivvyError("ledger_version", `${path} is an SQLite file of another program.`, { evidence: { path }, hint: "Name another file for the ledger." });
  }
  if (version <= newest) return version;
  const message = `${path} was written by a newer Divvy (ledger version ${version}; this one knows ${newest}).`;
  throw new DivvyError("ledger_version", message, { evidence: { path } });
}
