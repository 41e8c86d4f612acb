import { chmodSync, closeSync, openSync, realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { systemCodeOf } from "../system-code.ts";
import { DivvyError } from "../errors.ts";
import { sqliteError } from "./sqlite-error.ts";
import { migrate } from "./sqlite-schema.ts";

/**
 * How long SQLite waits for another process, in milliseconds, while this one does nothing else: for others that make the same
 * file, and for their writes. Those take a millisecond; where one takes longer, whoever writes asks again and lets go in between.
 */
const openingMs = 5_000;
const writingMs = 20;
const pauseMs = 10;

/** Opens a ledger's file, which is made where it is not there, for its owner alone; one that others may read becomes so. */
export function openLedgerFile(path: string): DatabaseSync {
  // As it stands, a name may mean something else to SQLite: ":memory:", "file:...".
  const file = resolve(path);
  const { DatabaseSync } = sqlite();
  makeEmpty(file);
  const db = new DatabaseSync(file);
  try {
    // Not the option `timeout`, which Node 22.13 does not know.
    db.exec(`PRAGMA busy_timeout = ${openingMs}`);
    // First, for it is what finds out whose file this is.
    migrate(db, path);
    keepToOwner(file);
    db.exec(`PRAGMA synchronous = FULL; PRAGMA busy_timeout = ${writingMs}`);
    switchToWal(db, path);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * SQLite gives the files beside it the rights of this one. One that exists is not opened here: closing it would drop the locks
 * of every connection that this process has to it (https://sqlite.org/howtocorrupt.html, 2.2).
 */
function makeEmpty(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (thrown) {
    if (systemCodeOf(thrown) !== "EEXIST") throw thrown;
  }
}

/** Requests and answers are nobody else's business, whoever made the file, and with whatever rights. Somebody else's is left as it is. */
function keepToOwner(file: string): void {
  const real = realpathSync(file);
  for (const name of [real, `${real}-wal`, `${real}-shm`]) {
    const mode = statSync(name, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o077) === 0) continue;
    try {
      chmodSync(name, mode & 0o700);
    } catch (thrown) {
      // Gone by now, another user's, or on a disk that cannot be written.
      if (!["ENOENT", "EPERM", "EACCES", "EROFS"].includes(systemCodeOf(thrown) ?? "")) throw thrown;
    }
  }
}

/** Where several make a new file at once, SQLite does not wait for the others, but says at once that they are there. */
function switchToWal(db: DatabaseSync, path: string): void {
  for (let tries = openingMs / writingMs; ; tries--) {
    try {
      db.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (thrown) {
      if (tries <= 0 || sqliteError(thrown, path).code !== "ledger_busy") throw thrown;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}

/** Loaded when it is needed: some runtimes lack it, and Node 22 warns of it. */
function sqlite(): typeof import("node:sqlite") {
  const found: typeof import("node:sqlite") | undefined = process.getBuiltinModule("node:sqlite");
  if (found !== undefined) return found;
  throw new DivvyError("ledger_failed", "This runtime has no node:sqlite.", { hint: "Use Node 22.13 or later, or another ledger." });
}
