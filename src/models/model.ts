import type { LanguageModelV4, SharedV4ProviderOptions } from "@ai-sdk/provider";
import type { PriceOf } from "../usage.ts";
import type { CredentialMask } from "./credential-mask.ts";

/** US dollars per million tokens, as a user states them. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** Cached input tokens that were read. @default the price of input */
  readonly cacheRead?: number | undefined;
  /** Input tokens that were written to the cache. @default the price of input */
  readonly cacheWrite?: number | undefined;
}

/** What a small model needs of those who ask it. A role's own settings and the user's options stand above it. */
export interface ModelPolicy {
  readonly direct: "never";
  readonly combine: "keep";
  readonly maxSubtasks: number;
  /** Its grammar holds a whole plan, and it would not know what to make of results. */
  readonly rounds: 1;
  /** Of a worker's reply, and of a plan. */
  readonly maxOutputTokens: number;
  readonly planOutputTokens: number;
  readonly allowLength: boolean;
  /** Sent with the plan's call alone: its grammar, for example. */
  readonly planProviderOptions?: SharedV4ProviderOptions;
  /** Templates in the words that it understands, in place of the roles' default prompts. */
  readonly prompts?: { readonly orchestrator: string; readonly worker: string };
}

/** A model ready to be called, with what the layers need to know of it. */
export interface Model {
  /** How it is named everywhere: `"provider:model"`, or the `id` given with an instance. */
  readonly id: string;
  readonly model: LanguageModelV4;
  /** What shares one rate limit: base URL + credential + model. Holds no secret itself. */
  readonly lane: string;
  /** What shares one key and one spending cap: base URL + credential. Holds no secret itself. */
  readonly credential: string;
  /** Where it is reached; empty for an instance, of which that is not known. Enters call keys. */
  readonly baseUrl: string;
  /** Calls it can carry out at once (local servers); no bound of its own where absent. */
  readonly maxConcurrency?: number;
  /** Loads the price list late; resolves to a function that costs nothing to call. */
  readonly price: () => Promise<PriceOf>;
  /**
   * Tokens of its window, prompt and reply together; loads the price list, which knows it of most models. Resolves to nothing where it
   * is not known.
   */
  readonly contextTokens?: () => Promise<number | undefined>;
  readonly policy?: ModelPolicy;
  /** For whatever is repeated of its provider's words. Absent where it has no credentials. */
  readonly mask?: CredentialMask;
}

/** Finds models by the id that a `CallRequest` names. */
export type ModelTable = (id: string) => Model;
