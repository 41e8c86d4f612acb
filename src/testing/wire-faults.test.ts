import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import type { Fault } from "./fault.ts";
import { type ProviderServer, providerServer } from "./provider-server.ts";

/** What a fault on the wire looks like to those who call `doStream`. The layers above are built on these shapes. */
interface Seen {
  /** Types of the parts, deltas left out. */
  readonly parts: readonly string[];
  readonly text: string;
  readonly deltas: number;
  readonly opened: boolean;
  readonly thrown: unknown;
  readonly error: unknown;
  readonly finish: unknown;
}

async function see(model: LanguageModelV4, signal = AbortSignal.timeout(300)): Promise<Seen> {
  const parts: LanguageModelV4StreamPart[] = [];
  let opened = false;
  let thrown: unknown;
  try {
    const { stream } = await model.doStream({
      prompt: [{ role: "user", content: [{ type: "text", text: "q" }] }],
      maxOutputTokens: 100,
      abortSignal: signal,
      providerOptions: { anthropic: { includePings: true } },
    });
    opened = true;
    for await (const part of stream) parts.push(part);
  } catch (error) {
    thrown = error;
  }
  return {
    parts: parts.map(({ type }) => type).filter((type) => !type.endsWith("-delta")),
    text: parts.map((part) => (part.type === "text-delta" ? part.delta : "")).join(""),
    deltas: parts.filter(({ type }) => type === "text-delta").length,
    opened,
    thrown,
    error: parts.map((part) => (part.type === "error" ? part.error : undefined)).find((error) => error !== undefined),
    finish: parts.map((part) => (part.type === "finish" ? part.finishReason : undefined)).find((reason) => reason !== undefined),
  };
}

async function withFault(fault: Fault, modelOf: (server: ProviderServer) => LanguageModelV4): Promise<Seen & { readonly server: ProviderServer }> {
  await using server = await providerServer(() => ({ text: "abcdef", chunkSize: 2, fault }));
  return { ...(await see(modelOf(server))), server };
}

const anthropic = (server: ProviderServer): LanguageModelV4 => createAnthropic({ baseURL: server.anthropicBaseUrl, apiKey: "key" })("claude-sonnet-4-5");
const openai = (server: ProviderServer): LanguageModelV4 =>
  createOpenAICompatible({ name: "double", baseURL: server.openaiBaseUrl, includeUsage: true })("small");
const wires = [
  ["anthropic", anthropic],
  ["openai", openai],
] as const;

