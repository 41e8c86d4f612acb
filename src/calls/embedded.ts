import { abortReason, DivvyError } from "../errors.ts";
import type { EmbeddingModel } from "../models/embedding-model.ts";
import type { Clock } from "../runtime.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { noUsage, presumedUsage, type SpentUsage } from "../usage.ts";
import { AttemptFailure } from "./attempt-failure.ts";
import type { CallContext, CallRequest, CallResult, Calls, SentContext } from "./call.ts";
import { classify } from "./classify.ts";
import { estimateInput } from "./estimate.ts";
import { type AttemptRules, attempts } from "./pipeline.ts";
import { mayHaveReached } from "./sent.ts";

/** One try, in milliseconds: a run waits for it before it begins. */
const totalMs = 30_000;

/** Makes a vector of a text. Rejects with a `DivvyError`; ends with the signal. */
export type Embed = (text: string, ctx: Omit<CallContext, "rules">) => Promise<Float32Array>;

interface Embedded extends CallResult {
  readonly vector: Float32Array;
}

/**
 * Asks a model for a text's vector: a call like any other, of which only the innermost layer differs. It is not recorded, since
 * nobody asks for it again.
 */
export function embedded(model: EmbeddingModel, rules: AttemptRules): Embed {
  return async (text, ctx) => {
    const calls = attempts(rules, () => model, sentFor(text, model, rules.runtime.clock));
    const request: CallRequest = {
      model: model.id,
      messages: [{ role: "user", content: [{ type: "text", text }] }],
      settings: { maxOutputTokens: 0 },
      sample: 0,
    };
    // It has no words to say, and is silent until it has all.
    const { vector } = await calls(request, { ...ctx, rules: { totalMs, idleMs: totalMs, allowLength: false, allowEmpty: true } });
    return vector;
  };
}

/** One request to a provider, by its `doEmbed`. Whatever can go wrong with it becomes an `AttemptFailure`. */
function sentFor(text: string, { id, model, mask }: EmbeddingModel, clock: Clock): Calls<SentContext, Embedded> {
  return async (request, ctx) => {
    const { signal: abortSignal } = ctx;
    const estimated = { inputTokens: estimateInput(request), outputTokens: 0 };
    const failed = (error: DivvyError, accepted: boolean, usage: SpentUsage): AttemptFailure => new AttemptFailure(error, { accepted, usage });
    if (abortSignal.aborted) throw failed(abortReason(abortSignal), false, noUsage);
    // Not every provider listens to the signal; what it throws before it gives a promise is a rejection like any other.
    const asked = (async () => await model.doEmbed({ values: [text], abortSignal }))();
    const { embeddings, usage, response } = await unlessAborted(asked, abortSignal).catch((thrown: unknown) => {
      if (abortSignal.aborted) throw failed(abortReason(abortSignal), false, presumedUsage(estimated));
      const error = classify(thrown, id, { mask, now: clock.now(), opened: false });
      throw failed(error, false, mayHaveReached(error) ? presumedUsage(estimated) : noUsage);
    });
    ctx.onAccepted(response?.headers);
    const used = usageOf(usage?.tokens, estimated.inputTokens);
    const vector = Float32Array.from(embeddings[0] ?? []);
    if (!vector.every(Number.isFinite) || vector.every((part) => part === 0)) {
      throw failed(new DivvyError("invalid_response", `${id} answered with something that is no vector.`), true, used);
    }
    return { content: [], finishReason: { unified: "stop", raw: undefined }, usage: used, attempts: ctx.attempt, cached: false, vector };
  };
}

/** As reported; what a provider does not report is estimated from the text, and marked. */
function usageOf(reported: number | undefined, estimated: number): SpentUsage {
  const isTold = reported !== undefined && Number.isFinite(reported) && reported >= 0;
  const inputTokens = isTold ? reported : estimated;
  return { ...noUsage, inputTokens, totalTokens: inputTokens, estimatedTokens: isTold ? 0 : estimated };
}
