import { APICallError, type LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { asking, failing, partsOf, rejection, saying, textOf, typesOf } from "./scripted-model-fixture.ts";
import { scriptedModel } from "./scripted-model.ts";
import { virtualClock } from "./virtual-clock.ts";

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

  test("a byte that is no UTF-8 is what decoders make of it", async () => {
    expect(textOf(await partsOf(failing({ kind: "invalid-utf8", afterChunks: 1 })))).toBe("ab\uFFFDcdef");
    expect(textOf(await partsOf(failing({ kind: "invalid-utf8", afterChunks: 99 })))).toBe("abcdef\uFFFD");
  });

  test("no choices are no text, and a good end", async () => {
    const parts = await partsOf(failing({ kind: "no-choices" }));
    expect(typesOf(parts)).toEqual(["stream-start", "response-metadata", "finish"]);
    expect(parts.at(-1)).toMatchObject({ finishReason: { unified: "stop" } });
  });

  test("a refusal says so in its finish part", async () => {
    const parts = await partsOf(saying({ text: "I will not.", finish: "refusal" }));
    expect([textOf(parts), parts.at(-1)]).toMatchObject(["I will not.", { finishReason: { unified: "content-filter", raw: "refusal" } }]);
  });

  test("empty deltas go on for ever, and stop with an abort", async () => {
    const clock = virtualClock();
    const abort = new AbortController();
    const { stream } = await failing({ kind: "empty-deltas", everyMs: 1_000, afterChunks: 1 }, { clock }).doStream(asking("q", { abortSignal: abort.signal }));
    const seen: LanguageModelV4StreamPart[] = [];
    const failed = rejection(
      (async () => {
        for await (const part of stream) seen.push(part);
      })(),
    );
    await clock.advance(10_500);
    expect([textOf(seen), typesOf(seen).filter((type) => type === "text-delta").length]).toEqual(["ab", 12]);
    abort.abort("enough");
    expect([await failed, clock.pending]).toEqual(["enough", 0]);
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
