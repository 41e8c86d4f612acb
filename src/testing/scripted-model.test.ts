import { setImmediate } from "node:timers/promises";
import { APICallError, type LanguageModelV4CallOptions, type LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import type { Fault } from "./fault.ts";
import type { DoubleReply } from "./script.ts";
import { type ScriptedModel, scriptedModel, type ScriptedModelOptions } from "./scripted-model.ts";
import { virtualClock } from "./virtual-clock.ts";

function asking(text: string, more: Partial<LanguageModelV4CallOptions> = {}): LanguageModelV4CallOptions {
  return {
    prompt: [
      { role: "system", content: "You work." },
      { role: "user", content: [{ type: "text", text }] },
    ],
    ...more,
  };
}

async function partsOf(model: ScriptedModel, options = asking("q")): Promise<LanguageModelV4StreamPart[]> {
  const { stream } = await model.doStream(options);
  const parts: LanguageModelV4StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const textOf = (parts: readonly LanguageModelV4StreamPart[]): string => parts.map((part) => (part.type === "text-delta" ? part.delta : "")).join("");
const typesOf = (parts: readonly LanguageModelV4StreamPart[]): string[] => parts.map((part) => part.type);
const saying = (reply: DoubleReply, options?: ScriptedModelOptions): ScriptedModel => scriptedModel(() => reply, options);
const failing = (fault: Fault, options?: ScriptedModelOptions): ScriptedModel => saying({ text: "abcdef", chunkSize: 2, fault }, options);

async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It did not reject.");
}

describe("a stream", () => {
  test("has the parts of a provider's stream: metadata, reasoning, text, finish with usage", async () => {
    const model = saying({ text: "Hello", reasoning: "Hm", chunkSize: 3, headers: { "x-left": "9" } });
    const { stream, response } = await model.doStream(asking("q"));
    const parts: LanguageModelV4StreamPart[] = [];
    for await (const part of stream) parts.push(part);
    expect(response?.headers).toEqual({ "x-left": "9" });
    expect(parts).toEqual([
      { type: "stream-start", warnings: [] },
      { type: "response-metadata", id: "scripted-1", modelId: "scripted" },
      { type: "reasoning-start", id: "reasoning-0" },
      { type: "reasoning-delta", id: "reasoning-0", delta: "Hm" },
      { type: "reasoning-end", id: "reasoning-0" },
      { type: "text-start", id: "text-0" },
      { type: "text-delta", id: "text-0", delta: "Hel" },
      { type: "text-delta", id: "text-0", delta: "lo" },
      { type: "text-end", id: "text-0" },
      {
        type: "finish",
        finishReason: { unified: "stop", raw: "stop" },
        usage: {
          inputTokens: { total: 4, noCache: 4, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: 3, text: 2, reasoning: 1 },
        },
      },
    ]);
  });

  test("takes the time it is told to take, and leaves no timer", async () => {
    const clock = virtualClock();
    const model = saying({ text: "abcdef", chunkSize: 2, firstMs: 1_000, chunkMs: 50 }, { clock });
    const times: number[] = [];
    const read = (async () => {
      const { stream } = await model.doStream(asking("q"));
      for await (const part of stream) if (part.type === "text-delta") times.push(clock.now());
    })();
    await clock.runUntilIdle();
    await read;
    expect(times).toEqual([1_000, 1_050, 1_100]);
    expect(model.calls[0]).toMatchObject({ startedAt: 0, endedAt: 1_100 });
  });

  test("ends as the script says", async () => {
    const ends = async (reply: DoubleReply): Promise<unknown> => (await partsOf(saying(reply))).at(-1);
    const unknown = { inputTokens: { total: undefined }, outputTokens: { total: undefined } };
    expect(await ends({ text: "x", finish: "length" })).toMatchObject({ type: "finish", finishReason: { unified: "length", raw: "length" } });
    expect(await ends({ text: "x", finish: "interrupted" })).toMatchObject({ finishReason: { unified: "interrupted", raw: undefined }, usage: unknown });
    expect(await ends({ text: "x", usage: "missing" })).toMatchObject({ finishReason: { unified: "stop" }, usage: unknown });
    expect(await ends({ text: "x", finish: "none" })).toMatchObject({ type: "text-delta" });
  });

  test("of an empty reply holds no text", async () => {
    expect(typesOf(await partsOf(saying({})))).toEqual(["stream-start", "response-metadata", "finish"]);
  });

  test("says the same question's answer in other words the second time, unless told not to", async () => {
    const model = saying("The moon is round.");
    expect([textOf(await partsOf(model)), textOf(await partsOf(model))]).toEqual(["The moon is round.", expect.stringMatching(/^.+ The moon is round\. \(/)]);
    const still = saying("The moon is round.", { vary: false });
    expect([textOf(await partsOf(still)), textOf(await partsOf(still))]).toEqual(["The moon is round.", "The moon is round."]);
  });
});

describe("an abort", () => {
  test("errors the stream with the signal's reason at once, voids what was not read, and leaves no timer", async () => {
    const clock = virtualClock();
    const model = saying({ text: "abcdef", chunkSize: 2, chunkMs: 60_000 }, { clock });
    const abort = new AbortController();
    const reason = new Error("enough");
    const { stream } = await model.doStream(asking("q", { abortSignal: abort.signal }));
    const reader = stream.getReader();
    for (let i = 0; i < 4; i++) await reader.read();
    const next = rejection(reader.read());
    await clock.advance(1_000);
    expect([clock.pending, model.inFlight]).toEqual([1, 1]);
    abort.abort(reason);
    expect(await next).toBe(reason);
    expect([clock.pending, model.inFlight]).toEqual([0, 0]);
    expect(model.calls[0]).toMatchObject({ endedAt: 1_000, signal: { aborted: true, reason } });
  });

  test("between two reads errors the next one", async () => {
    const abort = new AbortController();
    const { stream } = await saying("abc").doStream(asking("q", { abortSignal: abort.signal }));
    const reader = stream.getReader();
    await reader.read();
    await setImmediate();
    abort.abort("why");
    expect(await rejection(reader.read())).toBe("why");
  });

  test("before the response rejects doStream and doGenerate, even while the script ponders", async () => {
    const clock = virtualClock();
    const abort = new AbortController();
    const options = asking("q", { abortSignal: abort.signal });
    const pondering = scriptedModel(() => new Promise<string>(() => {}));
    const slow = saying({ text: "x", firstMs: 1_000 }, { clock });
    const all = [pondering.doStream(options), slow.doStream(options), slow.doGenerate(options)].map(rejection);
    await clock.advance(10);
    expect([pondering.inFlight, slow.inFlight, clock.pending]).toEqual([1, 2, 2]);
    abort.abort("why");
    expect(await Promise.all(all)).toEqual(["why", "why", "why"]);
    expect([pondering.inFlight, slow.inFlight, clock.pending]).toEqual([0, 0, 0]);
  });

  test("at whatever turn it comes, is the end", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const model = failing({ kind: "silence", afterChunks: 2 });
      const abort = new AbortController();
      const failed = rejection(partsOf(model, asking("q", { abortSignal: abort.signal })));
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      abort.abort("why");
      expect([await failed, model.inFlight]).toEqual(["why", 0]);
    }
  });

  test("before the call means that there was none", async () => {
    const model = saying("x");
    expect(await rejection(model.doStream(asking("q", { abortSignal: AbortSignal.abort("why") })))).toBe("why");
    expect(model.calls).toEqual([]);
  });

  test("after the end changes nothing", async () => {
    const abort = new AbortController();
    const model = saying("x");
    await partsOf(model, asking("q", { abortSignal: abort.signal }));
    abort.abort();
    expect(model.calls[0]?.signal?.aborted).toBe(false);
  });

  test("cancelling the stream ends the call and its timers", async () => {
    const clock = virtualClock();
    const model = saying({ text: "abcdef", chunkSize: 2, chunkMs: 60_000 }, { clock });
    const { stream } = await model.doStream(asking("q"));
    const reader = stream.getReader();
    for (let i = 0; i < 4; i++) await reader.read();
    const read = reader.read();
    await clock.advance(1);
    await reader.cancel("no more");
    expect(await read).toEqual({ done: true, value: undefined });
    await clock.advance(0);
    expect([clock.pending, model.inFlight, model.calls[0]?.signal?.aborted]).toEqual([0, 0, true]);
  });
});

