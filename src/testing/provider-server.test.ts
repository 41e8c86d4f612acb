import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, test, vi } from "vitest";
import { type ProviderServer, providerServer } from "./provider-server.ts";

type WireName = "anthropic" | "openai";
const bothWires: readonly WireName[] = ["anthropic", "openai"];

function modelAt(server: ProviderServer, wire: WireName, modelId = wire === "anthropic" ? "claude-sonnet-4-5" : "small"): LanguageModelV4 {
  if (wire === "anthropic") return createAnthropic({ baseURL: server.anthropicBaseUrl, apiKey: "key" })(modelId);
  return createOpenAICompatible({ name: "double", baseURL: server.openaiBaseUrl, apiKey: "key", includeUsage: true, supportsStructuredOutputs: true })(modelId);
}

function asking(text: string, more: Partial<LanguageModelV4CallOptions> = {}): LanguageModelV4CallOptions {
  return {
    prompt: [
      { role: "system", content: "You work." },
      { role: "user", content: [{ type: "text", text }] },
    ],
    maxOutputTokens: 100,
    ...more,
  };
}

interface Read {
  readonly parts: LanguageModelV4StreamPart[];
  readonly headers: Record<string, string> | undefined;
  /** What `doStream` or the stream threw. */
  readonly thrown: unknown;
  /** True where `doStream` resolved. */
  readonly opened: boolean;
}

async function read(model: LanguageModelV4, options = asking("q")): Promise<Read> {
  const parts: LanguageModelV4StreamPart[] = [];
  let opened = false;
  let headers: Record<string, string> | undefined;
  try {
    const { stream, response } = await model.doStream(options);
    opened = true;
    headers = response?.headers;
    for await (const part of stream) parts.push(part);
    return { parts, headers, opened, thrown: undefined };
  } catch (thrown) {
    return { parts, headers, opened, thrown };
  }
}

const textOf = ({ parts }: Read): string => parts.map((part) => (part.type === "text-delta" ? part.delta : "")).join("");
const reasoningOf = ({ parts }: Read): string => parts.map((part) => (part.type === "reasoning-delta" ? part.delta : "")).join("");
const lastOf = ({ parts }: Read): LanguageModelV4StreamPart | undefined => parts.at(-1);
const idle = (server: ProviderServer): Promise<void> => vi.waitFor(() => expect(server.inFlight).toBe(0));

const text = "The quick brown fox — “jumps” over 13 lazy dogs. 🦊";

