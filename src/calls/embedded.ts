import type { Embed, Embedding } from "../embedding.ts";
import { abortReason, DivvyError } from "../errors.ts";
import type { EmbeddingModel } from "../models/embedding-model.ts";
import { type Runtime, sleep } from "../runtime.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { pauseBefore, type RetryRules } from "./attempted.ts";
import { classify } from "./classify.ts";

/** All tries together, in milliseconds: a run waits for it before it begins. */
const totalMs = 30_000;

/**
 * Asks a model for a text's vector, again where that may help. What it costs is next to nothing, and nothing of it is recorded,
 * governed or budgeted: whoever asks does without where it fails.
 */
export function embedded(model: EmbeddingModel, retry: RetryRules, { clock, random }: Pick<Runtime, "clock" | "random">): Embed {
  return async (text, signal) => {
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(abortReason(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const cancel = clock.setTimer(totalMs, () => {
      controller.abort(
        new DivvyError("total_timeout", `${model.id} took longer than ${totalMs / 1000} s in all.`, { hint: "Try again, or use another model." }),
      );
    });
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await askOnce(model, text, controller.signal);
        } catch (thrown) {
          if (controller.signal.aborted) throw abortReason(controller.signal);
          const error = classify(thrown, model.id, { mask: model.mask, now: clock.now(), opened: false });
          if (!error.retryable || attempt >= retry.attempts) throw error.with({ attempts: attempt });
          const pauseMs = Math.max(pauseBefore(attempt + 1, retry, random), error.evidence?.retryAfterMs ?? 0);
          await sleep(clock, pauseMs, controller.signal).catch(() => {
            throw abortReason(controller.signal);
          });
        }
      }
    } finally {
      cancel();
      signal.removeEventListener("abort", onAbort);
    }
  };
}

async function askOnce({ id, model }: EmbeddingModel, text: string, abortSignal: AbortSignal): Promise<Embedding> {
  abortSignal.throwIfAborted();
  // Not every provider listens to the signal; what it throws before it gives a promise is a rejection like any other.
  const asked = (async () => await model.doEmbed({ values: [text], abortSignal }))();
  const { embeddings, usage } = await unlessAborted(asked, abortSignal);
  const vector = Float32Array.from(embeddings[0] ?? []);
  if (!vector.every(Number.isFinite) || vector.every((part) => part === 0)) {
    throw new DivvyError("invalid_response", `${id} answered with something that is no vector.`);
  }
  const tokens = usage?.tokens;
  return { vector, ...(tokens !== undefined && Number.isFinite(tokens) && { tokens }) };
}
