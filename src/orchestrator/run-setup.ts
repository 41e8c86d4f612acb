import type { CallContext, CalledModel, CallRequest, CallResult, Calls, CallSettings } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import type { RunRequest } from "../events.ts";
import type { PlanFormat } from "../plan/format-plan.ts";
import { keyOf } from "../names.ts";
import type { KindOfWorker, OrchestratorPromptInput, PlanExample } from "../plan/prompts/orchestrator-prompt.ts";
import { isFunctionKind } from "../role.ts";
import type { RolePrompt } from "../prompt/role-prompt.ts";
import type { Clock } from "../runtime.ts";
import type { Combine, Plan } from "../subtask.ts";
import type { SynthesizerRole } from "../synthesis/synthesizer-messages.ts";
import type { PriceOf } from "../usage.ts";
import type { FunctionKind } from "../work/function-worker.ts";
import type { JobEnd, WorkerKind } from "../work/worker.ts";
import type { KeptPlans } from "./planning/kept-plans.ts";
import type { Declined, Past } from "./past/past.ts";
import type { Rest } from "./run-handle.ts";
import type { ApprovePlan } from "../options.ts";

export interface OrchestratorRole extends CalledModel {
  readonly prompt: RolePrompt<OrchestratorPromptInput>;
  /** Sent with a plan in its own format only: a local model's grammar. */
  readonly formatOptions: CallSettings["providerOptions"];
}

/** The models of a run and how each is asked. */
export interface Roles {
  readonly orchestrator: OrchestratorRole;
  readonly synthesizer: SynthesizerRole;
  readonly worker: WorkerKind;
  /** Kinds of workers, by the key of the type of subtask that they are for. */
  readonly workers: ReadonlyMap<string, WorkerKind>;
  /** Kinds that are functions, in the same way. */
  readonly functions: ReadonlyMap<string, FunctionKind>;
  /** All kinds as the orchestrator is told of them, in the order in which they were named. */
  readonly kinds: readonly KindOfWorker[];
}

/** The model for a type of subtask; nothing where a function carries it out. */
export function modelKindFor(roles: Roles, type: string): WorkerKind | undefined {
  const kind = kindFor(roles, type);
  return isFunctionKind(kind) ? undefined : kind;
}

/** The kind of worker for a type of subtask. */
export function kindFor({ functions, workers, worker }: Roles, type: string): WorkerKind | FunctionKind {
  const key = keyOf(type);
  return functions.get(key) ?? workers.get(key) ?? worker;
}

/** What is decided about a run before it starts. */
export interface RunOptions {
  readonly direct: boolean;
  readonly planFormat: PlanFormat;
  /** Stands above what the plan says; `none` asks for no answer. */
  readonly combine: Combine | "none" | undefined;
  readonly examples: readonly PlanExample[];
  /** Of one round. */
  readonly maxSubtasks: number;
  /** Of the whole run. */
  readonly maxWorkers: number;
  readonly rounds: number;
  readonly planCompletions: number;
  readonly upstreamBytes: number;
}

/** What can be known of the costs of calls before they leave. */
export interface Costs {
  /** Tokens of a text, roughly. */
  readonly textTokens: (text: string) => number;
  /** Input tokens of a call, roughly. */
  readonly inputTokens: (request: Pick<CallRequest, "messages" | "tools" | "responseFormat">) => number;
  /** Tokens of a model's window: as the role states it, as far as it is known, else what most have. Rejects where there is no such model. */
  readonly contextTokensOf: (role: { readonly model: string; readonly contextTokens?: number }) => Promise<number>;
  /** What calls to a model cost, under the rules of a role if they name a price. Rejects where there is no such model. */
  readonly priceOf: (role: { readonly model: string; readonly rules?: Pick<CallContext["rules"], "price"> }) => Promise<PriceOf>;
}

/** Who approves plans, and how they are waited for. */
export interface Approval {
  readonly approve: ApprovePlan;
  /** Subtasks of a plan that is edited, at most. */
  readonly maxSubtasks: number;
  readonly rest: Rest;
}

/** What there is of a run before it begins: nothing for most. */
export interface RunStart {
  /** Carried out as it is, without asking the orchestrator. */
  readonly plan?: Plan | undefined;
  /** Where the run stood when it was left; nothing for a new one. */
  readonly past?: Past;
  /** Plans that were sent back, oldest first. @default those of the past */
  readonly declined?: readonly Declined[];
  /** What need not be done again, by the key of the subtask's id. */
  readonly kept: ReadonlyMap<string, JobEnd>;
  /** Subtasks over the limit of the run whose plan is carried out anew. @default none */
  readonly dropped?: number;
  /** Asked for anew, though it was answered before: the number of each such try, by the key of the subtask's id. */
  readonly samples?: ReadonlyMap<string, number>;
}

/** Everything that a run needs; it reaches for nothing else. */
export interface RunSetup {
  readonly request: RunRequest;
  readonly start: RunStart;
  /** Where a new run without a plan looks for one; nothing where the orchestrator is asked in any case. */
  readonly keptPlans?: KeptPlans;
  /** Absent where plans need no approval. */
  readonly approval?: Approval;
  /** How long the run has stood still so far, in milliseconds. */
  readonly pausedMs: () => number;
  /** The answer to this call, where it is recorded. */
  readonly recorded: (request: CallRequest) => Promise<CallResult | undefined>;
  readonly roles: Roles;
  readonly options: RunOptions;
  readonly calls: Calls;
  readonly costs: Costs;
  readonly run: RunScope;
  readonly clock: Clock;
  /** Aborts with a `DivvyError`: `aborted` when the run was stopped, `run_timeout` when its time is up, the ledger's error when it cannot be kept. */
  readonly signal: AbortSignal;
}
