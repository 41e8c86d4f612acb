import type { EmbeddingModelV4 } from "@ai-sdk/provider";
import type { Budget } from "./budget.ts";
import type { ContextInput } from "./context-input.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { Price } from "./models/model.ts";
import type { PlanHit } from "./plan-hit.ts";
import type { OrchestratorPromptInput, PlanExample } from "./plan/prompts/orchestrator-prompt.ts";
import type { Estimate } from "./estimate.ts";
import type { Combine, DividedPlan, Plan } from "./subtask.ts";
import type { Upstream } from "./work/worker-prompt.ts";
import type { ModelChoice, RoleOption, WorkerSettings, SynthesizerSettings, KindOption } from "./role-options.ts";

export interface Limits {
  /** Subtasks of one round of a plan; what is over is dropped, and said. From 1 to 10,000. @default 20 */
  readonly subtasks?: number | undefined;
  /** Workers of one run; a plan that is handed in and has more is refused. From 1 to 10,000. @default 100, or `subtasks` if that is more */
  readonly workers?: number | undefined;
  /**
   * Rounds of a plan that the orchestrator writes: with more than one it is shown the results of each, and may add subtasks, write
   * failed ones anew, or finish. From 1 to 20. @default 1
   */
  readonly rounds?: number | undefined;
  /** How often the rest of a broken plan is asked for in its own format, before it is asked for as JSON. From 0 to 10. @default 2 */
  readonly planCompletions?: number | undefined;
  /** How often a reply that does not have the form of its role's `output` is asked for again, with what is wrong. From 0 to 10. @default 1 */
  readonly outputRepairs?: number | undefined;
  /** Results of other subtasks that one worker is given, or the orchestrator for a further round, in bytes of UTF-8, all together. 0 or more. @default 65536 */
  readonly upstreamBytes?: number | undefined;
}

export interface Retry {
  /**
   * Tries of one call, the first included; a further one with double the cap, after a reply that was cut, is one of them, so that
   * with 1 there is none. From 1 to 20. @default 3
   */
  readonly attempts?: number | undefined;
  /** The pause before the second try, in milliseconds; each further one is twice as long, with jitter. @default 1000 */
  readonly backoffMs?: number | undefined;
  /** The longest pause, in milliseconds. @default 30000 */
  readonly maxBackoffMs?: number | undefined;
}

/** All in milliseconds, 1 or more. */
export interface Timeout {
  /** One attempt of a worker, from admission to its end. @default 300000 */
  readonly workerMs?: number | undefined;
  /** One attempt of the orchestrator. @default 600000 */
  readonly orchestratorMs?: number | undefined;
  /** One attempt of the synthesizer. @default 600000 */
  readonly synthesizerMs?: number | undefined;
  /** Silence of a stream, the time before its first byte included. @default 120000 */
  readonly idleMs?: number | undefined;
  /** The whole run; what is done by then is laid out. @default 3600000 */
  readonly runMs?: number | undefined;
  /** An attempt's wait for its turn. @default 600000 */
  readonly admissionMs?: number | undefined;
}

/** Plans of earlier runs, for requests that are like theirs. */
export interface PlanCache {
  /** Who makes vectors of requests: `"provider:model"`, or an embedding model of the AI SDK. Plans are found by the same model alone. */
  readonly embed: string | EmbeddingModelV4;
  /** US dollars per million tokens of that model. @default the price list's */
  readonly price?: Price | undefined;
  /** How alike a request must be to the one that a plan was written for: the cosine of their vectors. From 0 to 1. */
  readonly threshold: number;
  /** Asked before a plan is taken over; where it says no, or throws, the orchestrator is asked. @default every plan is taken over */
  readonly accept?: ((hit: PlanHit) => boolean | Promise<boolean>) | undefined;
}

export interface OrchestratorOptions {
  /** For every role that names none. @default by the environment: see README, "Keys and local models" */
  readonly model?: ModelChoice | undefined;
  readonly orchestrator?: RoleOption<OrchestratorPromptInput> | undefined;
  readonly worker?: ModelChoice | WorkerSettings | undefined;
  readonly synthesizer?: ModelChoice | SynthesizerSettings | undefined;
  /**
   * Workers for a type of subtask; what they leave out is as in `worker`. One with a model of its own takes over no `id`, `price`,
   * `baseURL` or `apiKey`: they go with the worker's model.
   */
  readonly workers?: Readonly<Record<string, KindOption>> | undefined;
  /** How the orchestrator writes its plan. @default "xml" */
  readonly planFormat?: "xml" | "json" | undefined;
  /** May the orchestrator answer by itself, in its one call, what needs no division? @default "auto" */
  readonly direct?: "auto" | "never" | undefined;
  /** How results become the answer; `auto` leaves it to the plan, `none` asks for no answer. @default "auto" */
  readonly synthesis?: "auto" | Combine | "none" | undefined;
  /** Calls of a run in flight, the orchestrator's included. 1 means: the plan, then the workers in order. From 1 to 10,000. @default 100 */
  readonly concurrency?: number | undefined;
  readonly limits?: Limits | undefined;
  /** What one run may use, over all its lives. @default no bound; in the terminal 5 US dollars, or 500,000 tokens where a price is not known */
  readonly budget?: Budget | undefined;
  readonly retry?: Retry | undefined;
  readonly timeout?: Timeout | undefined;
  /** Asked before anything of a plan starts; a direct answer starts nothing, and is not asked about. @default plans need no approval */
  readonly approvePlan?: ApprovePlan | undefined;
  /** Keeps runs and paid calls. @default a `memoryLedger()` of this orchestrator's own */
  readonly ledger?: Ledger | undefined;
  /**
   * Which calls an answer that was paid for serves again: those of its own run, or all that name the same shared cache. Sharing
   * needs an `id` with a model instance. A run that is resumed stays with what it was started with. @default "run"
   */
  readonly cache?: "run" | { readonly shared: string } | undefined;
  /** Take over the plan of an earlier run of the same ledger, where it was for a request like the new one. @default every plan is asked for */
  readonly planCache?: PlanCache | undefined;
  /** Shown to the orchestrator in place of the built-in ones. */
  readonly examples?: readonly PlanExample[] | undefined;
}

