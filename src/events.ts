import type { ErrorData } from "./errors.ts";
import type { Budget } from "./budget.ts";
import type { Estimate, Spend } from "./estimate.ts";
import type { Evaluation, TryVerdict } from "./evaluation/verdict.ts";
import type { JsonRecord } from "./json.ts";
import type { Notice } from "./notice.ts";
import type { Outcome, SkipReason } from "./outcome.ts";
import type { RejectedTry } from "./output/rejected-try.ts";
import type { CallRef } from "./role.ts";
import type { SampleChoice } from "./sample-choice.ts";
import type { RunPrint } from "./run-print.ts";
import type { Combine, DividedPlan, Plan, Subtask } from "./subtask.ts";
import type { SpentUsage } from "./usage.ts";

export type RunRequest = {
  readonly task: string;
  /** What the task is about: free text, or named values. */
  readonly context: string | JsonRecord;
};

/** Facts: kept in the run log, in order, never changed. */
export type FactBody =
  | {
      readonly type: "run.started";
      readonly request: RunRequest;
      /** The model of each role; workers by kind, `default` for all others. */
      readonly models: { readonly orchestrator: string; readonly synthesizer: string; readonly workers: Readonly<Record<string, string>> };
      readonly concurrency: number;
      /** What the run may use; absent where it is not bounded. */
      readonly budget?: Budget;
      /** What decides the calls of this run; a run that is resumed under other ones has drifted. */
      readonly setup: RunPrint;
      /** The name of the shared cache where its calls are recorded; absent where they are its own. */
      readonly sharedCache?: string;
      /** The run from which this one takes over results. */
      readonly rerunOf?: string;
      /** Nothing of its plan starts before somebody approves it. @default false */
      readonly approval?: true;
    }
  /** Another process, or the same one later, goes on with the run: what is not done is begun anew. */
  | {
      readonly type: "run.resumed";
      /** What all its lives together may use; absent where that is not bounded. */
      readonly budget?: Budget;
      /** From now on its plan needs approval, whatever was said before. */
      readonly approval?: true;
    }
  | {
      readonly type: "plan.started";
      readonly given: boolean;
      /** The plan that was given. */
      readonly plan?: Plan;
    }
  /** Plans of earlier runs were looked through for one whose request is like this one. */
  | {
      readonly type: "plan.looked_up";
      /** The embedding model. */
      readonly model: string;
      /** Plans that there were. */
      readonly plans: number;
      /** Of the one most alike; absent where there was none. */
      readonly similarity?: number;
    }
  /** A plan is taken over, and the orchestrator is not asked: it was written for this task, in that run. */
  | { readonly type: "plan.reused"; readonly task: string; readonly similarity: number; readonly fromRunId: string }
  /** The plan says how its results are to be combined. */
  | { readonly type: "plan.opened"; readonly combine: Combine }
  | {
      readonly type: "plan.asked_again";
      readonly reason: string;
      readonly format: "xml" | "json";
      /** The number of this question among those of its round: 1 for the first after the round's own. */ readonly round: number;
      /** What was written of it so far. */ readonly analysis: string;
    }
  | {
      readonly type: "plan.finished";
      readonly analysis: string;
      readonly combine: Combine;
      readonly subtasks: number;
      /** Over the limit. */ readonly dropped: number;
      readonly complete: boolean;
      /** What the whole run may use: what it has used so far, and what carrying out the rest of this plan may. */
      readonly estimate?: Estimate;
    }
  | { readonly type: "plan.answered"; readonly analysis: string }
  | { readonly type: "plan.failed"; readonly error: ErrorData }
  /** Somebody is asked whether this plan may be carried out. Until the next event nobody carries the run out, and no time counts. */
  | { readonly type: "approval.requested"; readonly plan: DividedPlan; readonly estimate: Estimate }
  | {
      readonly type: "approval.given";
      /** As it will be carried out. */ readonly plan: DividedPlan;
      /** What was planned before is void, and what is planned instead follows. */ readonly edited: boolean;
    }
  /** What was planned is void: another plan is asked for. */
  | { readonly type: "approval.declined"; /** What was said of the plan. */ readonly feedback: string }
  | { readonly type: "approval.rejected" }
  /** All of the round before has ended, and the orchestrator is asked to look at it: what it plans next is of this round. */
  | {
      readonly type: "round.started";
      /** 2 for the first that follows the plan's own. */ readonly round: number;
      /** Ids of subtasks of whose results it was shown only the beginning. */ readonly cut: readonly string[];
    }
  | {
      readonly type: "subtask.planned";
      /** One whose id was planned before takes the place of that one, which had come to nothing. */ readonly subtask: Subtask;
      readonly ordinal: number;
      readonly sample: number;
      /** @default 1 */ readonly round?: number;
    }
  | { readonly type: "subtask.started"; readonly subtaskId: string; readonly model: string }
  /** A reply does not have the form that was asked for: a worker's, or without a subtask, the synthesizer's. */
  | ({
      readonly type: "output.rejected";
      readonly subtaskId?: string;
      /** Set of one of several tries from the second on: which. */ readonly part?: string;
    } & RejectedTry)
  /** A function has come to a result, which is to be judged: whatever becomes of that, it is not made again. */
  | { readonly type: "subtask.delivered"; readonly subtaskId: string; readonly result: string }
  /** A try of its result was judged. */
  | ({ readonly type: "subtask.evaluated"; readonly subtaskId: string } & TryVerdict)
  /** It was carried out several times, and one of the tries is kept. */
  | ({ readonly type: "subtask.chosen"; readonly subtaskId: string } & SampleChoice)
  | {
      readonly type: "subtask.finished";
      readonly subtaskId: string;
      readonly result: string;
      readonly truncated: boolean;
      readonly attempts: number;
      /** Absent where nobody judged it. */
      readonly evaluation?: Evaluation;
      /** Absent where it was not chosen from several tries. */
      readonly chosen?: SampleChoice;
    }
  | { readonly type: "subtask.failed"; readonly subtaskId: string; readonly error: ErrorData; readonly attempts: number }
  | {
      readonly type: "subtask.skipped";
      readonly subtaskId: string;
      readonly reason: SkipReason;
      /** Id of the subtask that it needed; empty where the run was stopped. */ readonly because: string;
    }
  | ({
      readonly type: "attempt.started";
      readonly attempt: number;
      readonly model: string;
      /** How often this try was begun before: sent back to the queue by the provider, or left by another run that had begun it. */ readonly requeues: number;
      /** What it may use at most: the request's tokens, estimated, and the output cap. Booked, as presumed, where its end is never known. */
      readonly reserved: { readonly inputTokens: number; readonly outputTokens: number };
    } & CallRef)
  | ({
      readonly type: "attempt.settled";
      readonly attempt: number;
      readonly usage: SpentUsage;
      readonly cost?: number;
      /** 0 where it is none of its run's calls: it goes back to the queue, never left, or is another run's from here on. @default 1 */
      readonly calls?: 0;
    } & CallRef)
  | ({ readonly type: "attempt.failed"; readonly attempt: number; readonly error: ErrorData; readonly retryInMs?: number } & CallRef)
  | ({
      readonly type: "governor.throttled";
      readonly model: string;
      readonly reason: ErrorData["code"];
      /** Epoch milliseconds. */ readonly until: number;
    } & CallRef)
  /** Four fifths of a run's budget are used. */
  | { readonly type: "budget.low"; readonly spent: Spend; readonly budget: Budget }
  | { readonly type: "synthesis.started"; readonly combine: Combine; readonly model: string }
  /** Together the results do not fit the synthesizer's window: neighbours are reduced to one shorter text each. */
  | {
      readonly type: "reduction.started";
      /** 1 for the results themselves, 2 for what became of them, and so on. */ readonly level: number;
      /** Texts of this level. */ readonly texts: number;
      /** Calls that reduce them; what is short stays as it is. */ readonly groups: number;
    }
  | {
      readonly type: "synthesis.chosen";
      readonly subtaskId: string;
      /** In the synthesizer's words; empty where it gives none. */ readonly reason: string;
      /** Ids of later results that were found as good. Absent where one reply named the result. */ readonly ties?: readonly string[];
    }
  | { readonly type: "synthesis.failed"; readonly error: ErrorData }
  /** A try of the answer was judged. */
  | ({ readonly type: "answer.evaluated" } & TryVerdict)
  | { readonly type: "run.noticed"; readonly notice: Notice }
  | { readonly type: "run.finished"; readonly outcome: Outcome };

