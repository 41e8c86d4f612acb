import type { Budget } from "../budget.ts";
import { DivvyError, type ErrorData } from "../errors.ts";
import type { Fact, Request } from "../events.ts";
import { keyOf } from "../names.ts";
import type { Outcome } from "../outcome.ts";
import type { PlanFormat } from "../plan/format-plan.ts";
import { refName } from "../role.ts";
import type { RunPrint } from "../run-print.ts";
import type { Combine, DividedPlan, Plan, Planned } from "../subtask.ts";
import type { JobEnd } from "../work/worker.ts";

/** A plan that was sent back. */
export interface Declined {
  readonly plan: DividedPlan;
  readonly feedback: string;
}

/** What a run's log says of it: where it stood when it was left. */
export interface Past {
  readonly request: Request;
  readonly setup: RunPrint;
  readonly concurrency: number;
  /** Where its calls are recorded; nothing where they are its own. */
  readonly sharedCache: string | undefined;
  /** As it was named last. */
  readonly budget: Budget | undefined;
  /** The plan that was given; nothing where one was asked for. */
  readonly given: Plan | undefined;
  readonly planned: readonly Planned[];
  /** What the plan says, as far as it was read. */
  readonly combine: Combine | undefined;
  readonly analysis: string;
  /** Nothing where the plan's end is still to be had. */
  readonly plan: "complete" | "answered" | undefined;
  readonly dropped: number;
  /** `needed`: nothing of the plan may start before somebody approves it. Nothing where it needs no approval. */
  readonly approval: "needed" | "given" | undefined;
  /** Plans that were sent back, oldest first. */
  readonly declined: readonly Declined[];
  /** The last question for a plan: its number, its form, and how many subtasks stood before it. */
  readonly question: { readonly round: number; readonly format: PlanFormat; readonly stood: number };
  /** Is the reply to that question known to be over? Then it is not asked in the same words again. */
  readonly questionOver: boolean;
  /** What is settled for good, by the key of the subtask's id: done, or the worker was unable. */
  readonly ends: ReadonlyMap<string, JobEnd>;
  /** What was begun, by the key of the subtask's id. */
  readonly begun: ReadonlySet<string>;
  /** Attempts that left, and of which nothing more is known. */
  readonly open: readonly (Fact & { readonly type: "attempt.started" })[];
  /** How often the synthesizer chose what is no result, or compared without a verdict: that answer is recorded, so another one is asked for. */
  readonly badChoices: number;
  /** How the run ended the last time; nothing where it did not get to an end. */
  readonly outcome: Outcome | undefined;
}

/**
 * Reads a run's log.
 *
 * @throws DivvyError `run_not_found` where it holds no run
 */
export function readPast(runId: string, facts: readonly Fact[]): Past {
  const started = facts.find((fact) => fact.type === "run.started");
  if (started === undefined) throw new DivvyError("run_not_found", `No run ${runId} is kept.`);
  const { request, setup, concurrency, sharedCache } = started;
  const planned: Planned[] = [];
  const ends = new Map<string, JobEnd>();
  const begun = new Set<string>();
  // The synthesizer compares in two calls at once, which have one name, and may use alike.
  const open = new Map<string, readonly (Fact & { type: "attempt.started" })[]>();
  const first = { round: 0, format: setup.planFormat, stood: 0 };
  let question: Past["question"] = first;
  let approval: Past["approval"] = started.approval && "needed";
  const declined: Declined[] = [];
  let requested: DividedPlan | undefined;
  let [questionOver, dropped, badChoices, analysis] = [false, 0, 0, ""];
  let given: Plan | undefined;
  let combine: Combine | undefined;
  let plan: Past["plan"];
  let { budget } = started;
  let outcome: Outcome | undefined;

  /** What was planned is void. */
  const startOver = (): void => {
    planned.length = 0;
    ends.clear();
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
        question = { round: fact.round, format: fact.format, stood: planned.length };
        questionOver = false;
        analysis = fact.analysis;
        break;
      case "plan.finished":
        [analysis, combine, dropped, questionOver] = [fact.analysis, fact.combine, fact.dropped, true];
        plan = fact.complete ? "complete" : undefined;
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
      case "subtask.planned":
        planned.push({ subtask: fact.subtask, ordinal: fact.ordinal, sample: fact.sample });
        break;
      case "subtask.started":
        begun.add(keyOf(fact.subtaskId));
        break;
      case "subtask.finished":
        ends.set(keyOf(fact.subtaskId), {
          status: "done",
          result: fact.result,
          truncated: fact.truncated,
          attempts: fact.attempts,
          ...(fact.evaluation && { evaluation: fact.evaluation }),
        });
        break;
      case "subtask.failed":
        if (fact.error.code === "unable") ends.set(keyOf(fact.subtaskId), { status: "failed", error: errorFrom(fact.error), attempts: fact.attempts });
        break;
      case "attempt.started":
        open.set(attemptName(fact), [...(open.get(attemptName(fact)) ?? []), fact]);
        break;
      case "attempt.settled":
        open.set(attemptName(fact), open.get(attemptName(fact))?.slice(1) ?? []);
        break;
      case "synthesis.failed":
        if (fact.error.code === "choice_failed") badChoices++;
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
    planned,
    combine,
    analysis,
    plan,
    dropped,
    approval,
    declined,
    question,
    questionOver,
    ends,
    begun,
    open: [...open.values()].flat(),
    badChoices,
    outcome,
  };
}

function attemptName(fact: Fact & { type: "attempt.started" | "attempt.settled" }): string {
  return `${refName(fact)} ${fact.attempt}`;
}

function errorFrom({ code, message, hint, retryable, evidence }: ErrorData): DivvyError {
  return new DivvyError(code, message, { hint, retryable, ...(evidence && { evidence }) });
}
