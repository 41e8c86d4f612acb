import type {
  JSONSchema7,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4FunctionTool,
  LanguageModelV4Prompt,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import type { CallRef } from "../role.ts";
import type { PriceOf, SpentUsage } from "../usage.ts";
import type { CallBudget } from "./run-budget.ts";
import type { RunScope } from "./run-scope.ts";

/**
 * One model call as data: what decides the answer, and nothing else. It is what a call is recorded under, and what a
 * remote worker could be sent. No headers, credentials, signals or functions.
 */
export interface CallRequest {
  /** Key of the model in the run's model table. */
  readonly model: string;
  readonly messages: LanguageModelV4Prompt;
  readonly settings: CallSettings;
  readonly tools?: readonly LanguageModelV4FunctionTool[];
  readonly responseFormat?: { readonly type: "json"; readonly schema: JSONSchema7; readonly name: string };
  /** Tells apart calls that are alike on purpose: several tries of one subtask. 0 for the first. */
  readonly sample: number;
}

export interface CallSettings {
  /** Always sent: the providers' own defaults reach 128,000 tokens. */
  readonly maxOutputTokens: number;
  readonly temperature?: number;
  readonly reasoning?: NonNullable<LanguageModelV4CallOptions["reasoning"]>;
  readonly providerOptions?: SharedV4ProviderOptions;
}

/** A model, and how it is asked in one role. */
export interface CalledModel {
  /** Its key in the run's model table. */
  readonly model: string;
  readonly settings: CallSettings;
  /** What holds for its calls. */
  readonly rules: CallRules;
}

/** What a call says on its way. `attempt`: a new try begins, and what came before is void. */
export type CallPart = { readonly type: "attempt"; readonly attempt: number } | { readonly type: "text" | "reasoning"; readonly delta: string };

/**
 * What goes first, the lowest before all: the plan, since everything waits for it; then the answer, which ends its run; then the work.
 * Who judges has the rank of what is judged.
 */
export const ranks = { plan: 0, answer: 1, work: 2 } as const;

export type Rank = (typeof ranks)[keyof typeof ranks];

/** Where it is said what a call does and uses. */
export type Books = Pick<RunScope, "emit" | "committed"> & { readonly budget?: CallBudget | undefined };

export interface CallContext extends CallRef {
  readonly run: RunScope;
  /** @default the run; another one's, where that waits for the same call and this one has left */
  readonly books?: Books;
  /** Who goes first when calls wait; those of the same rank go by age. */
  readonly rank: Rank;
  readonly signal: AbortSignal;
  /** When nobody needs it any more, as it looks now, in epoch milliseconds. @default when its run's time is up */
  readonly endsAt?: () => number;
  /** What holds for the role's calls: its clocks, what counts as a reply, what it costs. */
  readonly rules: CallRules;
  /** Receives the reply as it is written. Must not throw. */
  readonly onPart?: (part: CallPart) => void;
  /** Asked before a further try; where it says no, the call fails with the partial text as evidence. Default: yes. */
  readonly mayRestart?: () => boolean;
}

export interface CallRules {
  /** From admission to the end of one attempt, in milliseconds. */
  readonly totalMs: number;
  /** Silence on the stream, the time before its first byte included, in milliseconds. */
  readonly idleMs: number;
  /** A reply cut at the output cap counts as a reply (the result says `truncated`). */
  readonly allowLength: boolean;
  /** A reply without text counts as a reply: whoever asks deals with it. */
  readonly allowEmpty: boolean;
  /** Is there nothing in this text? @default where it is white space alone */
  readonly isEmpty?: (text: string) => boolean;
  /** Stands above the price of the model, for this role's calls alone. */
  readonly price?: PriceOf;
}

export interface CallResult {
  /** The AI SDK's content parts with their provider metadata. */
  readonly content: readonly LanguageModelV4Content[];
  readonly finishReason: LanguageModelV4FinishReason;
  readonly usage: SpentUsage;
  readonly attempts: number;
  /** True where the answer was recorded before, and nothing was sent. */
  readonly cached: boolean;
}

/**
 * Carries out a call. Rejects with a `DivvyError`, and with nothing else; when `ctx.signal` aborts, with `aborted` or
 * with the `DivvyError` that is the signal's reason.
 */
export type Calls<Context = CallContext, Result extends CallResult = CallResult> = (request: CallRequest, ctx: Context) => Promise<Result>;

/** A call on its way down, from `attempted` on: one try of it. */
export interface AttemptContext extends CallContext {
  /** 1 for the first. */
  readonly attempt: number;
}

/** An admitted try. */
export interface AdmittedContext extends AttemptContext {
  /** The provider has taken the request on. */
  readonly onAccepted: (headers: Readonly<Record<string, string>> | undefined) => void;
  /** The model has read the prompt, and writes. Called once at most. */
  readonly onBegun: () => void;
}

/** A try that is on its way to the provider. */
export interface SentContext extends AdmittedContext {
  /** A sign of life on the stream: any part of it, pings too. */
  readonly alive: () => void;
}

/** Is it from the record of a shared cache, and so perhaps another run's? What is of no use there would be of none to every run that asks the same. */
export function isShared({ cached }: Pick<CallResult, "cached">, { cache, runId }: RunScope): boolean {
  return cached && cache !== runId;
}

/** The text of a reply, reasoning left out. */
export function textOf(result: Pick<CallResult, "content">): string {
  let text = "";
  for (const part of result.content) if (part.type === "text") text += part.text;
  return text;
}
