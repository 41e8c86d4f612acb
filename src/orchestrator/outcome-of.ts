import { DivvyError, type ErrorData, isStop } from "../errors.ts";
import type { Notice } from "../notice.ts";
import type { AnswerMode, Coverage, Outcome, Result } from "../outcome.ts";
import type { Plan } from "../subtask.ts";
import type { Synthesis } from "../synthesis/synthesize.ts";
import type { Census, PlanEnding } from "./census.ts";
import type { Tally } from "./tally.ts";

export interface RunEnd {
  readonly runId: string;
  readonly planned: PlanEnding;
  readonly census: Census;
  readonly synthesis: Synthesis;
  /** How results become the answer, as the plan says. */
  readonly plan: Plan | undefined;
  readonly notices: readonly Notice[];
  readonly answer: string;
  readonly signal: AbortSignal;
  readonly tally: Tally;
  readonly durationMs: number;
}

/** The outcome of a run, said as it is: `ok` only where nothing at all is missing. */
export function outcomeOf(end: RunEnd): Outcome {
  const { runId, planned, census, tally, signal, answer } = end;
  const cost = tally.cost;
  const base = {
    runId,
    coverage: coverageOf(end),
    analysis: planned.analysis,
    ...(end.plan && { plan: end.plan }),
    results: census.results,
    calls: tally.calls,
    usage: tally.usage,
    ...(cost !== undefined && { cost }),
    ...(tally.estimate && { estimate: tally.estimate }),
    durationMs: Math.round(end.durationMs),
  };
  const stopped = signal.aborted && signal.reason instanceof DivvyError ? signal.reason : undefined;
  if (planned.kind === "direct") return { status: "ok", ...base, text: answer };
  const gap = firstGap(end, stopped);
  if (gap === undefined) return { status: "ok", ...base, text: answer };
  if (stopped !== undefined && isStop(stopped)) return { status: "aborted", ...base, error: stopped.toJSON() };
  if (census.done.length > 0) return { status: "partial", ...base, text: answer, error: gap };
  return { status: "failed", ...base, error: gap };
}

/** What keeps a run from being `ok`, the gravest thing first; nothing where nothing does. */
function firstGap({ planned, census, synthesis }: RunEnd, stopped: DivvyError | undefined): ErrorData | undefined {
  const { done, results, dropped } = census;
  if (planned.kind === "failed") return planned.error.toJSON();
  const whole = planned.kind === "subtasks" && planned.error === undefined && dropped === 0 && synthesis.error === undefined && done.length === results.length;
  if (whole) return undefined;
  if (stopped !== undefined) return stopped.toJSON();
  const broke = planned.kind === "subtasks" ? planned.error : undefined;
  const isShort =
    [broke, synthesis.error].some((error) => error?.code === "budget_exhausted") ||
    results.some((result) => result.status === "skipped" && result.reason === "budget");
  if (isShort) return new DivvyError("budget_exhausted", `The run's budget did not allow all of it. ${incompleteMessage(planned, census, synthesis)}`).toJSON();
  if (done.length === 0) return sharedError(results) ?? new DivvyError("nothing_done", `None of the ${results.length} subtasks succeeded.`).toJSON();
  return new DivvyError("incomplete", incompleteMessage(planned, census, synthesis)).toJSON();
}

/** Where every subtask failed for one reason, that reason says more than the count. */
function sharedError(results: readonly Result[]): ErrorData | undefined {
  const errors = results.flatMap((result) => (result.status === "failed" ? result.error : []));
  const [first] = errors;
  return first !== undefined && errors.every(({ code }) => code === first.code) ? first : undefined;
}

function incompleteMessage(planned: PlanEnding, { done, results, missing, dropped }: Census, synthesis: Synthesis): string {
  const parts = [`${done.length} of ${results.length} subtasks are done.`];
  if (missing.length > 0) parts.push(`Missing: ${missing.map(({ id }) => id).join(", ")}.`);
  if (dropped > 0) parts.push(`${dropped} more were over the limit and dropped.`);
  if (planned.kind === "subtasks" && planned.error !== undefined) parts.push(`The plan broke off: ${planned.error.message}`);
  if (synthesis.error !== undefined) parts.push(`The answer could not be written, so the results are laid out: ${synthesis.error.message}`);
  return parts.join(" ");
}

function coverageOf({ planned, census, synthesis, notices }: RunEnd): Coverage {
  const { results, done, missing, dropped, planComplete } = census;
  const answer: AnswerMode = planned.kind === "direct" ? "direct" : synthesis.mode;
  return {
    planned: results.length + dropped,
    done: done.length,
    failed: results.filter(({ status }) => status === "failed").length,
    skipped: results.filter(({ status }) => status === "skipped").length,
    dropped,
    planComplete,
    answer,
    missing,
    notices,
  };
}

/** A run that could not begin, or that broke by a fault of our own. */
export function failedOutcome(runId: string, error: DivvyError, tally: Tally, durationMs: number): Outcome {
  return {
    status: isStop(error) ? "aborted" : "failed",
    runId,
    coverage: { planned: 0, done: 0, failed: 0, skipped: 0, dropped: 0, planComplete: false, answer: "none", missing: [], notices: tally.notices },
    analysis: "",
    results: [],
    calls: tally.calls,
    usage: tally.usage,
    ...(tally.cost !== undefined && { cost: tally.cost }),
    durationMs: Math.round(durationMs),
    error: error.toJSON(),
  };
}
