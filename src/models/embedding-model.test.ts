import { describe, expect, test } from "vitest";
import { embeddingModel } from "../../test/embedding-fixture.ts";
import { resolveEmbeddingModel } from "./embedding-model.ts";

describe("an embedding model", () => {
  test("is found by its name, with its provider's address and a mask for its key", async () => {
    const { id, model, baseUrl, mask } = await resolveEmbeddingModel(" openai:text-embedding-3-small ", { OPENAI_API_KEY: "a-key-of-some-length" });
    expect([id, baseUrl, model.modelId]).toEqual(["openai:text-embedding-3-small", "https://api.openai.com/v1", "text-embedding-3-small"]);
    expect(mask("the key a-key-of-some-length is wrong")).toBe("the key [hidden] is wrong");
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
