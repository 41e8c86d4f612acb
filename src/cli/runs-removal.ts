import { DivvyError } from "../errors.ts";
import type { RunRecord } from "../ledger/ledger.ts";
import { jsonText } from "./json-text.ts";
import { keptRuns, someKeptRuns } from "./kept-runs.ts";
import { count } from "../quantity.ts";
import { allRuns, namedRun, shortIds, shownTask } from "./run-name.ts";
import { holderOf } from "./run-status.ts";
import type { Terminal } from "./terminal.ts";

/** Forgets the runs that are named: all of them, or none where one cannot be. Rejects with a `DivvyError` that says which. */
export async function removeNamedRuns(names: readonly string[], json: boolean, { world, out }: Terminal): Promise<void> {
  await using kept = await someKeptRuns(world);
  const { ledger } = kept;
  const short = shortIds(await allRuns(ledger));
  const runs = new Map<string, RunRecord>();
  for (const name of names) {
    const run = await namedRun(ledger, name);
    const holder = await holderOf(ledger, run.runId, world.identity);
    if (holder !== undefined) throw new DivvyError("run_held", `The run ${short(run.runId)} is being carried out by process ${holder.pid} on ${holder.host}.`);
    runs.set(run.runId, run);
  }
  await ledger.removeRuns([...runs.keys()]);
  const lines = [...runs.values()].map((run) => `Removed ${short(run.runId)}  ${shownTask(run)}\n`);
  await out.write(json ? removedJson(runs.keys()) : lines.join(""));
}

/** Forgets the runs of which nothing was heard for so long; those that are being carried out stay. */
export async function pruneRuns(olderThanMs: number, json: boolean, { world, out }: Terminal): Promise<void> {
  const { identity } = world;
  await using kept = await keptRuns(world);
  const removed: string[] = [];
  if (kept !== undefined) {
    const { ledger } = kept;
    const old = await ledger.listRuns({ limit: Number.MAX_SAFE_INTEGER, updatedBefore: identity.now() - olderThanMs });
    for (const { runId } of old) if ((await holderOf(ledger, runId, identity)) === undefined) removed.push(runId);
    await ledger.removeRuns(removed);
  }
  await out.write(json ? removedJson(removed) : `${removed.length === 0 ? "No run is that old" : `Removed ${count(removed.length, "run")}`}.\n`);
}

function removedJson(runIds: Iterable<string>): string {
  return `${jsonText({ removed: [...runIds] })}\n`;
}
