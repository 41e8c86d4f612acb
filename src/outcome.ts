import type { Evaluation } from "./evaluation/verdict.ts";
import type { ErrorData } from "./errors.ts";
import type { Estimate } from "./estimate.ts";
import type { Notice } from "./notice.ts";
import type { Role } from "./role.ts";
import type { SampleChoice } from "./sample-choice.ts";
import type { Combine, Plan } from "./subtask.ts";
import type { SpentUsage } from "./usage.ts";

type ResultBase<Kind extends string = string> = {
  /** Of its worker: its name in the options' `workers`, as it is written there; `default` where the general one took it. */
  readonly kind: Kind;
  readonly id: string;
  readonly type: string;
  readonly description: string;
  readonly dependsOn: readonly string[];
  /** Tries that left for its worker's model; 0 where none did. */
  readonly attempts: number;
  /** Over all attempts, failed ones and those of who judged it included. */
  readonly usage: SpentUsage;
  /** From its first attempt to its end, pauses between attempts included, the wait for its first turn not. 0 where none left. */
  readonly durationMs: number;
};

/** Why a subtask was never started. */
export type SkipReason = "upstream" | "aborted" | "timeout" | "budget" | "approval";

type Done<Kind extends string = string> = ResultBase<Kind> & {
  readonly status: "done";
  /** The worker's text, whole; its JSON, where its kind has an `output`. */
  readonly result: string;
  /** Present where the output cap cut the text and the role allows that. */
  readonly truncated?: true;
  /** Present where it was judged. */
  readonly evaluation?: Evaluation;
  /** Present where it was chosen from several tries. */
  readonly chosen?: SampleChoice;
};

type NotDone<Kind extends string = string> =
  | (ResultBase<Kind> & { readonly status: "failed"; readonly error: ErrorData })
  | (ResultBase<Kind> & { readonly status: "skipped"; readonly reason: SkipReason });

/** What became of one subtask. */
export type Result =
  | (Done & {
      /** What the schema of its kind's `output` made of the text. Absent where its kind has none, and in events: it need not be JSON. */
      readonly output?: unknown;
    })
  | NotDone;

/** What became of a subtask of one kind; without an `output` where the kind has none. */
export type ResultOf<Kind extends string, Output = never> = (Done<Kind> & ([Output] extends [never] ? unknown : { readonly output: Output })) | NotDone<Kind>;

/** How the answer came about. `none` where no text was asked for or none could be written. */
export type AnswerMode = Combine | "direct" | "none";

/** What the answer rests on, and what it lacks. */
export interface Coverage {
  /** Subtasks that the orchestrator wrote, dropped ones included. */
  readonly planned: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  /** Over the limit. Exact duplicates that were dropped do not count. */
  readonly dropped: number;
  /** False where the plan was cut off and its end could not be had. */
  readonly planComplete: boolean;
  readonly answer: AnswerMode;
  /** One line for each thing that is missing, in plan order. */
  readonly missing: readonly { readonly id: string; readonly type: string; readonly why: string }[];
  readonly notices: readonly Notice[];
}

/** Usage of a run: the sum at the top, and what each role used. */
export interface RunUsage extends SpentUsage {
  readonly byRole: Readonly<Record<Role, SpentUsage>>;
}

type OutcomeBase<Each extends Result> = {
  readonly runId: string;
  readonly coverage: Coverage;
  /** The orchestrator's analysis; empty where it wrote none. */
  readonly analysis: string;
  /** Absent where the run ended before there was one. */
  readonly plan?: Plan;
  /** In plan order. */
  readonly results: readonly Each[];
  /** Model calls that left, each counted once, however many attempts it took: N + 1 for N subtasks, one more with a synthesis. */
  readonly calls: number;
  readonly usage: RunUsage;
  /** US dollars over all attempts. Absent where a price is not known, never 0 for unknown. */
  readonly cost?: number;
  /** Present where the answer was judged. */
  readonly evaluation?: Evaluation;
  /** What the run was thought to use when its plan was known, to be set beside `cost`. Absent where it never was. */
  readonly estimate?: Estimate;
  readonly durationMs: number;
};

/** What stands beside an answer's text. */
export interface Answered {
  /** What the schema of the synthesizer's `output` made of the text. Absent where there is none, and in events: it need not be JSON. */
  readonly output?: unknown;
}

/**
 * How a run ended. Plain data: it survives JSON and back, but for what schemas make of texts, each `output`, which is as they made it.
 *
 * - `ok`: a direct answer; or the plan complete, every subtask done, and the answer as asked
 * - `partial`: at least one subtask done, and anything else missing; or what was judged falls short
 * - `failed`: nothing done, or nobody could be asked to approve its plan
 * - `aborted`: stopped
 */
export type Outcome<Answer extends Answered = Answered, Each extends Result = Result> =
  | (OutcomeBase<Each> & { readonly status: "ok"; readonly text: string } & Answer)
  | (OutcomeBase<Each> & { readonly status: "partial"; readonly text: string; readonly error: ErrorData } & Partial<Answer>)
  | (OutcomeBase<Each> & { readonly status: "failed"; readonly error: ErrorData })
  | (OutcomeBase<Each> & { readonly status: "aborted"; readonly error: ErrorData });

/** Is nothing left of it to be done? It is `ok`; or all of it is there, and falls short of what was asked for only by who judges it. */
export function isComplete(outcome: Outcome): boolean {
  if (outcome.status === "ok") return true;
  if (outcome.status !== "partial" || outcome.error.code !== "below_threshold") return false;
  return !evaluationsIn(outcome).some(lacksCall);
}

/** What was said of the results that were judged, and of the answer where it was. */
export function evaluationsIn({
  results,
  evaluation,
}: {
  readonly results: readonly Result[];
  readonly evaluation?: Evaluation | undefined;
}): readonly Evaluation[] {
  return [...results.map((result) => (result.status === "done" ? result.evaluation : undefined)), evaluation].filter((one) => one !== undefined);
}

/**
 * Did a call fail that work was to be judged or written again by? It may come another time; a reply that was of no use is recorded, and
 * stays, as does what must not be done twice.
 */
export function lacksCall(evaluation: Evaluation | undefined): boolean {
  const error = evaluation?.error;
  if (error === undefined) return false;
  const { code, evidence } = error;
  if (evidence?.budget !== undefined) return true;
  const isSettled =
    code === "unable" ||
    code === "not_repeatable" ||
    (code === "output_invalid" && evidence?.issues !== undefined) ||
    (code === "no_verdict" && evidence !== undefined);
  return !isSettled;
}

/** An outcome as events and logs say it: without what schemas made of its texts, which need not be JSON. */
export function asLogged(outcome: Outcome): Outcome {
  const results = outcome.results.map((result): Result => {
    if (result.status !== "done") return result;
    const { output: _output, ...rest } = result;
    return rest;
  });
  if (outcome.status === "failed" || outcome.status === "aborted") return { ...outcome, results };
  const { output: _output, ...rest } = outcome;
  return { ...rest, results };
}