describe.each(wires)("%s", (_, modelOf) => {
  test("an abort for a reason of one's own throws it before the headers, and wraps it after them", async () => {
    for (const [afterChunks, thrown] of [
      [-1, { name: "Error", message: "enough" }],
      [1, { name: "AI_APICallError", statusCode: 200, isRetryable: false, cause: { name: "Error", message: "enough" } }],
    ] as const) {
      await using server = await providerServer(() => ({ text: "abcdef", chunkSize: 2, fault: { kind: "silence", afterChunks } }));
      const abort = new AbortController();
      setTimeout(() => abort.abort(new Error("enough")), 500);
      expect((await see(modelOf(server), abort.signal)).thrown).toMatchObject(thrown);
    }
  });

  test("a status rejects doStream with the headers and the protocol's own error", async () => {
    const { opened, thrown } = await withFault({ kind: "status", status: 429, headers: { "retry-after": "7" } }, modelOf);
    expect([opened, thrown]).toMatchObject([
      false,
      {
        name: "AI_APICallError",
        statusCode: 429,
        isRetryable: true,
        message: "Scripted status 429",
        responseHeaders: { "retry-after": "7" },
        data: { error: { message: "Scripted status 429" } },
      },
    ]);
  });

  test("a status with HTML has no data", async () => {
    const { thrown } = await withFault({ kind: "status", status: 502, body: "<html>bad</html>", contentType: "text/html" }, modelOf);
    expect(thrown).toMatchObject({
      statusCode: 502,
      message: "Bad Gateway",
      responseBody: "<html>bad</html>",
      data: undefined,
      responseHeaders: { "content-type": "text/html" },
    });
  });

  test("a reset before the headers rejects doStream with the system's error as its cause", async () => {
    const { opened, thrown, server } = await withFault({ kind: "reset", afterChunks: 0 }, modelOf);
    expect([opened, thrown]).toMatchObject([false, { name: "AI_APICallError", statusCode: undefined, isRetryable: true, cause: { code: "ECONNRESET" } }]);
    expect(server.requests[0]?.closedByClient).toBeUndefined();
    expect(server.requests[0]?.firstByteAt).toBeUndefined();
  });

  test("a reset half way keeps what was sent, then throws an APICallError with the status 200", async () => {
    const { text, thrown, finish } = await withFault({ kind: "reset", afterChunks: 2 }, modelOf);
    expect([text, finish]).toEqual(["abcd", undefined]);
    expect(thrown).toMatchObject({
      name: "AI_APICallError",
      statusCode: 200,
      isRetryable: true,
      cause: { message: "terminated", cause: { code: "UND_ERR_SOCKET" } },
    });
  });

  test("silence before the headers keeps doStream from resolving, until an abort throws its own reason", async () => {
    const { opened, thrown, server } = await withFault({ kind: "silence", afterChunks: -1 }, modelOf);
    expect([opened, thrown]).toMatchObject([false, { name: "TimeoutError" }]);
    expect(server.requests[0]?.firstByteAt).toBeUndefined();
  });

  test("silence half way leaves the stream open, until an abort throws its own reason", async () => {
    const { text, thrown } = await withFault({ kind: "silence", afterChunks: 2 }, modelOf);
    expect([text, thrown]).toMatchObject(["abcd", { name: "TimeoutError" }]);
  });

  test("a byte that is no UTF-8 is read as U+FFFD, and the reply goes on", async () => {
    for (const [afterChunks, text] of [
      [0, "\uFFFDabcdef"],
      [1, "ab\uFFFDcdef"],
      [9, "abcdef\uFFFD"],
    ] as const) {
      const seen = await withFault({ kind: "invalid-utf8", afterChunks }, modelOf);
      expect([seen.text, seen.finish, seen.thrown]).toMatchObject([text, { unified: "stop" }, undefined]);
    }
  });

  test("a refusal comes as text, and ends for a reason that is its own", async () => {
    await using server = await providerServer(() => ({ text: "I will not.", finish: "refusal" }));
    const { text, finish } = await see(modelOf(server));
    expect([text, finish]).toMatchObject(["I will not.", { unified: "content-filter" }]);
    const whole = await modelOf(server).doGenerate({ prompt: [{ role: "user", content: [{ type: "text", text: "q" }] }] });
    expect(whole).toMatchObject({ content: [{ type: "text" }], finishReason: { unified: "content-filter" } });
  });

  test("no choices hold no text, streamed or whole", async () => {
    const { text, thrown, server } = await withFault({ kind: "no-choices" }, modelOf);
    expect([text, thrown, server.requests.length]).toEqual(["", undefined, 1]);
    await using again = await providerServer(() => ({ text: "abc", fault: { kind: "no-choices" } }));
    const call = (): PromiseLike<unknown> => modelOf(again).doGenerate({ prompt: [{ role: "user", content: [{ type: "text", text: "q" }] }] });
    expect(await Promise.resolve(call()).catch((thrown: unknown) => String(thrown))).not.toHaveProperty("content.0");
  });
});