describe.each(bothWires)("%s", (wire) => {
  test("streams text, reasoning, usage and headers as the script says them", async () => {
    await using server = await providerServer(() => ({
      text,
      reasoning: "Think first.",
      usage: { inputTokens: 30, outputTokens: 20, reasoningTokens: 5 },
      headers: { "x-left": "9" },
    }));
    const got = await read(modelAt(server, wire));
    expect(got.thrown).toBeUndefined();
    expect([textOf(got), reasoningOf(got), got.headers?.["x-left"]]).toEqual([text, "Think first.", "9"]);
    expect(got.parts.filter((part) => part.type === "text-delta").length).toBe(Math.ceil(text.length / 16));
    expect(lastOf(got)).toMatchObject({
      type: "finish",
      finishReason: { unified: "stop" },
      usage: { inputTokens: { total: 30 }, outputTokens: { total: 20, text: 15, reasoning: 5 } },
    });
  });

  test("gives the whole reply where no stream is asked for", async () => {
    await using server = await providerServer(() => ({ text, reasoning: "Think first.", finish: "length" }));
    const result = await modelAt(server, wire).doGenerate(asking("q"));
    expect(result).toMatchObject({
      content: [
        { type: "reasoning", text: "Think first." },
        { type: "text", text },
      ],
      finishReason: { unified: "length" },
      usage: { inputTokens: { total: 4 }, outputTokens: { total: Math.ceil(text.length / 4) + 3, reasoning: 3 } },
    });
  });

  test("ends as the script says", async () => {
    await using server = await providerServer([
      { when: "length", reply: { text: "x", finish: "length" } },
      { when: "filter", reply: { text: "x", finish: "content-filter" } },
      { when: "other", reply: { text: "x", finish: "other" } },
      { when: "error", reply: { text: "x", finish: "error" } },
    ]);
    const model = modelAt(server, wire);
    const reasonOf = async (prompt: string): Promise<unknown> => {
      const last = lastOf(await read(model, asking(prompt)));
      return last?.type === "finish" ? [last.finishReason.unified, last.finishReason.raw] : last;
    };
    expect(await reasonOf("length")).toMatchObject(["length", wire === "anthropic" ? "max_tokens" : "length"]);
    expect(await reasonOf("filter")).toMatchObject(["content-filter", wire === "anthropic" ? "refusal" : "content_filter"]);
    expect(await reasonOf("other")).toEqual(["other", "other"]);
    expect(await reasonOf("error")).toEqual(["other", "error"]);
  });

  test("leaves usage out where it is missing, as far as the protocol can", async () => {
    await using server = await providerServer(() => ({ text: "x", usage: "missing" }));
    const total = wire === "anthropic" ? 0 : undefined;
    expect(lastOf(await read(modelAt(server, wire)))).toMatchObject({ type: "finish", usage: { inputTokens: { total }, outputTokens: { total } } });
  });

  test("records what was asked, and when", async () => {
    const before = Date.now() - 1;
    await using server = await providerServer(() => "x");
    const more: Partial<LanguageModelV4CallOptions> = {
      prompt: [
        { role: "system", content: "You work." },
        {
          role: "user",
          content: [
            { type: "text", text: "one" },
            { type: "text", text: "two" },
          ],
        },
        { role: "assistant", content: [{ type: "text", text: "so?" }] },
        { role: "user", content: [{ type: "text", text: "three" }] },
      ],
    };
    await read(modelAt(server, wire, "some-model"), asking("q", more));
    await idle(server);
    const [request] = server.requests;
    expect(request).toMatchObject({
      n: 1,
      asked: 1,
      wire,
      path: wire === "anthropic" ? "/v1/messages" : "/v1/chat/completions",
      modelId: "some-model",
      system: "You work.",
      prompt: "one\ntwo\nthree",
      json: false,
      maxOutputTokens: 100,
      body: { stream: true },
    });
    expect(request?.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
    expect(request?.headers["content-type"]).toBe("application/json");
    expect(request?.receivedAt).toBeGreaterThan(before);
    expect(request?.firstByteAt).toBeGreaterThanOrEqual(request?.receivedAt ?? Number.NaN);
    expect(request?.endedAt).toBeGreaterThanOrEqual(request?.firstByteAt ?? Number.NaN);
    expect(request?.closedByClient).toBeUndefined();
  });

  test("tells where structured output is asked for", async () => {
    await using server = await providerServer(() => '{"a":1}');
    const format: LanguageModelV4CallOptions["responseFormat"] = { type: "json", schema: { type: "object", properties: { a: { type: "number" } } } };
    expect(textOf(await read(modelAt(server, wire), asking("q", { responseFormat: format })))).toBe('{"a":1}');
    expect(server.requests.map(({ json }) => json)).toEqual([true]);
  });

  test("answers the same question in other words the second time, whoever asks", async () => {
    await using server = await providerServer(() => "The moon is round.");
    const [one, two] = [modelAt(server, wire), modelAt(server, wire)];
    expect(textOf(await read(one))).toBe("The moon is round.");
    expect(textOf(await read(two))).toMatch(/^.+ The moon is round\. \(/);
    expect(textOf(await read(one, asking("something else")))).toBe("The moon is round.");
  });

  test("sends each delta when its time has come", async () => {
    await using server = await providerServer(() => ({ text: "abcdef", chunkSize: 2, firstMs: 60, chunkMs: 40 }));
    const times: number[] = [];
    const start = performance.now();
    const { stream } = await modelAt(server, wire).doStream(asking("q"));
    const openedAfter = performance.now() - start;
    for await (const part of stream) if (part.type === "text-delta") times.push(performance.now() - start);
    expect(openedAfter).toBeGreaterThan(55);
    expect(times[1]).toBeGreaterThan(95);
    expect(times[2]).toBeGreaterThan(135);
    expect((times[2] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(60);
  });

  test("an abort closes the connection, and the server knows that it was the client", async () => {
    await using server = await providerServer(() => ({ text: "abcdef", chunkSize: 2, chunkMs: 60_000 }));
    const abort = new AbortController();
    const { stream } = await modelAt(server, wire).doStream(asking("q", { abortSignal: abort.signal }));
    const failed = (async () => {
      for await (const part of stream) if (part.type === "text-delta") abort.abort();
    })();
    await expect(failed).rejects.toMatchObject({ name: "AbortError" });
    await idle(server);
    await vi.waitFor(() => expect(server.openSockets).toBe(0));
    expect(server.requests[0]).toMatchObject({ closedByClient: true, signal: { aborted: true } });
  });

  test("a call that the script does not foresee gets a 400 that quotes it", async () => {
    await using server = await providerServer([{ when: "apples", reply: "x" }]);
    const { thrown } = await read(modelAt(server, wire), asking("pears"));
    expect(thrown).toMatchObject({ statusCode: 400, isRetryable: false, message: expect.stringMatching(/no reply for call 1[^]*"pears"[^]*"apples"/) });
    expect(server.requests[0]?.error).toMatchObject({ name: "UnscriptedCallError" });
  });
});

describe("anthropic alone", () => {
  test("signs a thinking block, as the clients hand it back", async () => {
    await using server = await providerServer(() => ({ text: "x", reasoning: "Hm" }));
    const { parts } = await read(modelAt(server, "anthropic"));
    const signed = parts.filter((part) => part.type === "reasoning-delta" && part.providerMetadata?.["anthropic"]?.["signature"] !== undefined);
    expect(signed).toHaveLength(1);
  });

  test("answers through the json tool where the model has no output format", async () => {
    await using server = await providerServer(() => ({ text: '{"a":[1,2,3],"b":"some text"}' }));
    const format: LanguageModelV4CallOptions["responseFormat"] = { type: "json", schema: { type: "object" } };
    const options = asking("q", { responseFormat: format, providerOptions: { anthropic: { structuredOutputMode: "jsonTool" } } });
    const model = modelAt(server, "anthropic");
    const got = await read(model, options);
    expect([textOf(got), lastOf(got)]).toMatchObject(['{"a":[1,2,3],"b":"some text"}', { finishReason: { unified: "stop", raw: "tool_use" } }]);
    const whole = await model.doGenerate({ ...options, prompt: asking("another").prompt });
    expect(whole.content).toMatchObject([{ type: "text", text: '{"a":[1,2,3],"b":"some text"}' }]);
    expect(server.requests.map(({ json }) => json)).toEqual([true, true]);
  });
});

describe("openai alone", () => {
  const post = (server: ProviderServer, more: object): Promise<Response> =>
    fetch(`${server.openaiBaseUrl}/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "q" }], ...more }),
    });

  test("streams usage only to those who ask for it", async () => {
    await using server = await providerServer(() => "x");
    const silent = await (await post(server, { stream: true })).text();
    expect([silent.includes("usage"), silent.endsWith("data: [DONE]\n\n")]).toEqual([false, true]);
    expect(await (await post(server, { stream: true, stream_options: { include_usage: true } })).text()).toContain('"usage":{"prompt_tokens":1');
  });

  test("a response format of text asks for no JSON", async () => {
    await using server = await providerServer(() => "x");
    for (const type of ["text", "json_object", "json_schema"]) await (await post(server, { response_format: { type } })).text();
    expect(server.requests.map(({ json }) => json)).toEqual([false, true, true]);
  });

  test("a developer's message is a system message", async () => {
    await using server = await providerServer(() => "x");
    await (
      await post(server, {
        messages: [
          { role: "developer", content: "Be brief." },
          { role: "user", content: "q" },
        ],
      })
    ).text();
    expect(server.requests[0]).toMatchObject({ system: "Be brief.", prompt: "q" });
  });

  test("white space is the ping of a reply that is wanted whole", async () => {
    await using server = await providerServer(() => ({ fault: { kind: "pings", everyMs: 5 } }));
    const response = await post(server, {});
    const chunk = await response.body?.getReader().read();
    expect(new TextDecoder().decode(chunk?.value)).toMatch(/^ +$/);
  });
});

describe("the server", () => {
  test("counts calls in flight and connections, and lets go of both when it closes", async () => {
    const server = await providerServer(() => ({ fault: { kind: "silence", afterChunks: -1 } }));
    const model = modelAt(server, "openai");
    const reads = ["a", "b", "c"].map((prompt) => read(model, asking(prompt)));
    await vi.waitFor(() => expect(server.inFlight).toBe(3));
    expect([server.maxInFlight, server.openSockets]).toEqual([3, 3]);
    const closed = server.close();
    expect(server.close()).toBe(closed);
    await closed;
    expect([server.inFlight, server.maxInFlight, server.openSockets]).toEqual([0, 3, 0]);
    expect((await Promise.all(reads)).map(({ thrown }) => thrown)).toMatchObject(
      Array.from({ length: 3 }, () => ({ isRetryable: true, statusCode: undefined })),
    );
    expect(server.requests.map(({ closedByClient }) => closedByClient)).toEqual([undefined, undefined, undefined]);
  });

  test("listens on the port it is given, and says so when that is taken", async () => {
    await using first = await providerServer(() => "x");
    const port = Number(new URL(first.url).port);
    await expect(providerServer(() => "x", { port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test("says what there is where a path is unknown or a body unreadable, and records neither", async () => {
    await using server = await providerServer(() => "x");
    const unknown = await fetch(`${server.url}/v1/responses`, { method: "POST" });
    expect([unknown.status, await unknown.text()]).toEqual([404, expect.stringContaining("POST /v1/messages and POST /v1/chat/completions")]);
    const unread = await fetch(`${server.url}/v1/messages`, { method: "POST", body: "[" });
    expect([unread.status, await unread.text()]).toEqual([400, expect.stringContaining("not a JSON object")]);
    expect(server.requests).toEqual([]);
  });

  test("serves many calls at once", async () => {
    await using server = await providerServer(({ prompt }) => ({ text: `reply to ${prompt}`, firstMs: 50 }));
    const model = modelAt(server, "openai");
    const prompts = Array.from({ length: 200 }, (_, i) => `q${i}`);
    const texts = await Promise.all(prompts.map(async (prompt) => textOf(await read(model, asking(prompt)))));
    expect(texts).toEqual(prompts.map((prompt) => `reply to ${prompt}`));
    expect(server.maxInFlight).toBeGreaterThan(20);
  });
});
