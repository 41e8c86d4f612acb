import type { RunsCommand } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { jsonText } from "./json-text.ts";
import { keptRuns } from "./kept-runs.ts";
import { allRuns, shortIds } from "./run-name.ts";
import { type ListedRun, shownStatus } from "./run-status.ts";
import { pruneRuns, removeNamedRuns } from "./runs-removal.ts";
import { sayTo } from "./say.ts";
import type { Terminal } from "./terminal.ts";
import { runsTable } from "./view/runs-table.ts";

/** Lists the runs that are kept, or forgets some. */
export async function runsCommand({ action, json }: RunsCommand, terminal: Terminal): Promise<number> {
  if (action.kind === "rm") await removeNamedRuns(action.runs, json, terminal);
  else if (action.kind === "prune") await pruneRuns(action.olderThanMs, json, terminal);
  else await listRuns(action.limit, json, terminal);
  return exitCodes.ok;
}

const atOnce = 20;

async function listRuns(limit: number | undefined, json: boolean, terminal: Terminal): Promise<void> {
  const { out, outPaint, world } = terminal;
  const { identity } = world;
  await using kept = await keptRuns(world);
  const all = kept === undefined ? [] : await allRuns(kept.ledger);
  const shown: ListedRun[] = [];
  // A program gets all, unless it says otherwise.
  for (const run of all.slice(0, limit ?? (json ? all.length : atOnce))) {
    if (kept !== undefined) shown.push({ ...run, status: await shownStatus(kept.ledger, run, identity) });
  }
  if (json) return await out.write(`${jsonText(shown, out.isTerminal ? 2 : undefined)}\n`);
  if (all.length === 0) return sayTo(terminal, 'No runs are kept yet. Each run is kept from its beginning: divvy "what you want done"');
  await out.write(runsTable(shown, { short: shortIds(all), now: identity.now(), columns: out.isTerminal ? out.columns : undefined, paint: outPaint }));
  if (shown.length < all.length) sayTo(terminal, `and ${all.length - shown.length} more: divvy runs --limit ${all.length}`);
}
