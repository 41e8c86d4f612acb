import type { ErrorData } from "./errors.ts";
import type { Budget } from "./budget.ts";
import type { Evaluation, TryVerdict } from "./evaluation/verdict.ts";
import type { Estimate } from "./estimate.ts";
import type { RunRequest } from "./events.ts";
import type { RejectedTry } from "./output/rejected-try.ts";
import type { SampleChoice } from "./sample-choice.ts";
import type { Notice } from "./notice.ts";
import type { SkipReason } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import type { Combine, Subtask } from "./subtask.ts";
import { noUsage, type SpentUsage } from "./usage.ts";

/** What one call of a run is doing, over its attempts. */
export interface CallState {
  /** `queued`: waits for its turn. `retrying`: failed, and will be tried again. */
  readonly status: "waiting" | "queued" | "running" | "retrying" | "done" | "failed";
  readonly model: string | undefined;
  readonly attempt: number;
  /** What is being written; a text that has ended stands in `result`s and the outcome, not here, unless it is one. */
  readonly text: string;
  /** Which try the text is of. An answer's tries are counted apart: only what can be taken back is written anew. */
  readonly textAttempt: number;
  readonly usage: SpentUsage;
  /** US dollars; `undefined` once a price was not known. */
  readonly cost: number | undefined;
  /** When its first attempt left, in epoch milliseconds. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly error: ErrorData | undefined;
  /** Why its last reply does not have the form that was asked for; until one has it. */
  readonly rejected: RejectedTry | undefined;
  /** What was said of its last try by who judges it. */
  readonly verdict: TryVerdict | undefined;
  /** When it will be tried again, in epoch milliseconds; set while it is `retrying`. */
  readonly retryAt: number | undefined;
}

export interface SubtaskState extends Omit<CallState, "status"> {
  readonly subtask: Subtask;
  readonly status: CallState["status"] | "skipped";
  readonly skipped: SkipReason | undefined;
  /** How its result was judged; set once it is done, where it was. */
  readonly evaluation: Evaluation | undefined;
  /** Which of several tries of it was kept. */
  readonly chosen: SampleChoice | undefined;
  /** Id of the subtask for whose sake it was skipped; empty where there is none. */
  readonly because: string;
}

/** A run as a door shows it. Plain data, made from events alone. */
export interface RunState {
  readonly runId: string;
  readonly phase: "starting" | "planning" | "approving" | "working" | "answering" | "finished";
  readonly request: RunRequest | undefined;
  readonly startedAt: number | undefined;
  /** When the last event happened. */
  readonly at: number | undefined;
  /** How long it was carried out, over all its lives, in milliseconds: what lies between them does not count, nor does the wait for approval. */
  readonly activeMs: number;
  /** How long somebody was waited for who was asked for approval, in its present life, in milliseconds. */
  readonly waitedMs: number;
  readonly plan: CallState & {
    readonly given: boolean;
    readonly analysis: string;
    readonly combine: Combine | undefined;
    readonly complete: boolean;
    /** Whose plan it is, where it was taken over: the run, its task, and how alike that is, from 0 to 1. */
    readonly reused: { readonly fromRunId: string; readonly task: string; readonly similarity: number } | undefined;
  };
  /** Whose plan it is, or is becoming: 1 for the first, more once the orchestrator was shown what came of it. */
  readonly round: number;
  /** `requested`: somebody is, or was, asked whether the plan may be carried out, and has not said so. Nothing where nobody was. */
  readonly approval: "requested" | "given" | undefined;
  /** In plan order. */
  readonly subtasks: readonly SubtaskState[];
  readonly answer: CallState;
  /** What is done so that the results fit the synthesizer's window; until the answer itself is written. */
  readonly reduction: { readonly level: number; readonly texts: number; readonly groups: number } | undefined;
  /** Whose result the synthesizer chose, and why. */
  readonly chosen: { readonly subtaskId: string; readonly reason: string } | undefined;
  readonly notices: readonly Notice[];
  /** The model that was throttled last, why, and when its calls go on, in epoch milliseconds; until a call to it leaves again. */
  readonly throttled: { readonly model: string; readonly reason: ErrorData["code"]; readonly until: number } | undefined;
  readonly calls: number;
  readonly usage: SpentUsage;
  readonly cost: number | undefined;
  /** What it may use at most, by its budget. */
  readonly budget: Budget | undefined;
  /** What the run may use in all, as it looked when its plan was known. */
  readonly estimate: Estimate | undefined;
  readonly outcome: Outcome | undefined;
}

/** A call of which nothing is known yet. */
export const idleCall: CallState = {
  status: "waiting",
  model: undefined,
  attempt: 1,
  text: "",
  textAttempt: 1,
  usage: noUsage,
  cost: 0,
  startedAt: undefined,
  endedAt: undefined,
  error: undefined,
  rejected: undefined,
  verdict: undefined,
  retryAt: undefined,
};

export const initialRunState: RunState = {
  runId: "",
  phase: "starting",
  request: undefined,
  startedAt: undefined,
  at: undefined,
  activeMs: 0,
  waitedMs: 0,
  plan: { ...idleCall, given: false, analysis: "", combine: undefined, complete: false, reused: undefined },
  round: 1,
  approval: undefined,
  subtasks: [],
  answer: idleCall,
  reduction: undefined,
  chosen: undefined,
  notices: [],
  throttled: undefined,
  calls: 0,
  usage: noUsage,
  cost: 0,
  budget: undefined,
  estimate: undefined,
  outcome: undefined,
};
