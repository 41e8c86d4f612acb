import type { ErrorData } from "../../errors.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { keyOf } from "../../names.ts";
import { evaluationsIn, isComplete, lacksCall } from "../../outcome.ts";
import { withDependants } from "../../plan/dependants.ts";
import { reduce } from "../../reduce.ts";
import type { RunState } from "../../run-state.ts";
import { count, listed } from "../../quantity.ts";
import { shortId } from "./run-name.ts";

/**
 * How to go on with a run that did not end well, and what that would do; nothing where there is nothing to go on with.
 *
 * @param again what has to be typed once more, since the run does not keep it
 */
export async function resumeLine(state: RunState, ledger: Ledger, again: string): Promise<string | undefined> {
  const left = whatIsLeft(state);
  if (left === undefined) return undefined;
  // One of which not a word could be written is not there. But a ledger that fails now does not change how the run ended.
  const isThere = await ledger.readRun(state.runId).then(
    (record) => record !== undefined,
    () => true,
  );
  if (!isThere) return undefined;
  const id = await shortId(ledger, state.runId).catch(() => state.runId);
  return `Go on with it: divvy resume ${id}${moreBudget(state)}${again} (it would ${left})`;
}

/**
 * The flags that raise a budget which was too small: to twice what it was, what the whole may take by its estimate on top of what was
 * used (the answer is written again), or what was missing. Time that was taken is over, however much more than was allowed that is: as much as was allowed comes on top of it.
 */
function moreBudget({ budget, outcome, estimate, activeMs, calls: made, usage, cost = 0 }: RunState): string {
  if (budget === undefined || outcome === undefined || !("error" in outcome) || !isShortOfBudget(outcome.error)) return "";
  const { usd, tokens, calls, seconds } = budget;
  const { calls: callsAhead = 0, tokens: tokensAhead = 0, cost: costAhead = 0 } = estimate?.worst ?? {};
  const { budget: needed } = outcome.error.evidence ?? {};
  const atLeast = (was: number, ...wanted: (number | undefined)[]): number => Math.max(2 * was, ...wanted.filter((one) => one !== undefined));
  return [
    ...(usd === undefined ? [] : [` --budget ${(Math.ceil(atLeast(usd, cost + costAhead, needed?.usd) * 100) / 100).toFixed(2)}`]),
    ...(tokens === undefined ? [] : [` --max-tokens ${Math.ceil(atLeast(tokens, (usage.totalTokens ?? 0) + tokensAhead, needed?.tokens))}`]),
    ...(calls === undefined ? [] : [` --max-calls ${Math.ceil(atLeast(calls, made + callsAhead, needed?.calls))}`]),
    ...(seconds === undefined ? [] : [` --max-seconds ${Math.ceil(activeMs / 1_000 + seconds)}`]),
  ].join("");
}

/** A call that failed may have been meant to be tried again, and the budget did not allow that. */
function isShortOfBudget({ code, evidence }: ErrorData): boolean {
  return code === "budget_exhausted" || evidence?.budget !== undefined;
}

/** What a resume would do. */
export function whatIsLeft(state: RunState): string | undefined {
  const { outcome, runId, at = 0 } = state;
  if (outcome !== undefined && (isComplete(outcome) || ("error" in outcome && outcome.error.code === "run_taken_over"))) return undefined;
  // As it would be when it is resumed.
  const { plan, subtasks } = reduce(state, { type: "run.resumed", seq: 0, at, runId });
  if (!plan.complete && subtasks.length === 0) return plan.given ? "carry the plan out" : "begin with the plan";
  if (state.approval === "requested") return "ask for approval of the plan";
  const hopeless = hopelessIn(state);
  const left = subtasks.filter(({ subtask, status }) => status === "waiting" && !hopeless.has(keyOf(subtask.id)));
  // Written already, and never judged.
  const unjudged = left.filter(({ subtask }) => state.subtasks.some((one) => one.subtask.id === subtask.id && one.status === "done")).length;
  const missing = left.length - unjudged;
  const parts = [...(plan.complete ? [] : ["the rest of the plan"]), ...(missing > 0 ? [count(missing, "subtask")] : [])];
  // What is laid out side by side needs nobody to write it; what was written of all that can be had would be the same again.
  if (left.length === 0 && parts.length === 0 && (plan.combine === "keep" || answerStands(state))) return undefined;
  return `${unjudged > 0 ? `judge ${count(unjudged, "result")} and ` : ""}do ${listed([...parts, "the answer"])}`;
}

/** Was the answer written, and judged where it was to be, of all that there is? Then only what cannot be had is missing. */
function answerStands({ outcome, answer }: RunState): boolean {
  if (outcome?.status !== "partial" || outcome.error.code !== "incomplete" || !outcome.coverage.planComplete || answer.status === "failed") return false;
  return !evaluationsIn(outcome).some(lacksCall);
}

/** What asking again does not change, and what waits for it; by key. */
function hopelessIn({ subtasks }: RunState): ReadonlySet<string> {
  const hopeless = subtasks.filter(({ error }) => error?.code === "unable" || error?.code === "dependency_cycle");
  const keys = hopeless.map(({ subtask }) => keyOf(subtask.id));
  const all = subtasks.map(({ subtask }) => subtask);
  return withDependants(keys, all);
}
