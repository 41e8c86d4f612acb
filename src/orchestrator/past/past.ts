import type { Budget } from "../../budget.ts";
import { DivvyError, type ErrorData } from "../../errors.ts";
import type { Fact, RunRequest } from "../../events.ts";
import { keyOf } from "../../names.ts";
import { lacksCall, type Outcome } from "../../outcome.ts";
import type { PlanFormat } from "../../plan/format-plan.ts";
import { anotherSample } from "../../sample.ts";
import { functionModel, refName } from "../../role.ts";
import type { RunPrint } from "../../run-print.ts";
import type { Combine, DividedPlan, Plan, Planned } from "../../subtask.ts";
import type { Before } from "../../work/job.ts";
import type { WorkEnd } from "../../work/work.ts";
import type { JobEnd } from "../../work/worker.ts";

/** What the orchestrator was asked to look at when a round began. */
export interface Look {
  /** What had become of the subtasks, by the key of their ids; of those that are done since, that. */
  readonly ends: ReadonlyMap<string, WorkEnd>;
  /** How many subtasks had been planned. */
  readonly added: number;
  /** The orchestrator's analysis in the rounds before. */
  readonly analysis: string;
}

/** A plan that was sent back. */
export interface Declined {
  readonly plan: DividedPlan;
  readonly feedback: string;
}

/** What a run's log says of it: where it stood when it was left. */
export interface Past {
  readonly request: RunRequest;
  readonly setup: RunPrint;
  readonly concurrency: number;
  /** Where its calls are recorded; nothing where they are its own. */
  readonly sharedCache: string | undefined;
  /** As it was named last. */
  readonly budget: Budget | undefined;
  /** The plan that was given; nothing where one was asked for. */
  readonly given: Plan | undefined;
  /** The plan, what was replaced left out. */
  readonly planned: readonly Planned[];
  /** Every subtask that was ever planned, in the order in which they were. */
  readonly history: readonly Planned[];
  /** The last round that was begun. */
  readonly round: number;
  /** The orchestrator's look at the results, where it is not known to the end what it planned then. */
  readonly look: Look | undefined;
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
  readonly question: { readonly number: number; readonly format: PlanFormat; readonly stood: number };
  /** Is the reply to that question known to be over? Then it is not asked in the same words again. */
  readonly questionOver: boolean;
  /** What is settled for good, by the key of the subtask's id: done, or the worker was unable. */
  readonly ends: ReadonlyMap<string, JobEnd>;
  /**
   * Of those the done ones that nobody could judge, for want of budget, say. A resume carries them out once more: the same text comes
   * from the recorded call, or from what a function had delivered, and is judged now. Not what was taken over from another run, which
   * has neither here.
   */
  readonly unjudged: ReadonlySet<string>;
  /** What was begun, by the key of the subtask's id. */
  readonly begun: ReadonlySet<string>;
  /** What functions had delivered to be judged, by the key of the subtask's id. */
  readonly delivered: ReadonlyMap<string, Before>;
  /** Attempts that left, and of which nothing more is known. */
  readonly open: readonly (Fact & { readonly type: "attempt.started" })[];
  /**
   * How often the synthesizer chose what is no result, compared without a verdict, or wrote what does not have its form: that answer is
   * recorded, so another one is asked for.
   */
  readonly badAnswers: number;
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
        if (fact.error.code === "unable") ends.set(keyOf(fact.subtaskId), end);
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
