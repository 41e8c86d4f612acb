import { DivvyError } from "../../errors.ts";
import { isRecord } from "../../json.ts";
import { type Clock, sleep } from "../../runtime.ts";

/** SQLite's answers while another connection holds the lock: SQLITE_BUSY and SQLITE_LOCKED. */
const heldByAnother: ReadonlySet<unknown> = new Set([5, 6]);

const LOOK_AGAIN_MS = 250;

/**
 * Waits until this process alone may write the download. The lock is the operating system's, taken through SQLite on a file
 * of its own: it ends with the process that holds it, so that no lock is ever stale and none is broken by guessing.
 */
export async function lockDownload(path: string, clock: Clock, signal?: AbortSignal): Promise<AsyncDisposable> {
  const { DatabaseSync } = await import("node:sqlite");
  for (;;) {
    signal?.throwIfAborted();
    const database = new DatabaseSync(path);
    try {
      database.exec("BEGIN EXCLUSIVE");
      return { [Symbol.asyncDispose]: () => Promise.resolve(database.close()) };
    } catch (thrown) {
      database.close();
      if (!isRecord(thrown) || !heldByAnother.has(thrown["errcode"])) throw lockFailure(path, thrown);
    }
    await sleep(clock, LOOK_AGAIN_MS, signal);
  }
}

function lockFailure(path: string, cause: unknown): DivvyError {
  return new DivvyError("local_model", `The folder of ${path} cannot be written to.`, { cause });
}
