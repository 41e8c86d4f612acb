import { createServer } from "node:http";
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, it, onTestFinished } from "vitest";
import { contextStep } from "./ollama-model.ts";
import { resolveModel } from "./resolve.ts";

/** An Ollama that thinks, answers and reports usage, and keeps what it was asked. */
async function ollama(): Promise<{ host: string; bodies: Record<string, unknown>[]; paths: (string | undefined)[] }> {
  const bodies: Record<string, unknown>[] = [];
  const paths: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    bodies.push(JSON.parse(text));
    paths.push(request.url);
    const base = { model: "llama3.2", created_at: "2026-11-01T00:00:00Z" };
    const lines = [
      { ...base, message: { role: "assistant", content: "", thinking: "hm" }, done: false },
      { ...base, message: { role: "assistant", content: "Hel" }, done: false },
      { ...base, message: { role: "assistant", content: "lo" }, done: false },
      { ...base, message: { role: "assistant", content: "" }, done: true, done_reason: "length", prompt_eval_count: 7, eval_count: 3 },
    ];
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  const address = server.address();
  return { host: `127.0.0.1:${typeof address === "object" ? address?.port : ""}`, bodies, paths };
}

function asking(text: string, more: Partial<LanguageModelV4CallOptions> = {}): LanguageModelV4CallOptions {
  return { prompt: [{ role: "user", content: [{ type: "text", text }] }], maxOutputTokens: 2_000, ...more };
}

async function streamed(stream: ReadableStream<LanguageModelV4StreamPart>): Promise<LanguageModelV4StreamPart[]> {
  const parts: LanguageModelV4StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

describe("a model of Ollama", () => {
  it("is told how much context the call needs, and how to answer, where Ollama reads it", async () => {
    const { host, bodies, paths } = await ollama();
    const { model } = await resolveModel("ollama:llama3.2", { OLLAMA_HOST: host });
    const settings = { temperature: 0.5, topP: 0.9, topK: 20, seed: 7, stopSequences: ["END"] };
    await streamed((await model.doStream(asking("hi", settings))).stream);
    expect(paths).toEqual(["/api/chat"]);
    expect(bodies[0]).toMatchObject({
      model: "llama3.2",
      stream: true,
      think: false,
      options: { num_ctx: 4_096, num_predict: 2_000, temperature: 0.5, top_p: 0.9, top_k: 20, seed: 7, stop: ["END"] },
    });
  });

  it("streams reasoning, text, usage and the true reason of its end", async () => {
    const { host } = await ollama();
    const { model } = await resolveModel("ollama:llama3.2", { OLLAMA_HOST: host });
    const parts = await streamed((await model.doStream(asking("hi", { seed: 1 }))).stream);
    expect(parts.flatMap((part) => (part.type === "text-delta" ? [part.delta] : [])).join("")).toBe("Hello");
    expect(parts.flatMap((part) => (part.type === "reasoning-delta" ? [part.delta] : [])).join("")).toBe("hm");
    expect(parts.find((part) => part.type === "stream-start")).toMatchObject({ warnings: [] });
    expect(parts.at(-1)).toMatchObject({
      type: "finish",
      finishReason: { unified: "length" },
      usage: { inputTokens: { total: 7 }, outputTokens: { total: 3 } },
    });
  });

  it("thinks when it is asked to, and the user's own options stand above ours", async () => {
    const { host, bodies } = await ollama();
    const { model } = await resolveModel("ollama:llama3.2", { OLLAMA_HOST: host });
    const providerOptions = { ollama: { think: true, options: { num_ctx: 32_000, min_p: 0.1 } } };
    await streamed((await model.doStream(asking("hi", { providerOptions }))).stream);
    await streamed((await model.doStream(asking("hi", { reasoning: "high" }))).stream);
    expect(bodies[0]).toMatchObject({ think: true, options: { num_ctx: 32_000, num_predict: 2_000, min_p: 0.1 } });
    expect(bodies[1]).toMatchObject({ think: true });
  });

  it("keeps its context once it has grown, so that Ollama does not load it anew for every call", async () => {
    const { host, bodies } = await ollama();
    const { model } = await resolveModel("ollama:llama3.2", { OLLAMA_HOST: host });
    for (const words of [10, 5_000, 10]) await streamed((await model.doStream(asking("word ".repeat(words)))).stream);
    const windows = bodies.map((body) => body["options"]);
    expect(windows).toMatchObject([{ num_ctx: 4_096 }, { num_ctx: 12_288 }, { num_ctx: 12_288 }]);
  });
});

describe("context steps", () => {
  it.each([
    [1, 4_096],
    [4_096, 4_096],
    [4_097, 6_144],
    [6_145, 8_192],
    [8_193, 12_288],
    [12_289, 16_384],
    [100_000, 131_072],
  ])("%i tokens fit in %i", (tokens, step) => {
    expect(contextStep(tokens)).toBe(step);
  });
});
