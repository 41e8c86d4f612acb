import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { describe, expect, test } from "vitest";
import { cosine } from "../orchestrator/planning/plan-lookup.ts";
import { vectorOf } from "./openai-embeddings.ts";
import { providerServer } from "./provider-server.ts";

const likeness = (a: string, b: string): number => cosine(Float32Array.from(vectorOf(a)), Float32Array.from(vectorOf(b)));

describe("vectors of the provider server", () => {
  test("are alike as far as words are shared", () => {
    expect(likeness("Write a guide to Lisbon", "write a guide to lisbon!")).toBe(1);
    expect(likeness("Write a guide to Lisbon", "Write a guide to Porto")).toBeCloseTo(0.8, 5);
    expect(likeness("Write a guide to Lisbon", "Count sheep")).toBe(0);
  });

  test("are what a provider's package reads, and the request stands in `embeddings`", async () => {
    await using server = await providerServer([]);
    const provider = createOpenAICompatible({ name: "double", baseURL: server.openaiBaseUrl, apiKey: "key" });
    const { embeddings, usage } = await provider.embeddingModel("vectors").doEmbed({ values: ["one two", "two"] });
    expect(embeddings).toEqual([vectorOf("one two"), vectorOf("two")]);
    expect(usage).toEqual({ tokens: 3 });
    expect(server.embeddings).toMatchObject([{ modelId: "vectors", texts: ["one two", "two"], headers: { authorization: "Bearer key" } }]);
    expect(server.requests).toEqual([]);
  });
});
