import { APICallError } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { aRun, errorOf, type TestRun } from "../../test/call-fixture.ts";
import { ranks } from "./call.ts";
import { type EmbeddingDouble, embeddingModel } from "../../test/embedding-fixture.ts";
import { DivvyError } from "../errors.ts";
import { adaptiveGovernor } from "../governor/adaptive-governor.ts";
import { credentialMask } from "../models/credential-mask.ts";
import type { EmbeddingModel } from "../models/embedding-model.ts";
import { lookupPart } from "../role.ts";
import { testRuntime, type VirtualClock, virtualClock } from "../testing/virtual-clock.ts";
import type { RetryRules } from "./attempted.ts";
import { embedded } from "./embedded.ts";

const secret = "sk-very-secret-indeed";
const retry: RetryRules = { attempts: 3, backoffMs: 1_000, maxBackoffMs: 30_000 };
const ref = { role: "orchestrator", part: lookupPart } as const;

interface Stage {
  readonly clock: VirtualClock;
  readonly run: TestRun;
  readonly asked: (text?: string) => Promise<Float32Array>;
}

/** A dollar for each token. */
function stage(model: EmbeddingDouble, { signal = new AbortController().signal, rules = retry, run = aRun() } = {}): Stage {
  const clock = virtualClock();
  const runtime = testRuntime({ clock });
  const known: EmbeddingModel = {
    id: "double:words",
    model,
    lane: "words",
    credential: "words",
    baseUrl: "",
    price: async () => (usage) => usage.inputTokens,
    mask: credentialMask([secret]),
  };
  const embed = embedded(known, { governor: adaptiveGovernor(runtime), runtime, retry: rules, admissionMs: 60_000 });
  return { clock, run, asked: (text = "some text") => embed(text, { ...ref, run, rank: ranks.plan, signal }) };
}

function failing(statusCode: number, { message = "no", retryAfter }: { readonly message?: string; readonly retryAfter?: string } = {}): () => never {
  return () => {
    const responseHeaders = retryAfter === undefined ? {} : { "retry-after": retryAfter };
    throw new APICallError({ message, url: "", requestBodyValues: {}, statusCode, responseHeaders });
  };
}

