import type { Budget } from "../../budget.ts";
import type { Fact, RunRequest } from "../../events.ts";
import type { Outcome } from "../../outcome.ts";
import type { PlanFormat } from "../../plan/format-plan.ts";
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
