import type { LanguageModelV4Prompt, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { DivvyError } from "../../errors.ts";
import type { WritingJob } from "./engine.ts";
import { type FakeEngine, fakeEngine, says } from "./fake-engine.ts";
import { localModel } from "./local-model.ts";

const prompt: LanguageModelV4Prompt = [
  { role: "system", content: "be brief" },
  {
    role: "user",
    content: [
      { type: "text", text: "say" },
      { type: "text", text: "hi" },
    ],
  },
];

let files = 0;
const modelOf = (engine: FakeEngine): ReturnType<typeof localModel> =>
  localModel({ path: `/models/My-Model.${files++}.gguf`, modelId: "m", load: () => Promise.resolve(engine) });

async function partsOf(stream: ReadableStream<LanguageModelV4StreamPart>): Promise<LanguageModelV4StreamPart[]> {
  const parts: LanguageModelV4StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

describe("a reply", () => {
  test("comes in parts, with its usage", async () => {
    const engine = fakeEngine(says("Hel", "lo"));
    const { stream } = await modelOf(engine).doStream({ prompt, maxOutputTokens: 20 });
    expect(await partsOf(stream)).toEqual([
      { type: "stream-start", warnings: [] },
      { type: "response-metadata", modelId: "m" },
      { type: "text-start", id: "0" },
      { type: "text-delta", id: "0", delta: "Hel" },
      { type: "text-delta", id: "0", delta: "lo" },
      { type: "text-end", id: "0" },
      {
        type: "finish",
        finishReason: { unified: "stop", raw: "end" },
        usage: { inputTokens: { total: 4, noCache: 4, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 2, text: 2, reasoning: 0 } },
      },
    ]);
    expect(engine.jobs[0]).toMatchObject({
      turns: [
        { role: "system", text: "be brief" },
        { role: "user", text: "say\n\nhi" },
      ],
      maxTokens: 20,
      sampling: { temperature: 0, seed: 1, repeatPenalty: 1.1 },
    });
  });

  test("keeps what was thought apart, and says when it was cut", async () => {
    const engine = fakeEngine((job) => {
      job.onText("reasoning", "hm");
      job.onText("text", "yes");
      return Promise.resolve({ stop: "length", outputTokens: 3, reasoningTokens: 1 });
    });
    expect(await modelOf(engine).doGenerate({ prompt, tools: [{ type: "function", name: "f", inputSchema: {} }] })).toMatchObject({
      content: [
        { type: "reasoning", text: "hm" },
        { type: "text", text: "yes" },
      ],
      finishReason: { unified: "length" },
      usage: { outputTokens: { total: 3, text: 2, reasoning: 1 } },
      warnings: [{ type: "unsupported", feature: "tools" }],
      response: { modelId: "m" },
    });
  });

  test("follows a grammar or a schema", async () => {
    const engine = fakeEngine(says("x"));
    const model = modelOf(engine);
    await model.doGenerate({ prompt, providerOptions: { local: { grammar: 'root ::= "x"' } }, responseFormat: { type: "json" } });
    await model.doGenerate({ prompt, responseFormat: { type: "json", schema: { type: "object" } } });
    expect(engine.jobs.map(({ shape }) => shape)).toEqual([
      { kind: "gbnf", grammar: 'root ::= "x"' },
      { kind: "json", schema: { type: "object" } },
    ]);
    await expect(model.doStream({ prompt, providerOptions: { local: { grammar: 7 } } })).rejects.toMatchObject({ code: "bad_request" });
  });

  test("is not begun for what the model cannot read", async () => {
    const model = modelOf(fakeEngine(says("x")));
    const file: LanguageModelV4Prompt = [{ role: "user", content: [{ type: "file", mediaType: "image/png", data: { type: "data", data: "" } }] }];
    await expect(model.doStream({ prompt: file })).rejects.toMatchObject({ code: "bad_request" });
  });

  test("fails with an error of ours", async () => {
    const model = modelOf(fakeEngine(() => Promise.reject(new Error("broken"))));
    await expect(model.doGenerate({ prompt })).rejects.toMatchObject({ code: "local_model", message: expect.stringContaining("broken") });
  });
});

describe("the window", () => {
  const long: LanguageModelV4Prompt = [{ role: "user", content: [{ type: "text", text: "w ".repeat(899).trimEnd() }] }];

  test("bounds the reply", async () => {
    const engine = fakeEngine(says("x"));
    const model = modelOf(engine);
    await model.doGenerate({ prompt, maxOutputTokens: 8192 });
    await model.doGenerate({ prompt });
    await model.doGenerate({ prompt: long, maxOutputTokens: 100 });
    expect(engine.jobs.map(({ maxTokens }) => maxTokens)).toEqual([995, 995, 100]);
  });

  test("refuses a prompt that leaves no room", async () => {
    const model = modelOf(fakeEngine(says("x")));
    await expect(model.doStream({ prompt: long, maxOutputTokens: 101 })).rejects.toMatchObject({
      code: "too_large",
      message: expect.stringContaining("899 tokens"),
    });
  });
});

describe("an abort", () => {
  const never = (): Promise<never> => new Promise(() => undefined);

  test("ends the stream at once, whatever is under way", async () => {
    const engine = fakeEngine(never);
    const stop = new AbortController();
    const { stream } = await modelOf(engine).doStream({ prompt, abortSignal: stop.signal });
    const reason = new DivvyError("aborted", "enough");
    stop.abort(reason);
    await expect(partsOf(stream)).rejects.toBe(reason);
    expect(engine.jobs[0]?.signal?.aborted).toBe(true);
  });

  test("beforehand loads nothing", async () => {
    const model = localModel({ path: "/none.gguf", load: () => Promise.reject(new Error("loaded")) });
    await expect(model.doStream({ prompt, abortSignal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });

  test("of the reader stops the writing", async () => {
    const engine = fakeEngine(never);
    const { stream } = await modelOf(engine).doStream({ prompt });
    await stream.cancel();
    expect(engine.jobs[0]?.signal?.aborted).toBe(true);
  });
});

describe("loading", () => {
  test("happens once for a file, and ends with the last model that stands on it", async () => {
    const engine = fakeEngine((job: WritingJob) => says("x")(job));
    let loads = 0;
    const load = (): Promise<FakeEngine> => {
      loads += 1;
      return Promise.resolve(engine);
    };
    const [a, b] = [localModel({ path: "/shared.gguf", load }), localModel({ path: "/shared.gguf", load })];
    expect([loads, a.modelId]).toEqual([0, "shared"]);
    await Promise.all([a.doGenerate({ prompt }), b.doGenerate({ prompt })]);
    expect(loads).toBe(1);
    await a.dispose();
    await a.dispose();
    expect(engine.disposed).toBe(false);
    await b[Symbol.asyncDispose]();
    expect(engine.disposed).toBe(true);
    await a.doGenerate({ prompt });
    expect(loads).toBe(2);
  });

  test("that failed is tried again", async () => {
    let loads = 0;
    const model = localModel({
      path: "/later.gguf",
      load: () => (loads++ === 0 ? Promise.reject(new DivvyError("local_model", "not yet")) : Promise.resolve(fakeEngine(says("x")))),
    });
    await expect(model.doGenerate({ prompt })).rejects.toThrow("not yet");
    await model.doGenerate({ prompt });
    expect(loads).toBe(2);
  });
});
