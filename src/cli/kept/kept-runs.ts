import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { DivvyError, toDivvyError } from "../../errors.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { patiently } from "../../ledger/patience.ts";
import { sqliteError } from "../../ledger/sqlite-error.ts";
import type { Env } from "../../models/catalog.ts";
import type { Clock } from "../../runtime.ts";
import { systemCodeOf } from "../../system-code.ts";
import { makeFolder } from "../writing/output-file.ts";
import type { CliWorld } from "../world.ts";

/** The runs that the terminal program keeps, as long as a command looks at them. */
export interface KeptRuns extends AsyncDisposable {
  readonly ledger: Ledger;
}

type Place = Pick<CliWorld, "env" | "cwd" | "runtime">;

/** The folder that runs are kept in; `DIVVY_DATA_DIR` names another one. */
export function dataFolder(env: Env, platform: NodeJS.Platform = process.platform, home: string = homedir()): string {
  if (env["DIVVY_DATA_DIR"]) return env["DIVVY_DATA_DIR"];
  const { XDG_DATA_HOME } = env;
  // One that is not absolute does not count, says the XDG base directory specification.
  if (XDG_DATA_HOME !== undefined && isAbsolute(XDG_DATA_HOME)) return join(XDG_DATA_HOME, "divvy");
  if (platform === "darwin") return join(home, "Library", "Application Support", "divvy");
  if (platform === "win32") return join(env["LOCALAPPDATA"] || join(home, "AppData", "Local"), "divvy");
  return join(home, ".local", "share", "divvy");
}

/**
 * Where a run will be kept, made where it is not there.
 *
 * @throws DivvyError where nothing can be kept, before anything is paid for
 */
export async function keepRuns(place: Place): Promise<KeptRuns> {
  const path = pathOf(place);
  try {
    // Requests and answers are nobody else's business.
    await makeFolder(dirname(path), 0o700);
  } catch (thrown) {
    throw unusable(sqliteError(thrown, path), without);
  }
  return await opened(path, place, without);
}

/** The runs that were kept; nothing where none ever was. Rejects with a `DivvyError` where they cannot be read. */
export async function keptRuns(place: Place): Promise<KeptRuns | undefined> {
  const path = pathOf(place);
  const isThere = await stat(path).catch((thrown: unknown) => {
    const code = systemCodeOf(thrown);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw sqliteError(thrown, path);
  });
  return isThere === undefined ? undefined : await opened(path, place, elsewhere);
}

/** The same for a command that needs a run. @throws DivvyError `run_not_found` where none is kept */
export async function someKeptRuns(place: Place): Promise<KeptRuns> {
  const kept = await keptRuns(place);
  if (kept === undefined)
    throw new DivvyError("run_not_found", "No runs are kept yet.", { hint: 'Each run is kept from its beginning: divvy "what you want done"' });
  return kept;
}

const elsewhere = "DIVVY_DATA_DIR names another folder.";
const without = "DIVVY_DATA_DIR names another folder; --no-save keeps nothing of the run.";

function pathOf({ env, cwd }: Place): string {
  return join(resolve(cwd, dataFolder(env)), "runs.sqlite");
}

async function opened(path: string, { runtime: { clock } }: Place, wayOut: string): Promise<KeptRuns> {
  // Loaded late: whoever asks for help does not wait for a database.
  const { sqliteLedger } = await import("../../ledger/sqlite-ledger.ts");
  try {
    const ledger = sqliteLedger(path);
    return { ledger: patient(ledger, clock), [Symbol.asyncDispose]: () => ledger.close() };
  } catch (thrown) {
    throw unusable(toDivvyError(thrown), wayOut);
  }
}

/** What commands ask for and remove: another process may be writing just then. A run's own writes see to themselves. */
function patient(ledger: Ledger, clock: Clock): Ledger {
  return {
    ...ledger,
    listRuns: (query) => patiently(clock, () => ledger.listRuns(query)),
    readFacts: (runId) => patiently(clock, () => ledger.readFacts(runId)),
    readLease: (runId) => patiently(clock, () => ledger.readLease(runId)),
    readRun: (runId) => patiently(clock, () => ledger.readRun(runId)),
    removeRun: (runId, epoch) => patiently(clock, () => ledger.removeRun(runId, epoch)),
  };
}

function unusable({ code, message, hint, evidence }: DivvyError, wayOut: string): DivvyError {
  return new DivvyError(code, message, { hint: `${hint} ${wayOut}`, ...(evidence && { evidence }) });
}
