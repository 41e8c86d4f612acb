import type { RunsCommand } from "../flags/command.ts";
import { exitCodes } from "../exit-code.ts";
import { jsonText } from "../writing/json-text.ts";
import { keptRuns } from "../kept/kept-runs.ts";
import { shortId } from "../kept/run-name.ts";
import { type ListedRun, shownStatus } from "../kept/run-status.ts";
import { pruneRuns, removeNamedRuns } from "./runs-removal.ts";
import { sayTo } from "../writing/say.ts";
import type { Terminal } from "../terminal.ts";
import { runsTable } from "../view/runs-table.ts";

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
  const shown: ListedRun[] = [];
  const short = new Map<string, string>();
  // A program gets all, unless it says otherwise.
  const most = limit ?? (json ? Number.MAX_SAFE_INTEGER - 1 : atOnce);
  let isMore = false;
  if (kept !== undefined) {
    const { ledger } = kept;
    const runs = await ledger.listRuns({ limit: most + 1 });
    isMore = runs.length > most;
    for (const run of runs.slice(0, most)) {
      shown.push({ ...run, status: await shownStatus(ledger, run, identity) });
      if (!json) short.set(run.runId, await shortId(ledger, run.runId));
    }
  }
  if (json) return await out.write(`${jsonText(shown, out.isTerminal ? 2 : undefined)}\n`);
  if (shown.length === 0) return sayTo(terminal, 'No runs are kept yet. Each run is kept from its beginning: divvy "what you want done"');
  await out.write(
    runsTable(shown, { short: (runId) => short.get(runId) ?? runId, now: identity.now(), columns: out.isTerminal ? out.columns : undefined, paint: outPaint }),
  );
  if (isMore) sayTo(terminal, `and older ones: divvy runs --limit ${most * 2}`);
}
