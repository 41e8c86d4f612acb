import { DivvyError } from "../errors.ts";
import type { Ledger, RunRecord } from "../ledger/ledger.ts";
import { beginning } from "./clean-text.ts";
import { usageError } from "./usage-error.ts";

/** Fewer characters of an id say too little. */
const least = 4;
const mostCandidates = 5;

/** All that are kept, newest first. */
export async function allRuns(ledger: Ledger): Promise<readonly RunRecord[]> {
  return await ledger.listRuns({ limit: Number.MAX_SAFE_INTEGER });
}

/** The run that is meant by the beginning of its id, or by `last`: the newest. Rejects with a `DivvyError` that says what to type. */
export async function namedRun(ledger: Ledger, name: string): Promise<RunRecord> {
  if (name === "last") {
    const [newest] = await ledger.listRuns({ limit: 1 });
    if (newest === undefined)
      throw new DivvyError("run_not_found", "No runs are kept.", { hint: "Each run is kept from its beginning, unless it is removed." });
    return newest;
  }
  if (name.length < least) throw usageError(`"${name}" is too short for a run.`, `Type ${least} characters of its id or more, or last; divvy runs lists them.`);
  const key = name.toLowerCase();
  const runs = await allRuns(ledger);
  const found = runs.filter(({ runId }) => runId.toLowerCase().startsWith(key));
  const [only, ...others] = found;
  if (only === undefined) throw new DivvyError("run_not_found", `No run "${name}" is kept.`);
  if (others.length === 0) return only;
  const whole = found.find(({ runId }) => runId.toLowerCase() === key);
  if (whole !== undefined) return whole;
  const short = shortIds(runs);
  const shown = found.slice(0, mostCandidates).map((run) => `${short(run.runId)}  ${shownTask(run)}`);
  const more = found.length - shown.length;
  throw usageError(`"${name}" could be ${found.length} runs.`, ["Type more of its id:", ...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("\n"));
}

/** The task in some words, to know it again. */
export function shownTask({ task }: Pick<RunRecord, "task">): string {
  return beginning(task, 60);
}

/** As much of each id as tells it from all others. */
export function shortIds(runs: readonly RunRecord[]): (runId: string) => string {
  const ids = runs.map(({ runId }) => runId);
  return (runId) => {
    for (let length = least; length < runId.length; length++) {
      const short = runId.slice(0, length);
      if (ids.every((id) => id === runId || !id.startsWith(short))) return short;
    }
    return runId;
  };
}

/** The same for one run. */
export async function shortId(ledger: Ledger, runId: string): Promise<string> {
  return shortIds(await allRuns(ledger))(runId);
}