/** A subtask written by hand. */
export interface SubtaskInput {
  /** @default made from the type */
  readonly id?: string | undefined;
  /** @default "default" */
  readonly type?: string | undefined;
  readonly description: string;
  /** @default [] */
  readonly dependsOn?: readonly string[] | undefined;
}

/** A plan: as `plan()` gives it, from a file, or written by hand. */
export type PlanInput =
  | Plan
  | {
      readonly analysis?: string | undefined;
      /** @default "keep" */
      readonly combine?: Combine | undefined;
      readonly subtasks: readonly SubtaskInput[];
    };

/** What comes of asking for approval: the plan to carry out, as it was or edited; a remark, after which another plan is asked for; or no. */
export type PlanDecision = PlanInput | { readonly feedback: string } | "reject";

/**
 * Asks somebody whether a plan may be carried out: an async function, since who is asked takes time. May take as long as it likes: meanwhile no lease is held and no time counts. The
 * signal aborts when the run is stopped; the answer is then not waited for.
 *
 * @param estimate what the run may use in all, if this plan is carried out as it is
 */
export type ApprovePlan = (plan: DividedPlan, estimate: Estimate, run: { readonly signal: AbortSignal; readonly runId: string }) => Promise<PlanDecision>;

export interface RunCallOptions {
  /** Stops the run. */
  readonly signal?: AbortSignal | undefined;
  /** For this run only. @default the orchestrator's */
  readonly concurrency?: number | undefined;
  /** For this run only. @default the orchestrator's */
  readonly budget?: Budget | undefined;
  /** Carried out as it is, without asking the orchestrator. */
  readonly plan?: PlanInput | undefined;
  /** `false`: neither take a plan over, nor keep this run's for others. @default as the orchestrator's */
  readonly planCache?: false | undefined;
}

export interface PlanCallOptions {
  /** Stops the call. */
  readonly signal?: AbortSignal | undefined;
  /** What the plan may use. @default the orchestrator's, which is for a whole run */
  readonly budget?: Budget | undefined;
  /** Given back whole, without a call. */
  readonly plan?: PlanInput | undefined;
}

export interface ResumeOptions {
  /** Stops the run. */
  readonly signal?: AbortSignal | undefined;
  /** For this time only. @default the orchestrator's, else what the run was started with */
  readonly concurrency?: number | undefined;
  /** The new total for all lives of the run, what it has used among it. @default the orchestrator's, else what the run was started with */
  readonly budget?: Budget | undefined;
  /** Go on although what is missing would be asked otherwise than before. @default false */
  readonly acceptChanges?: boolean | undefined;
  /** Asked where its plan is not approved yet and nothing of it has begun. @default the orchestrator's */
  readonly approvePlan?: ApprovePlan | undefined;
}

export interface RerunOptions {
  /** Id of the subtask to do anew. */
  readonly subtask: string;
  /** In place of its description. */
  readonly description?: string | undefined;
  /** In place of its type, and so of its kind of worker. */
  readonly type?: string | undefined;
  /** Stops the new run. */
  readonly signal?: AbortSignal | undefined;
  /** For the new run only. @default the orchestrator's, else what the old run had */
  readonly concurrency?: number | undefined;
  /** For the new run only; what it takes over costs nothing. @default the orchestrator's */
  readonly budget?: Budget | undefined;
  /** Asked before anything of the new run starts. @default the orchestrator's */
  readonly approvePlan?: ApprovePlan | undefined;
}

export interface WorkerCallOptions {
  /** What the task is about. @default nothing */
  readonly context?: ContextInput | undefined;
  /** Results that the subtask builds on: the worker is shown them, whatever its `dependsOn` says. @default [] */
  readonly upstream?: readonly Upstream[] | undefined;
  /** What the call, and who judges it, may use. @default the orchestrator's, which is for a whole run */
  readonly budget?: Budget | undefined;
  /** Stops the worker; its result is then a failed one. */
  readonly signal?: AbortSignal | undefined;
}
