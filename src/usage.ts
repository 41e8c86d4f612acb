/**
 * Token counts in the AI SDK's flat shape (`LanguageModelUsage` of `ai`), so that they can be handed to anything
 * that reads those. A count is `undefined` where no provider told it.
 */
export interface Usage {
  /** All input tokens, cached ones included. */
  readonly inputTokens: number | undefined;
  readonly inputTokenDetails: {
    readonly noCacheTokens: number | undefined;
    readonly cacheReadTokens: number | undefined;
    readonly cacheWriteTokens: number | undefined;
  };
  /** All output tokens, reasoning included. */
  readonly outputTokens: number | undefined;
  readonly outputTokenDetails: {
    readonly textTokens: number | undefined;
    readonly reasoningTokens: number | undefined;
  };
  readonly totalTokens: number | undefined;
}

/** Usage of one attempt or of many. */
export interface SpentUsage extends Usage {
  /** How many of `totalTokens` are our estimate of attempts that ended well, because the provider reports none. */
  readonly estimatedTokens: number;
  /**
   * How many of `totalTokens` are presumed, because the attempt never came to its end: of one that broke off, was stopped or timed
   * out, what was sent and what had arrived; of one whose process died, all that it might have used. What was billed may differ.
   */
  readonly presumedTokens: number;
}

export const noUsage: SpentUsage = {
  inputTokens: 0,
  inputTokenDetails: { noCacheTokens: undefined, cacheReadTokens: undefined, cacheWriteTokens: undefined },
  outputTokens: 0,
  outputTokenDetails: { textTokens: undefined, reasoningTokens: undefined },
  totalTokens: 0,
  estimatedTokens: 0,
  presumedTokens: 0,
};

/** The sum of two counts; unknown only where both are. */
function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : a + b;
}

export function addUsage(a: SpentUsage, b: SpentUsage): SpentUsage {
  return {
    inputTokens: plus(a.inputTokens, b.inputTokens),
    inputTokenDetails: {
      noCacheTokens: plus(a.inputTokenDetails.noCacheTokens, b.inputTokenDetails.noCacheTokens),
      cacheReadTokens: plus(a.inputTokenDetails.cacheReadTokens, b.inputTokenDetails.cacheReadTokens),
      cacheWriteTokens: plus(a.inputTokenDetails.cacheWriteTokens, b.inputTokenDetails.cacheWriteTokens),
    },
    outputTokens: plus(a.outputTokens, b.outputTokens),
    outputTokenDetails: {
      textTokens: plus(a.outputTokenDetails.textTokens, b.outputTokenDetails.textTokens),
      reasoningTokens: plus(a.outputTokenDetails.reasoningTokens, b.outputTokenDetails.reasoningTokens),
    },
    totalTokens: plus(a.totalTokens, b.totalTokens),
    estimatedTokens: a.estimatedTokens + b.estimatedTokens,
    presumedTokens: a.presumedTokens + b.presumedTokens,
  };
}

/** US dollars for a usage; `undefined` where no price is known. */
export type PriceOf = (usage: SpentUsage) => number | undefined;

/** What so many tokens may cost at most: what a provider takes into its cache may be dearer than other input. */
export function costAtMost(priceOf: PriceOf, tokens: { readonly inputTokens: number; readonly outputTokens: number }): number | undefined {
  const usage = presumedUsage(tokens);
  const plain = priceOf(usage);
  const written = priceOf({ ...usage, inputTokenDetails: { ...usage.inputTokenDetails, cacheWriteTokens: tokens.inputTokens } });
  return plain === undefined || written === undefined ? plain : Math.max(plain, written);
}

/** Usage of an attempt whose end is not known. */
export function presumedUsage({ inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number }): SpentUsage {
  const totalTokens = inputTokens + outputTokens;
  return { ...noUsage, inputTokens, outputTokens, totalTokens, presumedTokens: totalTokens };
}
