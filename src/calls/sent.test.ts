import { getEventListeners } from "node:events";
import { APICallError, type LanguageModelV4CallOptions, type LanguageModelV4StreamPart, TypeValidationError } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import type { CallRequest } from "./call.ts";
import { aRequest, aSentContext, errorOf, finish, modelOf, modelThat, partsSeen, rejection, text } from "../../test/call-fixture.ts";
import { failureOf, send, sentTo } from "./sent-fixture.ts";

describe("the content", () => {
  test("is put together from the parts, each block whole, in the order in which blocks began", async () => {
    const call = { type: "tool-call", toolCallId: "c", toolName: "look", input: "{}" } as const;
    const source = { type: "source", sourceType: "url", id: "u", url: "https://a.invalid" } as const;
    const { content } = await send([
      { type: "stream-start", warnings: [] },
      { type: "response-metadata", id: "r" },
      { type: "custom", kind: "anthropic.message_start" },
      { type: "reasoning-start", id: "0" },
      { type: "reasoning-delta", id: "0", delta: "Let me " },
      { type: "text-start", id: "1" },
      { type: "reasoning-delta", id: "0", delta: "think." },
      { type: "text-delta", id: "1", delta: "On" },
      { type: "tool-input-start", id: "c", toolName: "look" },
      { type: "tool-input-delta", id: "c", delta: "{}" },
      { type: "tool-input-end", id: "c" },
      call,
      { type: "text-delta", id: "1", delta: "e" },
      { type: "text-end", id: "1" },
      source,
      { type: "reasoning-end", id: "0" },
      finish(),
    ]);
    expect(content).toEqual([{ type: "reasoning", text: "Let me think." }, { type: "text", text: "One" }, call, source]);
  });

  test("keeps the last metadata that the provider gave a block, a signature that comes with its end for one", async () => {
    const { content } = await send([
      { type: "reasoning-start", id: "0", providerMetadata: { p: { early: 1 } } },
      { type: "reasoning-delta", id: "0", delta: "a" },
      { type: "reasoning-end", id: "0", providerMetadata: { p: { signature: "s" } } },
      { type: "text-start", id: "1", providerMetadata: { p: { mark: 2 } } },
      { type: "text-delta", id: "1", delta: "b" },
      { type: "text-end", id: "1" },
      finish(),
    ]);
    expect(content).toEqual([
      { type: "reasoning", text: "a", providerMetadata: { p: { signature: "s" } } },
      { type: "text", text: "b", providerMetadata: { p: { mark: 2 } } },
    ]);
  });

  test("does not mix a text and a reasoning block that are called by one id", async () => {
    const { content } = await send([
      { type: "reasoning-start", id: "0" },
      { type: "text-start", id: "0" },
      { type: "reasoning-delta", id: "0", delta: "secret thought" },
      { type: "text-delta", id: "0", delta: "answer" },
      finish(),
    ]);
    expect(content.filter(({ type }) => type === "text")).toEqual([
      { type: "text", text: "" },
      { type: "text", text: "answer" },
    ]);
  });

  test("has text whose block was never opened, and begins a new block when a closed one goes on", async () => {
    const { content } = await send([
      { type: "text-delta", id: "7", delta: "a" },
      { type: "text-end", id: "7" },
      { type: "text-delta", id: "7", delta: "b" },
      finish(),
    ]);
    expect(content).toEqual([
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ]);
  });

  test("is shown as it comes, text and reasoning apart, empty deltas left out", async () => {
    const { onPart, seen } = partsSeen();
    await send(
      [
        { type: "reasoning-start", id: "0" },
        { type: "reasoning-delta", id: "0", delta: "hm" },
        ...text("a", "1"),
        ...text("", "2"),
        ...text("b", "3"),
        finish(),
      ],
      { onPart },
    );
    expect(seen()).toEqual(["reasoning: hm", "text: a", "text: b"]);
  });
});