describe("anthropic", () => {
  test("silence after the headers keeps doStream from resolving: it waits for the first event", async () => {
    const { opened, server } = await withFault({ kind: "silence", afterChunks: 0 }, anthropic);
    expect([opened, typeof server.requests[0]?.firstByteAt]).toEqual([false, "number"]);
  });

  test("pings alone keep doStream from resolving; after a first event they are shown to those who ask for them", async () => {
    const alone = await withFault({ kind: "pings", everyMs: 5 }, anthropic);
    expect([alone.opened, alone.thrown]).toMatchObject([false, { name: "TimeoutError" }]);
    const later = await withFault({ kind: "pings", everyMs: 5, afterChunks: 1 }, anthropic);
    expect([later.opened, later.text]).toEqual([true, "ab"]);
    expect(later.parts.filter((type) => type === "ping").length).toBeGreaterThan(5);
  });

  test("empty deltas are shown, for ever, from the first or after some text", async () => {
    for (const [afterChunks, text] of [
      [0, ""],
      [2, "abcd"],
    ] as const) {
      const seen = await withFault({ kind: "empty-deltas", everyMs: 5, afterChunks }, anthropic);
      expect([seen.opened, seen.text, seen.thrown]).toMatchObject([true, text, { name: "TimeoutError" }]);
      expect(seen.deltas).toBeGreaterThan(5);
    }
  });

  test("no choices are a reply that ends well", async () => {
    expect((await withFault({ kind: "no-choices" }, anthropic)).finish).toMatchObject({ unified: "stop", raw: "end_turn" });
  });

  test("a cut half way is finished as interrupted; before any text it is only the stream's start", async () => {
    const half = await withFault({ kind: "cut", afterChunks: 2 }, anthropic);
    expect([half.text, half.finish, half.error]).toEqual(["abcd", { unified: "interrupted", raw: undefined }, undefined]);
    expect((await withFault({ kind: "cut", afterChunks: 0 }, anthropic)).parts).toEqual(["stream-start"]);
  });

  test("a body that is no stream is only the stream's start", async () => {
    for (const [body, contentType] of [
      ["<html>hi</html>", "text/html"],
      ['{"type":"error","error":{"type":"api_error","message":"no"}}', "application/json"],
    ] as const) {
      expect(await withFault({ kind: "body", body, contentType }, anthropic)).toMatchObject({ parts: ["stream-start"], thrown: undefined });
    }
  });

  test("an error event half way is a plain object alone; as the first event it rejects doStream with a status", async () => {
    const half = await withFault({ kind: "error-event", afterChunks: 2 }, anthropic);
    expect([half.text, half.finish, half.thrown]).toEqual(["abcd", undefined, undefined]);
    expect(half.error).toEqual({
      message: "Overloaded",
      type: "overloaded_error",
      code: undefined,
      statusCode: 529,
      isRetryable: true,
      data: { type: "overloaded_error", message: "Overloaded" },
    });
    const own = await withFault(
      { kind: "error-event", afterChunks: 0, data: { type: "error", error: { type: "rate_limit_error", message: "slow down" } } },
      anthropic,
    );
    expect([own.opened, own.thrown]).toMatchObject([false, { name: "AI_APICallError", statusCode: 429, isRetryable: true, message: "slow down" }]);
  });
});

describe("openai-compatible", () => {
  test("silence after the headers lets doStream resolve, with only the stream's start", async () => {
    const { opened, parts, thrown } = await withFault({ kind: "silence", afterChunks: 0 }, openai);
    expect([opened, parts, thrown]).toMatchObject([true, ["stream-start"], { name: "TimeoutError" }]);
  });

  test("pings are comments, which nobody sees", async () => {
    expect((await withFault({ kind: "pings", everyMs: 5 }, openai)).parts).toEqual(["stream-start"]);
  });

  test("empty deltas are not shown", async () => {
    expect(await withFault({ kind: "empty-deltas", everyMs: 5, afterChunks: 1 }, openai)).toMatchObject({
      deltas: 1,
      text: "ab",
      thrown: { name: "TimeoutError" },
    });
  });

  test("an error in plain words is a chunk that makes no sense, with the words in its value", async () => {
    for (const data of ["no", { error: "no" }]) {
      const { error } = await withFault({ kind: "error-event", afterChunks: 1, data }, openai);
      expect(error).toMatchObject({ name: "AI_TypeValidationError", value: data });
    }
  });

  test("whatever ends without a finish reason gets an error part and a finish of error", async () => {
    const faults: readonly Fault[] = [
      { kind: "cut", afterChunks: 2 },
      { kind: "cut", afterChunks: 0 },
      { kind: "no-choices" },
      { kind: "body", body: "<html>hi</html>", contentType: "text/html" },
      { kind: "body", body: '{"error":{"message":"no"}}', contentType: "application/json" },
    ];
    for (const fault of faults) {
      const seen = await withFault(fault, openai);
      expect([seen.error, seen.finish, seen.thrown]).toMatchObject([{ name: "AI_InvalidResponseDataError" }, { unified: "error", raw: undefined }, undefined]);
    }
  });

  test("an error event is the plain error object, without a status, and a finish of error follows", async () => {
    const half = await withFault({ kind: "error-event", afterChunks: 2 }, openai);
    expect([half.text, half.error, half.finish]).toEqual([
      "abcd",
      { message: "Overloaded", type: "server_error", param: null, code: null },
      { unified: "error", raw: undefined },
    ]);
  });
});
