import type { LanguageModelV4, SharedV4ProviderOptions } from "@ai-sdk/provider";
import type { CallSettings } from "./calls/call.ts";
import type { JudgeFunction } from "./evaluation/judge.ts";
import type { Price } from "./models/model.ts";
import type { OutputSchema } from "./output-schema.ts";
import type { RolePrompt } from "./prompt/role-prompt.ts";
import type { SynthesizerPromptInput } from "./synthesis/synthesizer-prompt.ts";
import type { OutputWorkerFunction, WorkerFunction } from "./work/function-worker.ts";
import type { WorkerPromptInput } from "./work/worker-prompt.ts";

/** A model: `"provider:model"` (`divvy models` lists what can be used here), or one of the AI SDK's. */
export type ModelChoice = string | LanguageModelV4;

/** A role with more said about it than its model. */
export interface RoleSettings<Input> {
  /** @default the options' `model`, else what can be used here */
  readonly model?: ModelChoice | undefined;
  /** How the model is named in events and logs; needed where two endpoints have models of one name. @default "provider:model" */
  readonly id?: string | undefined;
  /** A template with `{variables}`, or a function. @default the role's own prompt, which is exported too */
  readonly prompt?: RolePrompt<Input> | undefined;
  /** Cap of one reply, reasoning included. 1 or more. @default 8192; 16384 for the synthesizer */
  readonly maxOutputTokens?: number | undefined;
  /** Take a reply that was cut at its cap for a reply; the result then says `truncated`. @default false */
  readonly allowLength?: boolean | undefined;
  /** From 0 to 2. @default the provider's */
  readonly temperature?: number | undefined;
  /** How much the model reasons before it writes. @default the provider's */
  readonly reasoning?: NonNullable<CallSettings["reasoning"]> | undefined;
  /** Handed to the provider as they are, by provider. */
  readonly providerOptions?: SharedV4ProviderOptions | undefined;
  /** US dollars per million tokens, for this role's calls. @default the price list's */
  readonly price?: Price | undefined;
  /** Where the model is reached, for `"openai-compatible:…"` and servers of one's own. @default the provider's, or from the environment */
  readonly baseURL?: string | undefined;
  /** @default from the environment */
  readonly apiKey?: string | undefined;
}

export type RoleOption<Input> = ModelChoice | RoleSettings<Input>;

/** A model that judges: asked by a prompt of ours, and for a whole reply. */
export type EvaluatorSettings = Omit<RoleSettings<never>, "prompt" | "allowLength">;

interface Threshold {
  /** The least score that is good enough. From 0 to 1. */
  readonly threshold: number;
  /** Tries of one piece of work, the first included: what falls short is written again, with what was said of it. From 1 to 10. @default 2 */
  readonly maxAttempts?: number | undefined;
}

/** Judged by a model. */
export interface EvaluateByModel extends Threshold {
  /** What makes the work good, in words. The evaluator gives its reasons, and a score. */
  readonly criteria: string;
  /** Who judges. @default the orchestrator's */
  readonly model?: ModelChoice | EvaluatorSettings | undefined;
  readonly judge?: undefined;
}

/** Judged by code: a test, a compiler, a rule. */
export interface EvaluateByFunction extends Threshold {
  readonly judge: JudgeFunction;
  readonly criteria?: undefined;
  readonly model?: undefined;
}

/** How work is judged before it is taken. */
export type Evaluate = EvaluateByModel | EvaluateByFunction;

/** A role whose work can be judged. */
export interface JudgedRoleSettings<Input> extends RoleSettings<Input> {
  /** Judge the work, and have it written again where it falls short; the best try stands. @default work is taken as it comes */
  readonly evaluate?: Evaluate | false | undefined;
}

/** A role that carries out subtasks, and whose results can have a form. */
export interface WorkerSettings<Value = unknown> extends JudgedRoleSettings<WorkerPromptInput> {
  /** Each result is one JSON value of this schema; what the schema makes of it is the result's `output`. @default results are text */
  readonly output?: OutputSchema<Value> | undefined;
  /**
   * Tries of each subtask, all at once: the best is kept, as `evaluate.model`, or else the orchestrator's, compares them two at a time.
   * From 1 to 10. @default 1
   */
  readonly samples?: number | undefined;
}

/** The role that joins results. */
export interface SynthesizerSettings<Value = unknown> extends JudgedRoleSettings<SynthesizerPromptInput> {
  /**
   * The answer is one JSON value of this schema; what the schema makes of it is the outcome's `output`. It is always merged then, by a
   * call, even of one result. @default the answer is text
   */
  readonly output?: OutputSchema<Value> | undefined;
  /**
   * Tokens of the model's window, prompt and reply together: results that do not fit are reduced to shorter texts before they are
   * merged. From 2,000 to 100,000,000. @default what the price list knows of the model, else 128000
   */
  readonly contextTokens?: number | undefined;
}

export type JudgedRoleOption<Input> = ModelChoice | JudgedRoleSettings<Input>;

interface Described {
  /** What this kind is for: the orchestrator is told, and chooses by it. @default it is told the type alone */
  readonly description?: string | undefined;
}

/** A kind of worker that is a model. */
export interface ModelWorker<Value = unknown> extends Omit<WorkerSettings, "output">, Described {
  /** As for `worker`; `false`: results are text, whatever `worker` says. @default as in `worker` */
  readonly output?: OutputSchema<Value> | false | undefined;
}

/** What is said of a kind that is a function, whatever that gives. */
export interface FunctionSettings extends Described {
  /** May it be run again for a subtask for which it had begun, where it failed or its process died? @default false */
  readonly idempotent?: boolean | undefined;
  /** Where its result falls short it is run again, idempotent or not. @default results are taken as they come, whatever `worker` says */
  readonly evaluate?: Evaluate | false | undefined;
}

interface TextFunction extends FunctionSettings {
  readonly run: WorkerFunction;
  readonly output?: undefined;
}

interface OutputFunction<Value> extends FunctionSettings {
  readonly run: OutputWorkerFunction;
  /** It returns a JSON value in place of text; what the schema makes of that is the result's `output`. @default results are text, whatever `worker` says */
  readonly output: OutputSchema<Value>;
}

/** A kind of worker that is a function: code, a database, another agent. It takes no call, and costs nothing that is counted. */
export type FunctionWorker<Value = unknown> = TextFunction | OutputFunction<Value>;

export type KindOption<Value = unknown> = ModelChoice | ModelWorker<Value> | FunctionWorker<Value>;
