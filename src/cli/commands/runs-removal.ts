import { DivvyError } from "../../errors.ts";
import { holderIn, type ProcessIdentity } from "../../ledger/lease-keeper.ts";
import type { Ledger, LeaseOwner, RunRecord } from "../../ledger/ledger.ts";
import { sleep } from "../../runtime.ts";
import { jsonText } from "../writing/json-text.ts";
import { keptRuns, someKeptRuns } from "../kept/kept-runs.ts";
import { count } from "../../quantity.ts";
import { namedRun, shortId, shownTask } from "../kept/run-name.ts";
import { sayTo } from "../writing/say.ts";
import type { Terminal } from "../terminal.ts";

/** Forgets the runs that are named: all of them, or none where one cannot be. Rejects with a `DivvyError` that says which. */
export async function removeNamedRuns(names: readonly string[], json: boolean, { world, out }: Terminal): Promise<void> {
  await using kept = await someKeptRuns(world);
  const { ledger } = kept;
  const looks = new Map<string, Look>();
  const shorts = new Map<string, string>();
  for (const name of names) {
    const run = await namedRun(ledger, name);
    const short = await shortId(ledger, run.runId);
    const look = await lookAt(ledger, run, world.identity);
    if (look.holder !== undefined) throw held(short, look.holder);
    looks.set(run.runId, look);
    shorts.set(run.runId, short);
  }
  const removed: string[] = [];
  const lines: string[] = [];
  let refusal: DivvyError | undefined;
  for (const [runId, look] of looks) {
    const short = shorts.get(runId) ?? runId;
    if (await ledger.removeRun(runId, look.epoch)) {
      removed.push(runId);
      lines.push(`Removed ${short}  ${shownTask(look.run)}\n`);
    } else refusal ??= held(short, (await ledger.readLease(runId))?.owner);
  }
  // What is done is said, though a run that somebody has taken on meanwhile stays.
  if (!json) await out.write(lines.join(""));
  if (refusal !== undefined) throw refusal;
  if (json) await out.write(`${jsonText({ removed })}\n`);
}

/** How many are removed before the program looks up: whether it is to stop, and what else there is to do. */
const portion = 20;

/** Forgets the runs of which nothing was heard for so long; those that are being carried out stay. Ctrl-C stops it between two runs. */
export async function pruneRuns(olderThanMs: number, json: boolean, terminal: Terminal): Promise<void> {
  const { world, out, signal } = terminal;
  const { identity, runtime } = world;
  await using kept = await keptRuns(world);
  const removed: string[] = [];
  const stayed: string[] = [];
  let old: readonly RunRecord[] = [];
  if (kept !== undefined) {
    const { ledger } = kept;
    old = await ledger.listRuns({ limit: Number.MAX_SAFE_INTEGER, updatedBefore: identity.now() - olderThanMs });
    for (const [index, { runId, updatedAt }] of old.entries()) {
      if (index % portion === 0) await sleep(runtime.clock, 0);
      if (signal.aborted) break;
      const run = await ledger.readRun(runId);
      // Gone, or gone on with, since it was listed.
      if (run?.updatedAt !== updatedAt) continue;
      const { holder, epoch } = await lookAt(ledger, run, identity);
      if (holder === undefined && (await ledger.removeRun(runId, epoch))) removed.push(runId);
      else stayed.push(runId);
    }
    for (const runId of json ? [] : stayed) sayTo(terminal, `${await shortId(ledger, runId)} is being carried out, and stays.`);
  }
  if (json && !signal.aborted) await out.write(`${jsonText({ removed, stayed })}\n`);
  else if (!json) await out.write(`${old.length === 0 ? "No run is that old" : `Removed ${count(removed.length, "run")}`}.\n`);
  signal.throwIfAborted();
}

/** A run as it was looked at: removed under that epoch or not at all. */
interface Look {
  readonly run: RunRecord;
  readonly epoch: number;
  readonly holder: LeaseOwner | undefined;
}

async function lookAt(ledger: Ledger, run: RunRecord, identity: ProcessIdentity): Promise<Look> {
  const lease = await ledger.readLease(run.runId);
  return { run, epoch: lease?.epoch ?? 0, holder: holderIn(lease, identity) };
}

function held(short: string, owner: LeaseOwner | undefined): DivvyError {
  const who = owner === undefined ? "another process" : `process ${owner.pid} on ${owner.host}`;
  return new DivvyError("run_held", `The run ${short} is being carried out by ${who}.`);
}