describe("the record", () => {
  test("holds what was asked", async () => {
    const model = scriptedModel(() => "x", { id: "planner", provider: "double" });
    const prompt: LanguageModelV4CallOptions["prompt"] = [
      { role: "system", content: "S" },
      {
        role: "user",
        content: [
          { type: "text", text: "one" },
          { type: "text", text: "two" },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "text", text: "so?" },
          { type: "tool-call", toolCallId: "t", toolName: "look", input: { at: 1 } },
        ],
      },
      { role: "tool", content: [{ type: "tool-result", toolCallId: "t", toolName: "look", output: { type: "text", value: "seen" } }] },
      { role: "user", content: [{ type: "text", text: "three" }] },
    ];
    await partsOf(model, { prompt, maxOutputTokens: 77, responseFormat: { type: "json" } });
    expect([model.provider, model.modelId, model.specificationVersion]).toEqual(["double", "planner", "v4"]);
    expect(model.calls).toMatchObject([
      {
        n: 1,
        asked: 1,
        modelId: "planner",
        system: "S",
        prompt: "one\ntwo\nthree",
        json: true,
        maxOutputTokens: 77,
        messages: [
          { role: "system", text: "S" },
          { role: "user", text: "one\ntwo" },
          { role: "assistant", text: 'so?\nlook({"at":1})' },
          { role: "tool", text: '{"type":"text","value":"seen"}' },
          { role: "user", text: "three" },
        ],
      },
    ]);
  });

  test("knows how many calls are in flight, and ever were", async () => {
    const clock = virtualClock();
    const model = scriptedModel(({ n }) => ({ text: "x", firstMs: n * 100 }), { clock });
    const all = Promise.all(["a", "b", "c"].map((text) => partsOf(model, asking(text))));
    await clock.advance(150);
    expect([model.inFlight, model.maxInFlight]).toEqual([2, 3]);
    await clock.runUntilIdle();
    await all;
    expect([model.inFlight, model.maxInFlight]).toEqual([0, 3]);
  });

  test("a reader that stops at the finish part has ended the call", async () => {
    const model = saying("x");
    const { stream } = await model.doStream(asking("q"));
    const reader = stream.getReader();
    while ((await reader.read()).value?.type !== "finish");
    expect(model.inFlight).toBe(0);
  });

  test("a call that the script does not foresee rejects, and stands in the record", async () => {
    const model = scriptedModel([{ when: "apples", reply: "x" }]);
    await expect(model.doStream(asking("pears"))).rejects.toThrow(/no reply for call 1[^]*"pears"[^]*"apples"/);
    expect([model.calls.length, model.inFlight]).toEqual([1, 0]);
  });
});