describe("a text's vector", () => {
  test("is booked like any reply: what is reserved before it is asked for, and what the provider says that it used", async () => {
    const { run, asked } = stage(embeddingModel(() => [3, 4]));
    expect(await asked()).toEqual(Float32Array.of(3, 4));
    expect(run.events).toEqual([
      { type: "attempt.started", ...ref, attempt: 1, model: "double:words", requeues: 0, reserved: { inputTokens: 6, outputTokens: 0 } },
      {
        type: "attempt.settled",
        ...ref,
        attempt: 1,
        usage: expect.objectContaining({ inputTokens: 7, outputTokens: 0, totalTokens: 7, estimatedTokens: 0 }),
        cost: 7,
      },
    ]);
  });

  test("is estimated where the provider does not say what it used", async () => {
    const silent: EmbeddingDouble = { ...embeddingModel(), doEmbed: async () => ({ embeddings: [[1]], warnings: [] }) };
    const { run, asked } = stage(silent);
    await asked();
    expect(run.of("attempt.settled")).toMatchObject([{ usage: { totalTokens: 6, estimatedTokens: 6 }, cost: 6 }]);
  });

  test("is asked for only once what announces it is kept", async () => {
    let keep = (): void => undefined;
    const kept = new Promise<void>((resolve) => (keep = resolve));
    const model = embeddingModel();
    const { run, asked } = stage(model, { run: { ...aRun(), committed: () => kept } });
    const coming = asked();
    await new Promise((go) => setImmediate(go));
    expect([run.events.length, model.texts.length]).toEqual([1, 0]);
    keep();
    await coming;
    expect(model.texts).toEqual(["some text"]);
  });

  test("that the provider sends back is waited for as long as it asks, and that is no try", async () => {
    let times = 0;
    const model = embeddingModel(() => (++times === 1 ? failing(429, { retryAfter: "20" })() : [1]));
    const { clock, run, asked } = stage(model, { rules: { ...retry, attempts: 1 } });
    const coming = asked();
    await clock.advance(19_000);
    expect(model.texts).toHaveLength(1);
    await clock.advance(2_000);
    await coming;
    expect(run.events.map(({ type }) => type)).toEqual(["attempt.started", "attempt.settled", "governor.throttled", "attempt.started", "attempt.settled"]);
    expect(run.of("attempt.started").map(({ attempt, requeues }) => [attempt, requeues])).toEqual([
      [1, 0],
      [1, 1],
    ]);
    expect(run.of("attempt.settled")).toMatchObject([{ calls: 0, usage: { totalTokens: 0 } }, { usage: { totalTokens: 7 } }]);
  });

  test("is given up at once where the provider asks for longer than an attempt may wait", async () => {
    const { asked } = stage(embeddingModel(failing(429, { retryAfter: "61" })));
    expect(await errorOf(asked())).toMatchObject({ code: "rate_limited", retryable: false });
  });

  test("is asked for again after what may pass, and no more often than `retry` allows", async () => {
    let times = 0;
    const first = stage(embeddingModel(() => (++times < 3 ? failing(500)() : [1])));
    const coming = first.asked();
    await first.clock.advance(10_000);
    expect(await coming).toEqual(Float32Array.of(1));
    expect(first.run.of("attempt.failed").map(({ attempt, error }) => [attempt, error.code])).toEqual([
      [1, "server_error"],
      [2, "server_error"],
    ]);
    const never = embeddingModel(failing(500));
    const second = stage(never);
    const failed = errorOf(second.asked());
    await second.clock.advance(10_000);
    expect(await failed).toMatchObject({ code: "server_error", evidence: { attempts: 3 } });
    expect(never.texts).toHaveLength(3);
  });

  test("is not asked for again after what stays", async () => {
    const model = embeddingModel(failing(400));
    const { asked } = stage(model);
    expect(await errorOf(asked())).toMatchObject({ code: "bad_request" });
    expect(model.texts).toHaveLength(1);
  });

  test("is not waited for longer than 30 s, and what was sent is then presumed to be used", async () => {
    const { clock, run, asked } = stage(embeddingModel(() => new Promise<never>(() => undefined)));
    const failed = errorOf(asked());
    await clock.advance(30_000);
    expect(await failed).toMatchObject({ code: "total_timeout" });
    expect(run.of("attempt.settled")).toMatchObject([{ usage: { totalTokens: 6, presumedTokens: 6 } }]);
  });

  test("is not waited for once the run is stopped, whether the model listens or not", async () => {
    const controller = new AbortController();
    const model = embeddingModel(() => new Promise<never>(() => undefined));
    const { run, asked } = stage(model, { signal: controller.signal });
    const failed = errorOf(asked());
    while (model.texts.length === 0) await new Promise((go) => setImmediate(go));
    controller.abort(new DivvyError("aborted", "Stopped."));
    expect(await failed).toMatchObject({ code: "aborted" });
    expect(run.of("attempt.settled")).toMatchObject([{ usage: { presumedTokens: 6 } }]);
  });

  test.each([[[]], [[0, 0]], [[Number.NaN, 1]]])("that is none is an invalid response, and paid all the same: %j", async (vector) => {
    const { run, asked } = stage(
      embeddingModel(() => vector),
      { rules: { ...retry, attempts: 1 } },
    );
    expect(await errorOf(asked())).toMatchObject({ code: "invalid_response" });
    expect(run.of("attempt.settled")).toMatchObject([{ usage: { totalTokens: 7 } }]);
  });

  test("that fails says nothing of the key", async () => {
    const { run, asked } = stage(embeddingModel(failing(401, { message: `wrong key ${secret}` })));
    const thrown: unknown = await errorOf(asked());
    expect(thrown).toMatchObject({ code: "authentication" });
    expect(JSON.stringify([thrown, run.events])).not.toContain(secret);
  });
});
