import { systemCodeOf } from "../system-code.ts";
import { DivvyError } from "../errors.ts";
import { isRecord } from "../json.ts";

/** What a person can do something about. */
interface Cause {
  readonly what: string;
  readonly hint: string;
}

const noRights: Cause = { what: "may not be read or written", hint: "Check the permissions of the file and its folder." };
const readOnly: Cause = { what: "is read-only", hint: "Check the permissions of the file and its folder." };
const noFolder: Cause = { what: "cannot be opened", hint: "Check that its folder exists and can be written." };
const full: Cause = { what: "cannot grow: the disk is full", hint: "Free some space; then resume the run." };
const broken: Cause = { what: "cannot be read or written", hint: "Check the disk; then resume the run." };
const damaged: Cause = { what: "is damaged", hint: "Move the file away and keep it; a new one is made by the next run." };
const foreign: Cause = { what: "is no SQLite file", hint: "Name another file for the ledger." };

/** By the primary result code of SQLite (https://sqlite.org/rescode.html), or the system's code. */
const causes: Readonly<Record<number | string, Cause>> = {
  3: noRights,
  8: readOnly,
  10: broken,
  11: damaged,
  13: full,
  14: noFolder,
  26: foreign,
  EACCES: noRights,
  EPERM: noRights,
  EROFS: readOnly,
  ENOENT: noFolder,
  ENOTDIR: noFolder,
  ENOSPC: full,
  EDQUOT: full,
  EIO: broken,
};
/** Busy, locked, and the race of several that open it at once. */
const busyCodes: ReadonlySet<number | string> = new Set([5, 6, 15]);

/** What SQLite or the system says, as an error that says what to do. */
export function sqliteError(thrown: unknown, path: string): DivvyError {
  if (thrown instanceof DivvyError) return thrown;
  const sqliteCode = isRecord(thrown) && typeof thrown["errcode"] === "number" ? thrown["errcode"] : undefined;
  // An extended code has the primary one in its low byte.
  const code = sqliteCode === undefined ? systemCodeOf(thrown) : sqliteCode & 0xff;
  const evidence = { path, ...(sqliteCode !== undefined && { sqliteCode }), ...(typeof code === "string" && { systemCode: code }) };
  if (code !== undefined && busyCodes.has(code)) {
    return new DivvyError("ledger_busy", `The ledger ${path} is held by another process.`, { evidence, cause: thrown });
  }
  const known = code === undefined ? undefined : causes[code];
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  if (known === undefined) return new DivvyError("ledger_failed", `The ledger ${path} failed: ${said}.`, { evidence, cause: thrown });
  return new DivvyError("ledger_failed", `The ledger ${path} ${known.what}.`, { hint: known.hint, evidence, cause: thrown });
}
