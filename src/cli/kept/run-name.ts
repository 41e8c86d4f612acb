import { DivvyError } from "../../errors.ts";
import type { Ledger, RunRecord } from "../../ledger/ledger.ts";
import { nearest } from "../../nearest.ts";
import { beginning } from "../writing/clean-text.ts";
import { usageError } from "../flags/usage-error.ts";

/** Fewer characters of an id say too little. */
const least = 4;
const mostCandidates = 5;

/** The run that is meant by the beginning of its id, or by `last`: the newest. Rejects with a `DivvyError` that says what to type. */
export async function namedRun(ledger: Ledger, name: string): Promise<RunRecord> {
  if (name === "last") {
    const [newest] = await ledger.listRuns({ limit: 1 });
    if (newest === undefined)
      throw new DivvyError("run_not_found", "No runs are kept.", { hint: "Each run is kept from its beginning, unless it is removed." });
    return newest;
  }
  if (name.length < least) {
    const near = nearest(name, ["last"]);
    const type =
      near === undefined ? `Type ${least} characters of its id or more, or last` : `Did you mean ${near}? Else type ${least} characters of its id or more`;
    throw usageError(`"${name}" is too short for a run.`, `${type}; divvy runs lists them.`);
  }
  // As it is typed, and as ids are written.
  for (const idPrefix of new Set([name, name.toLowerCase()])) {
    const whole = await ledger.readRun(idPrefix);
    if (whole !== undefined) return whole;
    const found = await ledger.listRuns({ idPrefix, limit: mostCandidates + 1 });
    const [only, ...others] = found;
    if (only === undefined) continue;
    if (others.length === 0) return only;
    throw await couldBe(ledger, name, found);
  }
  throw new DivvyError("run_not_found", `No run "${name}" is kept.`);
}

async function couldBe(ledger: Ledger, name: string, found: readonly RunRecord[]): Promise<DivvyError> {
  const isMore = found.length > mostCandidates;
  const lines = ["Type more of its id:"];
  for (const run of found.slice(0, mostCandidates)) lines.push(`${await shortId(ledger, run.runId)}  ${shownTask(run)}`);
  if (isMore) lines.push("and more");
  return usageError(`"${name}" could be ${isMore ? `more than ${mostCandidates}` : found.length} runs.`, lines.join("\n"));
}

/** The task in some words, to know it again. */
export function shownTask({ task }: Pick<RunRecord, "task">): string {
  return beginning(task, 60);
}

/** As much of a run's id as tells it from all others. */
export async function shortId(ledger: Ledger, runId: string): Promise<string> {
  for (let length = least; length < runId.length;) {
    const short = runId.slice(0, length);
    const alike = await ledger.listRuns({ idPrefix: short, limit: 2 });
    const other = alike.find((run) => run.runId !== runId);
    if (other === undefined) return short;
    while (runId[length] !== undefined && runId[length] === other.runId[length]) length++;
    length++;
  }
  return runId;
}
