import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import type { DoubleReply } from "./script.ts";
import { asking, failing, partsOf, rejection, saying, textOf, typesOf } from "./scripted-model-fixture.ts";
import { scriptedModel } from "./scripted-model.ts";
import { virtualClock } from "./virtual-clock.ts";

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
