import type { JSONObject, LanguageModelV4FinishReason, LanguageModelV4Usage, SharedV4ProviderMetadata } from "@ai-sdk/provider";
import { DivvyError } from "../errors.ts";
import type { Outcome } from "../outcome.ts";

/** An outcome in the words in which a model's reply ends. */
export interface ModelEnding {
  /** `stop` for an answer, a partial one too; `raw` is the outcome's status. */
  readonly finishReason: LanguageModelV4FinishReason;
  /** Over all calls of the run. */
  readonly usage: LanguageModelV4Usage;
  readonly providerMetadata: SharedV4ProviderMetadata;
}

export function modelEnding(outcome: Outcome): ModelEnding {
  return {
    finishReason: { unified: "text" in outcome ? "stop" : "error", raw: outcome.status },
    usage: usageOf(outcome),
    providerMetadata: { divvy: metadataOf(outcome) },
  };
}

/** What went wrong, thrown. Never to be tried again as it stands: the run would be paid for anew, where resuming it pays for what is missing. */
export function outcomeError({ error, runId }: Outcome & { readonly status: "failed" | "aborted" }): DivvyError {
  const { code, message, hint, evidence } = error;
  return new DivvyError(code, message, { hint: `${hint} Run ${runId}.`, retryable: false, ...(evidence && { evidence }) });
}

function usageOf({ usage }: Outcome): LanguageModelV4Usage {
  const { inputTokens, inputTokenDetails, outputTokens, outputTokenDetails } = usage;
  const { noCacheTokens, cacheReadTokens, cacheWriteTokens } = inputTokenDetails;
  const { textTokens, reasoningTokens } = outputTokenDetails;
  return {
    inputTokens: { total: inputTokens, noCache: noCacheTokens, cacheRead: cacheReadTokens, cacheWrite: cacheWriteTokens },
    outputTokens: { total: outputTokens, text: textTokens, reasoning: reasoningTokens },
  };
}

function metadataOf(outcome: Outcome): JSONObject {
  const { runId, status, calls, cost } = outcome;
  const { missing, notices, ...census } = outcome.coverage;
  const coverage = {
    ...census,
    missing: missing.map((gap) => ({ ...gap })),
    notices: notices.map(({ code, message, subtaskIds }) => ({ code, message, ...(subtaskIds && { subtaskIds: [...subtaskIds] }) })),
  };
  const error = "error" in outcome ? { code: outcome.error.code, message: outcome.error.message, hint: outcome.error.hint } : undefined;
  return { runId, status, calls, coverage, ...(cost !== undefined && { cost }), ...(error && { error }) };
}
