import { APICallError } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { embeddingModel } from "../../test/embedding-fixture.ts";
import { DivvyError } from "../errors.ts";
import { credentialMask } from "../models/credential-mask.ts";
import type { EmbeddingModel } from "../models/embedding-model.ts";
import { testRuntime } from "../testing/virtual-clock.ts";
import { embedded } from "./embedded.ts";

const secret = "sk-very-secret-indeed";
const retry = { attempts: 3, backoffMs: 1_000, maxBackoffMs: 30_000 };
const calm = new AbortController().signal;

function modelOf(model: EmbeddingModel["model"]): EmbeddingModel {
  return { id: "double:words", model, baseUrl: "", mask: credentialMask([secret]) };
}

function failing(statusCode: number, message = "no"): () => never {
  return () => {
    throw new APICallError({ message, url: "", requestBodyValues: {}, statusCode });
  };
}

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a text's vector", () => {
  test("comes with the tokens that the provider says", async () => {
    const embed = embedded(modelOf(embeddingModel(() => [3, 4])), retry, testRuntime());
    expect(await embed("text", calm)).toEqual({ vector: Float32Array.of(3, 4), tokens: 7 });
  });

  test("is asked for again after what may pass, and no more often than `retry` allows", async () => {
    const runtime = testRuntime();
    let asked = 0;
    const model = embeddingModel(() => (++asked < 3 ? failing(503)() : [1]));
    const coming = embedded(modelOf(model), retry, runtime)("text", calm);
    await runtime.clock.advance(10_000);
    expect((await coming).vector).toEqual(Float32Array.of(1));
    const never = embeddingModel(failing(503));
    const failed = errorOf(embedded(modelOf(never), retry, runtime)("text", calm));
    await runtime.clock.advance(10_000);
    expect(await failed).toMatchObject({ code: "overloaded", evidence: { attempts: 3 } });
    expect(never.texts).toHaveLength(3);
  });

  test("is not asked for again after what stays", async () => {
    const model = embeddingModel(failing(400));
    await expect(embedded(modelOf(model), retry, testRuntime())("text", calm)).rejects.toMatchObject({ code: "bad_request" });
    expect(model.texts).toHaveLength(1);
  });

  test("is not waited for longer than 30 s, over all tries", async () => {
    const runtime = testRuntime();
    const silent = embeddingModel(() => new Promise<never>(() => undefined));
    const failed = errorOf(embedded(modelOf(silent), retry, runtime)("text", calm));
    await runtime.clock.advance(30_000);
    expect(await failed).toMatchObject({ code: "total_timeout" });
  });

  test("is not waited for once the run is stopped, whether the model listens or not", async () => {
    const controller = new AbortController();
    const silent = embeddingModel(() => new Promise<never>(() => undefined));
    const coming = embedded(modelOf(silent), retry, testRuntime())("text", controller.signal);
    controller.abort(new DivvyError("aborted", "Stopped."));
    await expect(coming).rejects.toMatchObject({ code: "aborted" });
  });

  test.each([[[]], [[0, 0]], [[Number.NaN, 1]]])("that is none is an invalid response: %j", async (vector) => {
    const runtime = testRuntime();
    const once = { ...retry, attempts: 1 };
    await expect(embedded(modelOf(embeddingModel(() => vector)), once, runtime)("text", calm)).rejects.toMatchObject({ code: "invalid_response" });
  });

  test("that fails says nothing of the key", async () => {
    const embed = embedded(modelOf(embeddingModel(failing(401, `wrong key ${secret}`))), retry, testRuntime());
    const thrown: unknown = await errorOf(embed("text", calm));
    expect(thrown).toMatchObject({ code: "authentication" });
    expect(JSON.stringify(thrown)).not.toContain(secret);
  });
});