describe("a stream that is not whole", () => {
  const half = text("half a ");

  test.each<[string, readonly (LanguageModelV4StreamPart | Error)[], string]>([
    ["ends without a finish reason", half, "stream_broken"],
    ["ends as interrupted", [...half, finish("interrupted")], "stream_broken"],
    ["throws", [...half, new TypeError("terminated", { cause: Object.assign(new Error("x"), { code: "UND_ERR_SOCKET" }) })], "connection_failed"],
    ["has an error part with the provider's object", [...half, { type: "error", error: { type: "overloaded_error", message: "busy" } }], "overloaded"],
    ["has an error part and then a finish", [...half, { type: "error", error: { message: "busy", code: "server_error" } }, finish("error")], "server_error"],
    ["has an error part with words alone", [...half, { type: "error", error: "busy" }], "server_error"],
    ["has an error part with an Error", [...half, { type: "error", error: new Error("no JSON") }], "invalid_response"],
  ])("that %s fails, with the text that had come", async (_, parts, code) => {
    const { error, accepted } = await failureOf(send(parts));
    expect([error.code, error.evidence?.partialText, error.retryable, accepted]).toEqual([code, "half a ", true, true]);
  });

  test("with nothing in it is broken; of a page or a JSON body it is said that it is no stream", async () => {
    const start: LanguageModelV4StreamPart = { type: "stream-start", warnings: [] };
    expect(await errorOf(send([start]))).toMatchObject({ code: "stream_broken", evidence: undefined });
    expect(await errorOf(send([start], {}, { "content-type": "text/html; charset=utf-8" }))).toMatchObject({ code: "invalid_response" });
    expect(await errorOf(send([start], {}, { "content-type": "application/json" }))).toMatchObject({ code: "invalid_response" });
    expect(await errorOf(send([start], {}, { "content-type": "text/event-stream" }))).toMatchObject({ code: "stream_broken" });
    expect(await errorOf(send([...text("a")], {}, { "content-type": "application/json" }))).toMatchObject({ code: "stream_broken" });
  });

  test("whose first word is the provider's error was not taken on, and cost nothing", async () => {
    const rejected: LanguageModelV4StreamPart = { type: "error", error: { code: 429, message: "slow down" } };
    const mark: LanguageModelV4StreamPart = { type: "custom", kind: "anthropic.message_start" };
    const starts: readonly (readonly LanguageModelV4StreamPart[])[] = [[{ type: "stream-start", warnings: [] }], [mark, { type: "text-start", id: "0" }]];
    for (const before of starts) {
      const failure = await failureOf(send([...before, rejected]));
      expect(failure).toMatchObject({ accepted: false, error: { code: "rate_limited", evidence: { status: 429 } }, usage: { totalTokens: 0 } });
    }
    expect(await failureOf(send([...text("a"), rejected]))).toMatchObject({ accepted: true, error: { code: "rate_limited" } });
    // Openai-compatible's package knows errors of one shape alone.
    const unknown: LanguageModelV4StreamPart = { type: "error", error: new TypeValidationError({ value: { error: { code: 429 } }, cause: undefined }) };
    expect(await failureOf(send([unknown]))).toMatchObject({ accepted: false, error: { code: "rate_limited" }, usage: { totalTokens: 0 } });
    const noReply: LanguageModelV4StreamPart = { type: "error", error: new TypeValidationError({ value: { choices: 1 }, cause: undefined }) };
    expect(await failureOf(send([noReply]))).toMatchObject({ accepted: true, error: { code: "invalid_response" } });
  });

  test("is cancelled at its error part, so that no connection stays open", async () => {
    let cancelled = false;
    const model = modelThat(async () => ({
      stream: new ReadableStream({
        start: (controller) => controller.enqueue({ type: "error", error: "no" }),
        cancel: () => void (cancelled = true),
      }),
    }));
    await rejection(sentTo(model)(aRequest(), aSentContext()));
    expect(cancelled).toBe(true);
  });

  test("that a provider's package throws before it gives a promise fails like any other, and leaves no listener", async () => {
    const { signal } = new AbortController();
    const model = modelThat(() => {
      throw new Error("broken package");
    });
    expect(await errorOf(sentTo(model)(aRequest(), aSentContext({ signal })))).toMatchObject({ code: "invalid_response" });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("an abort", () => {
  const reason = new DivvyError("idle_timeout", "Silent.");

  test("ends a call whose provider neither answers nor listens, with the signal's reason", async () => {
    const abort = new AbortController();
    const call = sentTo(modelThat(() => new Promise(() => undefined)))(aRequest(), aSentContext({ signal: abort.signal }));
    abort.abort(reason);
    expect(await errorOf(call)).toBe(reason);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  test("closes unread the stream that such a provider opens afterwards", async () => {
    const abort = new AbortController();
    const opening = Promise.withResolvers<void>();
    let reads = 0;
    let cancelledWith: unknown;
    const stream = new ReadableStream<LanguageModelV4StreamPart>(
      { pull: () => void reads++, cancel: (why) => void (cancelledWith = why) },
      { highWaterMark: 0 },
    );
    const model = modelThat(() => opening.promise.then(() => ({ stream })));
    const call = sentTo(model)(aRequest(), aSentContext({ signal: abort.signal }));
    abort.abort(reason);
    await rejection(call);
    opening.resolve();
    await opening.promise.then(() => undefined);
    await Promise.resolve();
    expect([reads, cancelledWith]).toEqual([0, reason]);
  });

  test("ends a read that never would, and cancels its stream, even where cancelling takes for ever", async () => {
    const abort = new AbortController();
    let cancelled = false;
    const stream = new ReadableStream<LanguageModelV4StreamPart>({
      start: (controller) => {
        for (const part of text("half")) controller.enqueue(part);
      },
      cancel: () => {
        cancelled = true;
        return new Promise(() => undefined);
      },
    });
    const { onPart, seen } = partsSeen();
    const call = sentTo(modelThat(async () => ({ stream })))(aRequest(), aSentContext({ signal: abort.signal, onPart }));
    await new Promise(setImmediate);
    expect(seen()).toEqual(["text: half"]);
    abort.abort(reason);
    expect(await errorOf(call)).toMatchObject({ code: "idle_timeout", evidence: { partialText: "half" } });
    expect(cancelled).toBe(true);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  test("in the moment in which the stream opens is not missed", async () => {
    for (const hops of [0, 1, 2, 3, 4, 5, 6]) {
      const abort = new AbortController();
      let cancelled = false;
      const model = modelThat(async () => {
        void (async () => {
          for (let hop = 0; hop < hops; hop++) await Promise.resolve();
          abort.abort(reason);
        })();
        return { stream: new ReadableStream({ cancel: () => void (cancelled = true) }) };
      });
      expect(await errorOf(sentTo(model)(aRequest(), aSentContext({ signal: abort.signal })))).toBe(reason);
      await Promise.resolve();
      expect(cancelled).toBe(true);
    }
  });

  test("before it begins sends nothing", async () => {
    let asked = false;
    const model = modelThat(() => {
      asked = true;
      return new Promise(() => undefined);
    });
    expect(await errorOf(sentTo(model)(aRequest(), aSentContext({ signal: AbortSignal.abort(reason) })))).toBe(reason);
    expect(asked).toBe(false);
  });

  test("for a reason that is none of ours is `aborted`, also where the provider throws something else for it", async () => {
    const abort = new AbortController();
    const model = modelThat(
      ({ abortSignal }) =>
        new Promise((_, reject) => abortSignal?.addEventListener("abort", () => reject(new Error("The operation was cancelled")), { once: true })),
    );
    const call = sentTo(model)(aRequest(), aSentContext({ signal: abort.signal }));
    abort.abort(new Error("enough"));
    expect(await errorOf(call)).toMatchObject({ code: "aborted", retryable: false });
  });

  test("leaves no listener behind where the call ends well", async () => {
    const { signal } = new AbortController();
    await send([...text("a"), finish()], { signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("what is sent", () => {
  async function asked(request: Partial<CallRequest>, provider?: string): Promise<LanguageModelV4CallOptions> {
    let seen: LanguageModelV4CallOptions | undefined;
    const model = modelThat(async (options) => {
      seen = options;
      return modelOf([...text("a"), finish()]).doStream(options);
    }, provider);
    await sentTo(model)(aRequest(request), aSentContext());
    if (seen === undefined) throw new Error("Nothing was asked.");
    return seen;
  }

  test("is the request's own settings, tools and format, and the output cap always", async () => {
    const tools = [{ type: "function", name: "look", inputSchema: { type: "object" } }] as const;
    const responseFormat = { type: "json", schema: { type: "object" }, name: "plan" } as const;
    const { abortSignal, prompt, ...options } = await asked({
      tools,
      responseFormat,
      settings: { maxOutputTokens: 7, temperature: 0, reasoning: "low", providerOptions: { p: { a: 1 } } },
    });
    expect(prompt).toEqual(aRequest().messages);
    expect(abortSignal?.aborted).toBe(false);
    expect(options).toEqual({ tools, responseFormat, maxOutputTokens: 7, temperature: 0, reasoning: "low", providerOptions: { p: { a: 1 } } });
  });

  test("to Anthropic asks for pings beside the user's own options, which can refuse them", async () => {
    const own = { anthropic: { effort: "low" }, other: { b: 2 } };
    expect((await asked({}, "anthropic.messages")).providerOptions).toEqual({ anthropic: { includePings: true } });
    expect((await asked({ settings: { maxOutputTokens: 1, providerOptions: own } }, "anthropic.messages")).providerOptions).toEqual({
      anthropic: { includePings: true, effort: "low" },
      other: { b: 2 },
    });
    const without = { anthropic: { includePings: false } };
    expect((await asked({ settings: { maxOutputTokens: 1, providerOptions: without } }, "anthropic.messages")).providerOptions).toEqual(without);
  });

  const shared = { type: "text", text: "what all share" } as const;
  const own = { type: "text", text: "my part" } as const;
  const twoParts = {
    messages: [
      { role: "system", content: "rules" },
      { role: "user", content: [shared, own] },
    ],
  } satisfies Partial<CallRequest>;

  test.each(["anthropic.messages", "vertex.anthropic.messages"])("to %s marks where what calls share ends", async (provider) => {
    const marked = { ...shared, providerOptions: { anthropic: { cacheControl: { type: "ephemeral" } } } };
    expect((await asked(twoParts, provider)).prompt).toEqual([
      { role: "system", content: "rules" },
      { role: "user", content: [marked, own] },
    ]);
  });

  test("has no cache mark where nothing is shared, nor for providers that need none", async () => {
    expect((await asked({}, "anthropic.messages")).prompt).toEqual(aRequest().messages);
    expect((await asked(twoParts, "openai.chat")).prompt).toEqual(twoParts.messages);
  });

  test("to others has only the user's options", async () => {
    expect(await asked({}, "openai.chat")).not.toHaveProperty("providerOptions");
  });
});

test("every part is a sign of life, pings too", async () => {
  let signs = 0;
  await send([{ type: "stream-start", warnings: [] }, { type: "ping" }, { type: "ping" }, ...text("a"), finish()], { alive: () => void signs++ });
  expect(signs).toBe(7);
});

test.each<[string, LanguageModelV4StreamPart[]]>([
  ["text", text("a")],
  [
    "reasoning",
    [
      { type: "reasoning-start", id: "0" },
      { type: "reasoning-delta", id: "0", delta: "a" },
    ],
  ],
  ["text without a start of its own", [{ type: "text-delta", id: "0", delta: "a" }]],
  ["a tool's input", [{ type: "tool-input-start", id: "0", toolName: "look" }]],
])("the reply begins once, with %s, and not with what is about the stream", async (_, written) => {
  const begun: string[] = [];
  const parts = (...all: LanguageModelV4StreamPart[]) => send(all, { onBegun: () => void begun.push("begun") }).catch(() => undefined);
  await parts({ type: "stream-start", warnings: [] }, { type: "response-metadata", id: "1" }, { type: "ping" }, finish());
  expect(begun).toEqual([]);
  await parts({ type: "stream-start", warnings: [] }, ...written, ...text("b", "1"), finish());
  expect(begun).toEqual(["begun"]);
});

test("the response's headers are handed on before anything is read", async () => {
  const order: string[] = [];
  await send(
    [...text("a"), finish()],
    { onAccepted: (headers) => void order.push(`headers ${headers?.["x-left"]}`), onPart: (part) => void order.push(part.type) },
    { "x-left": "9" },
  );
  expect(order).toEqual(["headers 9", "text"]);
});

test("a date to wait for, in a response without a date of its own, counts from now", async () => {
  const refusal = { message: "Slow down.", url: "https://test.invalid/v1", requestBodyValues: {}, statusCode: 429 };
  const responseHeaders = { "retry-after": "Thu, 01 Jan 1970 00:00:30 GMT" };
  const model = modelThat(() => Promise.reject(new APICallError({ ...refusal, responseHeaders })));
  expect((await errorOf(sentTo(model)(aRequest(), aSentContext()))).evidence).toMatchObject({ retryAfterMs: 30_000 });
});
