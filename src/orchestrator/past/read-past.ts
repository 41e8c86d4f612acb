import { DivvyError, type ErrorData } from "../../errors.ts";
import type { Fact } from "../../events.ts";
import { keyOf } from "../../names.ts";
import { lacksCall, type Outcome } from "../../outcome.ts";
import { anotherSample } from "../../sample.ts";
import { functionModel, refName } from "../../role.ts";
import type { Combine, DividedPlan, Plan, Planned } from "../../subtask.ts";
import type { Before } from "../../work/job.ts";
import type { WorkEnd } from "../../work/work.ts";
import type { JobEnd } from "../../work/worker.ts";
import type { Declined, Look, Past } from "./past.ts";

/**
 * Reads a run's log.
 *
 * @throws DivvyError `run_not_found` where it holds no run
 */
export function readPast(runId: string, facts: readonly Fact[]): Past {
  const started = facts.find((fact) => fact.type === "run.started");
  if (started === undefined) throw new DivvyError("run_not_found", `No run ${runId} is kept.`);
  const { request, setup, concurrency, sharedCache } = started;
  const history: Planned[] = [];
  /** How each has ended last, for good or not. */
  const latest = new Map<string, WorkEnd>();
  let round = 1;
  let look: (Look & { readonly ends: Map<string, WorkEnd> }) | undefined;
  const ends = new Map<string, JobEnd>();
  const unjudged = new Set<string>();
  const begun = new Set<string>();
  const asked = new Set<string>();
  const delivered = new Map<string, Before>();
  // Older logs name both calls alike in which a synthesizer compared two results at once.
  const open = new Map<string, readonly (Fact & { type: "attempt.started" })[]>();
  const first = { number: 0, format: setup.planFormat, stood: 0 };
  let question: Past["question"] = first;
  let approval: Past["approval"] = started.approval && "needed";
  const declined: Declined[] = [];
  let requested: DividedPlan | undefined;
  let [questionOver, dropped, badAnswers, analysis] = [false, 0, 0, ""];
  let given: Plan | undefined;
  let combine: Combine | undefined;
  let plan: Past["plan"];
  let { budget } = started;
  let outcome: Outcome | undefined;

  /** What was planned is void. */
  const startOver = (): void => {
    history.length = 0;
    for (const known of [ends, latest, unjudged, delivered]) known.clear();
  };

  for (const fact of facts) {
    switch (fact.type) {
      case "run.resumed":
        outcome = undefined;
        budget = fact.budget;
        if (fact.approval === true && approval !== "given") approval = "needed";
        // It did not come to an end with that answer, and asks again.
        if (plan === "answered") plan = undefined;
        break;
      case "plan.started":
        given = fact.plan;
        break;
      case "plan.opened":
        combine = fact.combine;
        break;
      case "plan.asked_again":
        question = { number: fact.round, format: fact.format, stood: history.length };
        questionOver = false;
        analysis = fact.analysis;
        break;
      case "plan.finished":
        [combine, dropped, questionOver] = [fact.combine, fact.dropped, true];
        plan = fact.complete ? "complete" : undefined;
        if (!fact.complete && look !== undefined) break;
        analysis = fact.analysis;
        look = undefined;
        break;
      case "round.started":
        look = { ends: new Map(latest), added: history.length, analysis };
        [round, plan, analysis, questionOver] = [fact.round, undefined, "", false];
        question = { number: 0, format: setup.planFormat, stood: history.length };
        break;
      case "plan.failed":
        questionOver = true;
        break;
      case "approval.requested":
        requested = fact.plan;
        break;
      case "approval.given":
        approval = "given";
        if (!fact.edited) break;
        startOver();
        // Whatever was handed in before, this stands in place of it.
        [given, plan, analysis, combine] = [undefined, "complete", fact.plan.analysis, fact.plan.combine];
        break;
      case "approval.declined":
        if (requested !== undefined) declined.push({ plan: requested, feedback: fact.feedback });
        startOver();
        [given, plan, combine, question, questionOver, analysis, dropped] = [undefined, undefined, undefined, first, false, "", 0];
        break;
      case "plan.answered":
        [analysis, plan] = [fact.analysis, "answered"];
        break;
      case "subtask.planned": {
        const { subtask, ordinal, sample } = fact;
        history.push({ subtask, ordinal, sample, ...(fact.round !== undefined && { round: fact.round }) });
        // It may stand in the place of another one: what became of that is over.
        for (const known of [ends, latest, unjudged, begun, asked, delivered]) known.delete(keyOf(subtask.id));
        break;
      }
      case "subtask.started":
        begun.add(keyOf(fact.subtaskId));
        if (fact.model !== functionModel) asked.add(keyOf(fact.subtaskId));
        break;
      case "subtask.delivered": {
        const before = delivered.get(keyOf(fact.subtaskId))?.results ?? [];
        delivered.set(keyOf(fact.subtaskId), { results: [...before, fact.result], mayHaveBegun: false });
        break;
      }
      case "subtask.evaluated": {
        const before = delivered.get(keyOf(fact.subtaskId));
        // If the last of them fell short, the next try has begun; of earlier ones a resume says once more what was said of them.
        if (before?.results.length === fact.try) delivered.set(keyOf(fact.subtaskId), { ...before, mayHaveBegun: true });
        break;
      }
      case "subtask.finished": {
        const key = keyOf(fact.subtaskId);
        ends.set(key, doneIn(fact));
        latest.set(key, doneIn(fact));
        const before = delivered.get(key);
        // The budget kept it from its verdict, or from a further try: that had not begun.
        if (before !== undefined && fact.evaluation?.error?.code === "budget_exhausted") delivered.set(key, { ...before, mayHaveBegun: false });
        if (lacksCall(fact.evaluation) && (asked.has(key) || delivered.has(key))) unjudged.add(key);
        else unjudged.delete(key);
        // Tried again after a look that came to nothing: the next one sees it done, and leaves it so.
        if (look !== undefined && !isOfRound(history, key, look.added)) look.ends.set(key, doneIn(fact));
        break;
      }
      case "subtask.failed": {
        const end = { status: "failed" as const, error: errorFrom(fact.error), attempts: fact.attempts };
        latest.set(keyOf(fact.subtaskId), end);
        if (isBadReply(fact.error)) askAnew(history, fact.subtaskId);
        if (fact.error.code === "unable") {
          ends.set(keyOf(fact.subtaskId), end);
          // What had been done of it, and was to be judged, stands no more.
          unjudged.delete(keyOf(fact.subtaskId));
        }
        break;
      }
      case "subtask.skipped":
        latest.set(keyOf(fact.subtaskId), { status: "skipped", reason: fact.reason, because: fact.because });
        break;
      case "attempt.started":
        open.set(attemptName(fact), [...(open.get(attemptName(fact)) ?? []), fact]);
        break;
      case "attempt.settled":
        open.set(attemptName(fact), open.get(attemptName(fact))?.slice(1) ?? []);
        break;
      case "synthesis.failed":
        if (fact.error.code === "choice_failed" || isBadReply(fact.error)) badAnswers++;
        break;
      case "run.finished":
        outcome = fact.outcome;
        break;
      default:
    }
  }
  return {
    request,
    setup,
    concurrency,
    sharedCache,
    budget,
    given,
    planned: standing(history),
    history,
    round,
    look,
    combine,
    analysis,
    plan,
    dropped,
    approval,
    declined,
    question,
    questionOver,
    ends,
    unjudged,
    begun,
    delivered,
    open: [...open.values()].flat(),
    badAnswers,
    outcome,
  };
}

