import { type Commonest, commonest } from "../../commonest.ts";
import { type Budget, largestBudget } from "../../budget.ts";
import type { Evaluation } from "../../evaluation/verdict.ts";
import { DivvyError, type ErrorCode, type ErrorData } from "../../errors.ts";
import { evaluationsIn, type Result } from "../../outcome.ts";
import { count, listed } from "../../quantity.ts";
import { sentence } from "../../sentence.ts";
import type { Synthesis } from "../../synthesis/synthesize.ts";
import type { Census, PlanEnding } from "./census.ts";

/** What became of a run's parts. */
export interface Parts {
  readonly planned: PlanEnding;
  readonly census: Census;
  readonly synthesis: Synthesis;
}

/** What keeps a run from being `ok`, the gravest thing first; nothing where nothing does. */
export function firstGap(parts: Parts, stopped: DivvyError | undefined): ErrorData | undefined {
  const { planned, census, synthesis } = parts;
  const { done, results, dropped } = census;
  if (planned.kind === "failed") return planned.error.toJSON();
  if (planned.kind === "subtasks" && planned.refused !== undefined) return planned.refused.toJSON();
  const whole = planned.kind === "subtasks" && planned.error === undefined && dropped === 0 && synthesis.error === undefined && done.length === results.length;
  if (whole) return belowThreshold(results, synthesis, stopped);
  if (stopped !== undefined) return stopped.toJSON();
  const short = shortBudget(parts);
  if (short !== undefined) {
    const message = `The run's budget did not allow all of it. ${incompleteMessage(parts)}`;
    return new DivvyError("budget_exhausted", message, { evidence: short }).toJSON();
  }
  if (done.length === 0) return whyNothing(results);
  return new DivvyError("incomplete", incompleteMessage(parts)).toJSON();
}

/** All is there, and something of it is not as good as was asked for, or nobody could say whether it is. */
function belowThreshold(results: readonly Result[], synthesis: Synthesis, stopped: DivvyError | undefined): ErrorData | undefined {
  const { evaluation: ofAnswer } = synthesis;
  const partsOf = (isMeant: (evaluation: Evaluation) => boolean): string => {
    const ids = results.flatMap((result) => (result.status === "done" && result.evaluation !== undefined && isMeant(result.evaluation) ? [result.id] : []));
    const parts = ids.length > 0 ? [`${ids.length} of ${count(results.length, "result")} (${listed(ids)})`] : [];
    return [...parts, ...(ofAnswer !== undefined && isMeant(ofAnswer) ? ["the answer"] : [])].join(", and ");
  };
  const failing = partsOf(({ passed }) => !passed);
  if (failing === "") return undefined;
  const errors = evaluationsIn({ results, evaluation: ofAnswer }).flatMap(({ error }) => error ?? []);
  const cut = stopped && errors.find(({ code }) => code === stopped.code);
  if (cut !== undefined) return { ...cut, message: `${cut.message} All is there, but not judged to the end: ${failing}.` };
  const budget = budgetIn(errors);
  if (budget !== undefined) {
    const message = `The run's budget did not allow all of it. All is there, but not judged to the end: ${failing}.`;
    return new DivvyError("budget_exhausted", message, { evidence: budget }).toJSON();
  }
  const short = partsOf(({ passed, score }) => !passed && score !== undefined);
  const unjudged = partsOf(({ passed, score }) => !passed && score === undefined);
  const said = [
    ...(short === "" ? [] : [`not all as good as was asked for: ${short}.`]),
    ...(unjudged === "" ? [] : [`not all could be judged: ${unjudged}.`]),
  ].join(" And ");
  const why = errors[0] === undefined ? "" : ` ${unjudged === "" ? "Not every try could be written or judged: " : ""}${errors[0].message}`;
  return new DivvyError("below_threshold", `All is there, and ${said}${why}`).toJSON();
}

/** Whether a larger budget would have allowed more, and as far as it is known which; nothing where it would not. */
function shortBudget({ planned, census: { results }, synthesis }: Parts): { readonly budget?: Budget } | undefined {
  const broke = planned.kind === "subtasks" ? planned.error : undefined;
  const named = budgetIn([broke, synthesis.error, ...failures(results)].filter((error) => error !== undefined));
  return named ?? (results.some((result) => result.status === "skipped" && result.reason === "budget") ? {} : undefined);
}

function budgetIn(errors: readonly (ErrorData | DivvyError)[]): { readonly budget?: Budget } | undefined {
  const needed = errors.flatMap(({ evidence }) => evidence?.budget ?? []);
  if (needed.length > 0) return { budget: largestBudget(needed) };
  return errors.some(({ code }) => code === "budget_exhausted") ? {} : undefined;
}

/** A provider that wants fewer calls, and a call that therefore never had its turn. */
const throttling: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["rate_limited", "overloaded", "admission_timeout"]);

/** Where every subtask failed for one reason, that reason says more than the count; of several, the commonest is named. */
function whyNothing(results: readonly Result[]): ErrorData {
  const none = `None of the ${results.length} subtasks succeeded.`;
  const errors = failures(results);
  const cause = commonest(errors);
  if (cause === undefined) return new DivvyError("nothing_done", none).toJSON();
  const { error, count, causes } = cause;
  if (count === errors.length) return error;
  if (errors.every(({ code }) => throttling.has(code))) return throttled(none, errors, cause);
  const message = count === 1 ? `${none} Each failed for a reason of its own.` : `${none} ${count} of them failed alike: ${error.message}`;
  return new DivvyError("nothing_done", message, { evidence: { causes } }).toJSON();
}

/** The provider's own word says why the others waited in vain. */
function throttled(none: string, errors: readonly ErrorData[], { causes, ...cause }: Commonest): ErrorData {
  const { error } = commonest(errors.filter(({ code }) => code !== "admission_timeout")) ?? cause;
  const waited = causes.admission_timeout ?? 0;
  const message = `${none} ${sentence(error.message)}${waited === 0 ? "" : ` ${waited} waited for their turn in vain.`}`;
  return { ...error, message, evidence: { ...error.evidence, causes } };
}

function failures(results: readonly Result[]): readonly ErrorData[] {
  return results.flatMap((result) => (result.status === "failed" ? result.error : []));
}

function incompleteMessage({ planned, census: { done, results, missing, dropped }, synthesis }: Parts): string {
  const parts = [`${done.length} of ${results.length} subtasks are done.`];
  if (missing.length > 0) parts.push(`Missing: ${missing.map(({ id }) => id).join(", ")}.`);
  const cause = commonest(failures(results));
  // One alone stands in the coverage, and in its own line.
  if (cause !== undefined && cause.count > 1) parts.push(`${cause.count} of them failed alike: ${sentence(cause.error.message)}`);
  if (dropped > 0) parts.push(`${dropped} more were over the limit and dropped.`);
  if (planned.kind === "subtasks" && planned.error !== undefined) parts.push(`The plan broke off: ${sentence(planned.error.message)}`);
  if (synthesis.error !== undefined) parts.push(`The answer could not be written, so the results are laid out: ${synthesis.error.message}`);
  return parts.join(" ");
}
