import type { JSONSchema7 } from "@ai-sdk/provider";

/** Tokens of one call's window, where the model has so many: each call side by side has its own, so that memory grows with their product. */
export const contextTokens = 4_096;

/** A loaded model file that writes text: what the model depends on, instead of on the library behind it. */
export interface Engine {
  /** Tokens that one call can hold, prompt and reply together. */
  readonly contextSize: number;
  /** Tokens of the conversation as the model's own template renders it. */
  countTokens(turns: readonly Turn[]): number;
  /**
   * Writes a reply. Waits while all sequences are busy. Rejects with the signal's reason when it aborts, and with a
   * `DivvyError` for what is wrong with the job.
   */
  write(job: WritingJob): Promise<Written>;
  dispose(): Promise<void>;
}

export interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly text: string;
}

/** What a reply must follow. */
export type Shape = { readonly kind: "gbnf"; readonly grammar: string } | { readonly kind: "json"; readonly schema?: JSONSchema7 };

export interface Sampling {
  readonly temperature: number;
  readonly seed: number;
  /** Above 1, what was written lately becomes less likely. */
  readonly repeatPenalty: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly topP?: number;
  readonly topK?: number;
}

export interface WritingJob {
  readonly turns: readonly Turn[];
  readonly maxTokens: number;
  readonly sampling: Sampling;
  readonly shape?: Shape;
  readonly stopSequences?: readonly string[];
  readonly signal?: AbortSignal;
  /** Receives whole characters only. Must not throw. */
  readonly onText: (kind: "text" | "reasoning", delta: string) => void;
}

export interface Written {
  readonly stop: "end" | "stop-sequence" | "length";
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

export type LoadEngine = (path: string) => Promise<Engine>;