describe("doGenerate", () => {
  test("gives the whole reply, after all of its time", async () => {
    const clock = virtualClock();
    const model = saying({ text: "abcdef", reasoning: "hm", chunkSize: 2, firstMs: 100, chunkMs: 10, headers: { a: "b" } }, { clock });
    const result = model.doGenerate(asking("q"));
    await clock.runUntilIdle();
    expect(await result).toMatchObject({
      content: [
        { type: "reasoning", text: "hm" },
        { type: "text", text: "abcdef" },
      ],
      finishReason: { unified: "stop" },
      usage: { outputTokens: { total: 3 } },
      response: { id: "scripted-1", headers: { a: "b" } },
    });
    expect(model.calls[0]?.endedAt).toBe(130);
  });

  test("fails as providers do where the reply is not one", async () => {
    for (const fault of [
      { kind: "body", body: "<html>", contentType: "text/html" },
      { kind: "error-event", afterChunks: 1 },
    ] as const) {
      expect(await rejection(failing(fault).doGenerate(asking("q")))).toMatchObject({
        name: "AI_APICallError",
        statusCode: 200,
        message: "Invalid JSON response",
      });
    }
    expect(await rejection(failing({ kind: "status", status: 500 }).doGenerate(asking("q")))).toMatchObject({ statusCode: 500 });
    expect(await failing({ kind: "cut", afterChunks: 1 }).doGenerate(asking("q"))).toMatchObject({ finishReason: { unified: "other", raw: undefined } });
  });
});