/** Deltas: text on its way. A delta with a new `attempt` voids what came before under the same name. */
export type DeltaBody =
  | { readonly type: "plan.delta"; readonly attempt: number; readonly text: string }
  | { readonly type: "subtask.delta"; readonly subtaskId: string; readonly attempt: number; readonly text: string }
  | { readonly type: "answer.delta"; readonly attempt: number; readonly text: string };

export type EventBody = FactBody | DeltaBody;

interface Stamp {
  /** Rises by one with each event of the run; a reader that was slow sees gaps where deltas were merged. */
  readonly seq: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly runId: string;
}

export type Fact = FactBody & Stamp;
export type Delta = DeltaBody & Stamp;
/** A fact about a run, or text on its way. Told apart by `type`. */
export type RunEvent = Fact | Delta;

const deltaTypes: ReadonlySet<string> = new Set(["plan.delta", "subtask.delta", "answer.delta"] satisfies DeltaBody["type"][]);

export function isDelta<E extends EventBody>(event: E): event is E & DeltaBody {
  return deltaTypes.has(event.type);
}

/** Does a call begin with it? Further tries of a call do not count as calls, nor those that go out again because the provider sent them back. */
export function beginsCall({ attempt, requeues }: FactBody & { type: "attempt.started" }): boolean {
  return attempt === 1 && requeues === 0;
}
