import { isComplete, type Outcome, type Result } from "../../src/outcome.ts";
import { alike, brokenLedger, isUnsaved } from "./outcome-invariants.ts";

/**
 * When nothing more goes wrong, all that can be done is done in the end.
 *
 * @param isShort its budget was too small for it, and is not raised
 */
export function healedFaults(outcome: Outcome, isShort: boolean): string[] {
  const { status, results, coverage } = outcome;
  if (status === "ok") return [];
  if (isShort) return [];
  // What is never good enough is no better for being done again: the invariants of judging see to that.
  if (outcome.error.code === "below_threshold") return isComplete(outcome) ? [] : ["in the end its judge was not heard"];
  const hopeless = results.filter((result) => result.status === "failed" && ["unable", "dependency_cycle", "not_repeatable"].includes(result.error.code));
  const lost = results.filter((result) => result.status === "failed" && !hopeless.includes(result));
  const left = results.filter((result) => result.status === "skipped" && result.reason !== "upstream");
  if (lost.length > 0 || left.length > 0) return [`in the end there are left: ${[...lost, ...left].map(({ id, status }) => `${id} ${status}`).join(", ")}`];
  if (hopeless.length === 0 && coverage.dropped === 0) return [`in the end it is ${status}: ${outcome.error.code} ${outcome.error.message}`];
  if (!coverage.planComplete) return ["in the end its plan is not complete"];
  return [];
}

/** Of a run that was taken over: it had ended before, or it says so. */
export function leftoverFaults(outcome: Outcome, logged: readonly Outcome[]): string[] {
  if (logged.some((other) => alike(other, outcome))) return [];
  if (
    isUnsaved(outcome) ||
    ("error" in outcome && (["run_taken_over", "run_held"].includes(outcome.error.code) || isStopped(outcome, logged) || brokenLedger.has(outcome.error.code)))
  )
    return [];
  return [`it was taken over, and says that it is ${outcome.status}${"error" in outcome ? `: ${outcome.error.code}` : ""}`];
}

/** Stopped while somebody was asked for approval, it says so to nobody but its own process. */
function isStopped({ status, results }: Outcome, logged: readonly Outcome[]): boolean {
  return status === "aborted" && results.length > 0 && results.every((result) => result.status === "skipped") && logged.length > 0;
}

/** Done anew, one subtask changes, and what depends on it. */
export function rerunFaults(before: Outcome, after: Outcome | undefined, id: string): string[] {
  // It was killed on the way, and code had begun that must not be run twice.
  if (after?.results.some((result) => result.status === "failed" && result.error.code === "not_repeatable")) return [];
  const isGoodEnough = after?.status === "ok" || (after?.status === "partial" && after.error.code === "below_threshold");
  if (!isGoodEnough) return [`done anew, it is ${after?.status}`];
  const textOf = (result: Result | undefined): string => (result?.status === "done" ? result.result : "");
  const differ = after.results.filter((result, index) => textOf(result) !== textOf(before.results[index])).map((result) => result.id);
  const others = differ.filter((other) => other !== id && !dependsOn(other, id, before));
  return [...(differ.includes(id) ? [] : [`${id} was to be done anew and was not`]), ...others.map((other) => `${other} changed for no reason`)];
}

function dependsOn(id: string, needed: string, { results }: Outcome): boolean {
  const found = new Set([needed]);
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const result of results) if (result.dependsOn.some((name) => found.has(name))) found.add(result.id);
  }
  return found.has(id);
}