describe("faults", () => {
  test("a status rejects with an APICallError that has its headers and data", async () => {
    const model = scriptedModel(() => ({ headers: { "x-left": "0" }, fault: { kind: "status", status: 429, headers: { "retry-after": "7" } } }));
    const error = await rejection(model.doStream(asking("q")));
    expect(APICallError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({
      statusCode: 429,
      isRetryable: true,
      responseHeaders: { "retry-after": "7", "x-left": "0", "content-type": "application/json" },
      data: { type: "error", error: { type: "rate_limit_error" } },
    });
    const html = failing({ kind: "status", status: 400, body: "<html>", contentType: "text/html" });
    expect(await rejection(html.doStream(asking("q")))).toMatchObject({
      isRetryable: false,
      responseBody: "<html>",
      data: undefined,
      responseHeaders: { "content-type": "text/html" },
    });
  });

  test("a reset rejects before the headers, and errors the stream after them with the status 200", async () => {
    expect(await rejection(failing({ kind: "reset", afterChunks: 0 }).doStream(asking("q")))).toMatchObject({
      statusCode: undefined,
      isRetryable: true,
      cause: { code: "ECONNRESET" },
    });
    const { stream } = await failing({ kind: "reset", afterChunks: 2 }).doStream(asking("q"));
    const seen: LanguageModelV4StreamPart[] = [];
    const error = await rejection(
      (async () => {
        for await (const part of stream) seen.push(part);
      })(),
    );
    expect(textOf(seen)).toBe("abcd");
    expect(error).toMatchObject({ name: "AI_APICallError", statusCode: 200, isRetryable: true, cause: { message: "terminated" } });
  });

  test("silence is broken by nothing but an abort", async () => {
    const partsBefore: Record<number, number> = { 0: 0, 1: 4 };
    for (const afterChunks of [-1, 0, 1]) {
      const clock = virtualClock();
      const abort = new AbortController();
      const model = failing({ kind: "silence", afterChunks }, { clock });
      const seen: string[] = [];
      let headers = false;
      const failed = rejection(
        (async () => {
          const { stream } = await model.doStream(asking("q", { abortSignal: abort.signal }));
          headers = true;
          for await (const part of stream) seen.push(part.type);
        })(),
      );
      await clock.advance(86_400_000);
      expect([headers, seen.length, clock.pending, model.inFlight]).toEqual([afterChunks >= 0, partsBefore[afterChunks] ?? 0, 0, 1]);
      abort.abort("enough");
      expect([await failed, model.inFlight]).toEqual(["enough", 0]);
    }
  });

  test("a cut ends the stream well, without a finish part", async () => {
    expect(typesOf(await partsOf(failing({ kind: "cut", afterChunks: 0 })))).toEqual(["stream-start"]);
    const parts = await partsOf(failing({ kind: "cut", afterChunks: 2 }));
    expect([textOf(parts), parts.at(-1)?.type]).toEqual(["abcd", "text-delta"]);
    expect(textOf(await partsOf(failing({ kind: "cut", afterChunks: 99 })))).toBe("abcdef");
  });

  test("comes when the next delta would have", async () => {
    const clock = virtualClock();
    const model = saying({ text: "abcdef", chunkSize: 2, firstMs: 5, chunkMs: 100, fault: { kind: "cut", afterChunks: 2 } }, { clock });
    const read = partsOf(model);
    await clock.runUntilIdle();
    await read;
    expect(model.calls[0]?.endedAt).toBe(205);
  });

  test("an error event is a plain object, alone or with a finish part", async () => {
    const alone = await partsOf(failing({ kind: "error-event", afterChunks: 1 }));
    expect(textOf(alone)).toBe("ab");
    expect(alone.at(-1)).toMatchObject({ type: "error", error: { type: "overloaded_error", statusCode: 529 } });
    const both = await partsOf(failing({ kind: "error-event", afterChunks: 1, data: { message: "no" }, finish: true }));
    expect(both.slice(-2)).toMatchObject([
      { type: "error", error: { message: "no" } },
      { type: "finish", finishReason: { unified: "error", raw: undefined }, usage: { outputTokens: { total: undefined } } },
    ]);
    expect(typesOf(await partsOf(failing({ kind: "error-event", afterChunks: 0 })))).toEqual(["stream-start", "error"]);
  });

  test("a body that is no stream leaves only the stream's start", async () => {
    expect(typesOf(await partsOf(failing({ kind: "body", body: "<html>", contentType: "text/html" })))).toEqual(["stream-start"]);
  });

  test("pings go on for ever, and stop with an abort", async () => {
    const clock = virtualClock();
    const abort = new AbortController();
    const { stream } = await failing({ kind: "pings", everyMs: 1_000 }, { clock }).doStream(asking("q", { abortSignal: abort.signal }));
    const seen: string[] = [];
    const failed = rejection(
      (async () => {
        for await (const part of stream) seen.push(part.type);
      })(),
    );
    await clock.advance(10_500);
    expect(seen).toEqual(["stream-start", ...Array.from({ length: 11 }, () => "ping")]);
    abort.abort("enough");
    expect([await failed, clock.pending]).toEqual(["enough", 0]);
  });

  test("pings may also come half way", async () => {
    const clock = virtualClock();
    const { stream } = await failing({ kind: "pings", afterChunks: 1 }, { clock }).doStream(asking("q"));
    const reader = stream.getReader();
    const seen: (string | undefined)[] = [];
    for (let i = 0; i < 6; i++) {
      const read = reader.read();
      await clock.advance(100);
      seen.push((await read).value?.type);
    }
    await reader.cancel();
    expect(seen).toEqual(["stream-start", "response-metadata", "text-start", "text-delta", "ping", "ping"]);
  });
});
