import type { InferUIMessageChunk, UIMessage } from "ai";
import type { ErrorData } from "../errors.ts";
import type { Outcome, SkipReason } from "../outcome.ts";
import type { SubtaskState } from "../run-state.ts";

/** What is told of an error: never the evidence, which can hold a provider's whole reply. */
export type ErrorPart = Pick<ErrorData, "code" | "message" | "hint">;

/** One subtask as it stands; a later part with the same `id` takes the place of the one before. */
export type SubtaskPart = {
  /** As in the plan, and the part's own `id`. */
  readonly id: string;
  readonly type: string;
  readonly description: string;
  readonly dependsOn: readonly string[];
  readonly status: SubtaskState["status"];
  /** From 1. */
  readonly attempt: number;
  /** What is written so far; once the status is `done`, the whole result. Empty where `sendResults` is false. */
  readonly text: string;
  /** Why it failed, or why its last attempt did while it is `retrying`. */
  readonly error?: ErrorPart;
  /** Why it was never started. */
  readonly skipped?: SkipReason;
  /** Id of the subtask for whose sake it was skipped. */
  readonly because?: string;
};

/** How a run ended. See `Outcome`, whose answer and results stand in the other parts. */
export type OutcomePart = Pick<Outcome, "status" | "coverage" | "calls" | "usage" | "cost" | "durationMs"> & {
  /** Absent where the status is `ok`. */
  readonly error?: ErrorPart;
};

export type DivvyMetadata = {
  /** What `resume` takes. There from the message's beginning. */
  readonly runId: string;
  /** Absent while the run goes on. */
  readonly outcome?: OutcomePart;
};

/** By what follows `data-` in a part's type. */
export type DivvyDataParts = { subtask: SubtaskPart };

/** For `useChat<DivvyUIMessage>()`: parts and metadata of a message that `toUIMessageStream` made. */
export type DivvyUIMessage = UIMessage<DivvyMetadata, DivvyDataParts>;

export type DivvyUIMessageChunk = InferUIMessageChunk<DivvyUIMessage>;

export function errorPart({ code, message, hint }: ErrorData): ErrorPart {
  return { code, message, hint };
}
