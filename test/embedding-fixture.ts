import type { EmbeddingModelV4 } from "@ai-sdk/provider";
import { vectorOf } from "../src/testing/openai-embeddings.ts";

export interface EmbeddingDouble extends EmbeddingModelV4 {
  /** What it was asked. */
  readonly texts: readonly string[];
}

/** An embedding model for tests: texts are alike as far as they share words. */
export function embeddingModel(
  embed: (text: string, signal: AbortSignal | undefined) => readonly number[] | Promise<readonly number[]> = vectorOf,
  modelId = "words",
): EmbeddingDouble {
  const texts: string[] = [];
  return {
    specificationVersion: "v4",
    provider: "double",
    modelId,
    maxEmbeddingsPerCall: 1,
    supportsParallelCalls: true,
    texts,
    doEmbed: async ({ values, abortSignal }) => {
      texts.push(...values);
      const embeddings = await Promise.all(values.map(async (text) => [...(await embed(text, abortSignal))]));
      return { embeddings, usage: { tokens: 7 }, warnings: [] };
    },
  };
}