/** Was a subtask planned, or planned anew, when so many had been? */
function isOfRound(history: readonly Planned[], key: string, added: number): boolean {
  return history.slice(added).some(({ subtask }) => keyOf(subtask.id) === key);
}

/** What is left of the plan, each at its place: one that was planned again stands in place of the one before. */
function standing(history: readonly Planned[]): readonly Planned[] {
  const planned: Planned[] = [];
  for (const one of history) planned[one.ordinal] = one;
  return planned;
}

function doneIn({ result, truncated, attempts, evaluation, chosen }: Fact & { type: "subtask.finished" }): JobEnd {
  return { status: "done", result, truncated, attempts, ...(evaluation && { evaluation }), ...(chosen && { chosen }) };
}

/** It came, and does not have its form. One that its schema could not tell of may have it; one that the budget left as it was may get it. */
function isBadReply({ code, evidence }: ErrorData): boolean {
  return code === "output_invalid" && evidence?.issues !== undefined && evidence.budget === undefined;
}

/** What was recorded for it is of no use: another answer is asked for. */
function askAnew(history: Planned[], subtaskId: string): void {
  const index = history.findLastIndex(({ subtask }) => keyOf(subtask.id) === keyOf(subtaskId));
  const one = history[index];
  if (one !== undefined) history[index] = { ...one, sample: anotherSample(one.sample) };
}

function attemptName(fact: Fact & { type: "attempt.started" | "attempt.settled" }): string {
  return `${refName(fact)} ${fact.attempt}`;
}

function errorFrom({ code, message, hint, retryable, evidence }: ErrorData): DivvyError {
  return new DivvyError(code, message, { hint, retryable, ...(evidence && { evidence }) });
}
