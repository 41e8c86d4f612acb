import { hash } from "node:crypto";
import type { JsonRecord } from "../json.ts";

export const embeddingsPath = "/v1/embeddings";

/** What is said to a request for vectors, and what was asked. */
export function embeddingsReply(body: Readonly<Record<string, unknown>>): {
  readonly modelId: string;
  readonly texts: readonly string[];
  readonly reply: JsonRecord;
} {
  const { model, input } = body;
  const modelId = String(model);
  const texts = (Array.isArray(input) ? input : [input]).map(String);
  const tokens = texts.reduce((sum, text) => sum + wordsOf(text).length, 0);
  const data = texts.map((text, index) => ({ object: "embedding", index, embedding: vectorOf(text) }));
  return { modelId, texts, reply: { object: "list", data, model: modelId, usage: { prompt_tokens: tokens, total_tokens: tokens } } };
}

const dimensions = 256;

/** A text's words, counted, each in its own place, or nearly: the same for the same words in any order. */
export function vectorOf(text: string): readonly number[] {
  const vector = Array.from({ length: dimensions }, () => 0);
  for (const word of wordsOf(text)) {
    const place = Number.parseInt(hash("sha256", word, "hex").slice(0, 8), 16) % dimensions;
    vector[place] = (vector[place] ?? 0) + 1;
  }
  return vector;
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
