import { describe, expect, test } from "vitest";
import { embeddingModel } from "../../test/embedding-fixture.ts";
import { noUsage } from "../usage.ts";
import { resolveEmbeddingModel } from "./embedding-model.ts";
import { sharesOf } from "./shares.ts";

describe("an embedding model", () => {
  test("is found by its name, with its provider's address and a mask for its key", async () => {
    const { id, model, baseUrl, mask } = await resolveEmbeddingModel(" openai:text-embedding-3-small ", { OPENAI_API_KEY: "a-key-of-some-length" });
    expect([id, baseUrl, model.modelId]).toEqual(["openai:text-embedding-3-small", "https://api.openai.com/v1", "text-embedding-3-small"]);
    expect(mask?.("the key a-key-of-some-length is wrong")).toBe("the key [hidden] is wrong");
  });

  test("has a rate limit of its own, a key that ends nothing else, and the price list's price", async () => {
    const known = await resolveEmbeddingModel("openai:text-embedding-3-small", { OPENAI_API_KEY: "a-key-of-some-length" });
    const { lane } = sharesOf("https://api.openai.com/v1", "a-key-of-some-length", "text-embedding-3-small");
    expect([known.lane, known.credential]).toEqual([lane, lane]);
    expect((await known.price())({ ...noUsage, inputTokens: 1_000_000 })).toBeCloseTo(0.02, 6);
    const local = await resolveEmbeddingModel("ollama:nomic-embed-text", {});
    expect([local.maxConcurrency, (await local.price())({ ...noUsage, inputTokens: 1_000_000 })]).toEqual([4, 0]);
    expect((await (await resolveEmbeddingModel(embeddingModel(), {})).price())({ ...noUsage, inputTokens: 1 })).toBeUndefined();
  });

  test("may be at a server of one's own", async () => {
    const { baseUrl } = await resolveEmbeddingModel("openai-compatible:vectors", { OPENAI_COMPATIBLE_BASE_URL: "http://127.0.0.1:9/v1" });
    expect(baseUrl).toBe("http://127.0.0.1:9/v1");
  });

  test("may be an instance", async () => {
    const model = embeddingModel();
    expect(await resolveEmbeddingModel(model, {})).toMatchObject({ id: "double:words", model, baseUrl: "" });
  });

  test.each([["anthropic:claude-test"], ["local:"]])("is none where its provider has none: %s", async (name) => {
    const env = { ANTHROPIC_API_KEY: "a-key-of-some-length" };
    await expect(resolveEmbeddingModel(name, env)).rejects.toMatchObject({ code: "unsupported_model" });
  });

  test("without its key says which is missing", async () => {
    await expect(resolveEmbeddingModel("openai:text-embedding-3-small", {})).rejects.toMatchObject({ code: "missing_key" });
  });
});
