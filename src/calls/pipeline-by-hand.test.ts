import { inspect } from "node:util";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { aRun, errorOf, type TestRun } from "../../test/call-fixture.ts";
import { quickCall } from "../../test/quick-pipeline.ts";
import { type RawServer, rawServer, sendEvents, sendJson } from "../../test/raw-server.ts";
import type { DivvyError, ErrorCode } from "../errors.ts";
import type { CallResult } from "./call.ts";

interface ByHand {
  readonly model: (server: RawServer, apiKey: string) => LanguageModelV4;
  /** An error body in the provider's own shape. */
  readonly body: (message: string) => unknown;
  readonly key: string;
}

const byHand: Readonly<Record<string, ByHand>> = {
  anthropic: {
    model: ({ url }, apiKey) => createAnthropic({ baseURL: `${url}/v1`, apiKey })("claude-sonnet-4-5"),
    body: (message) => ({ type: "error", sequence_number: 1, error: { type: "authentication_error", message } }),
    key: "sk-ant-api03-CANARY0123456789abcdef",
  },
  openai: {
    model: ({ url }, apiKey) => createOpenAI({ baseURL: `${url}/v1`, apiKey })("gpt-4.1"),
    body: (message) => ({ error: { message, type: "invalid_request_error", param: null, code: "invalid_api_key" } }),
    key: "sk-proj-CANARY0123456789abcdef",
  },
  google: {
    model: ({ url }, apiKey) => createGoogle({ baseURL: `${url}/v1beta`, apiKey })("gemini-2.5-flash"),
    body: (message) => ({ error: { code: 401, message, status: "UNAUTHENTICATED" } }),
    key: "AIzaSyCANARY0123456789abcdefghijklmno",
  },
  "openai-compatible": {
    model: ({ url }, apiKey) => createOpenAICompatible({ name: "own", baseURL: `${url}/v1`, apiKey })("small"),
    body: (message) => ({ error: { message, type: "auth", code: null } }),
    key: "CANARY-0123456789-of-no-known-shape",
  },
};

describe.each(Object.entries(byHand))("the key of %s", (_, { model, body, key }) => {
  async function refusals(answer: (key: string) => unknown, contentType = "application/json"): Promise<{ error: DivvyError; run: TestRun }> {
    await using server = await rawServer((request, response) => {
      const sentKey = String(request.headers["x-api-key"] ?? request.headers["x-goog-api-key"] ?? request.headers.authorization);
      const said = answer(sentKey);
      response.writeHead(401, { "content-type": contentType, "x-echo": sentKey });
      response.end(typeof said === "string" ? said : JSON.stringify(said));
    });
    const run = aRun();
    return { error: await errorOf(quickCall(model(server, key), { run })), run };
  }

  test.each<[string, (sent: string) => unknown, string?]>([
    ["in the provider's words", (sent) => body(`Incorrect API key provided: ${sent}`)],
    ["in quotes", (sent) => body(`The API key "${sent}" is not valid.`)],
    ["as a header", (sent) => body(`Bad header x-api-key: ${sent} / Authorization: ${sent}`)],
    ["in a shape of the server's own", (sent) => ({ detail: { api_key: sent, reason: "unknown" } })],
    ["on a page", (sent) => `<html>Authorization: ${sent}</html>`, "text/html"],
  ])("that a 401 repeats %s is in no error, no event and nothing that a logger prints", async (_, answer, contentType) => {
    const { error, run } = await refusals(answer, contentType);
    expect([error.code, error.evidence?.status]).toEqual(["authentication", 401]);
    for (const shown of [JSON.stringify(error), JSON.stringify(run.events), error.stack, inspect(error, { depth: 20, showHidden: true })])
      expect(shown).not.toContain("CANARY");
  });

  test("that holds a line break is sent nowhere, and shown nowhere", async () => {
    await using server = await rawServer((_, response) => sendJson(response, 200, {}));
    const run = aRun();
    const error = await errorOf(quickCall(model(server, `${key}\nCANARY`), { run }));
    expect(error).toMatchObject({ code: "bad_request", retryable: false, evidence: { attempts: 1 } });
    expect(server.requests).toBe(0);
    for (const shown of [JSON.stringify(error), JSON.stringify(run.events), inspect(error, { depth: 20, showHidden: true })])
      expect(shown).not.toContain("CANARY");
  });
});

describe("OpenAI's responses, which `openai:` models speak", () => {
  const head = [
    { type: "response.created", response: { id: "r", created_at: 1, model: "gpt-4.1" } },
    { type: "response.output_item.added", output_index: 0, item: { type: "message", id: "m" } },
  ];
  const said = { type: "response.output_text.delta", item_id: "m", delta: "half" };
  const done = { type: "response.output_item.done", output_index: 0, item: { type: "message", id: "m" } };
  const usage = { input_tokens: 3, output_tokens: 2 };
  const failedWith = (code: string) => ({ type: "response.failed", sequence_number: 2, response: { error: { code, message: "no" }, usage } });

  async function answered(events: readonly unknown[]): Promise<{ outcome: CallResult | DivvyError; requests: number }> {
    await using server = await rawServer((_, response) => sendEvents(response, events));
    const model = createOpenAI({ baseURL: `${server.url}/v1`, apiKey: "key" })("gpt-4.1");
    const outcome = await quickCall(model).catch((error: DivvyError) => error);
    return { outcome, requests: server.requests };
  }

  test("a reply comes whole", async () => {
    const { outcome } = await answered([...head, said, done, { type: "response.completed", response: { usage } }]);
    expect(outcome).toMatchObject({ content: [{ type: "text", text: "half" }], usage: { inputTokens: 3, outputTokens: 2 } });
  });

  test.each<[string, readonly unknown[], ErrorCode, number]>([
    ["a stream that ends half way", [...head, said], "stream_broken", 3],
    ["a failure half way", [...head, said, failedWith("server_error")], "server_error", 3],
    ["no credit half way", [...head, said, failedWith("insufficient_quota")], "quota_exhausted", 1],
    [
      "no credit as the first thing",
      [{ type: "error", sequence_number: 1, error: { type: "insufficient_quota", code: "insufficient_quota", message: "no" } }],
      "quota_exhausted",
      1,
    ],
    [
      "a server's fault as the first thing",
      [{ type: "error", sequence_number: 1, error: { type: "server_error", code: "server_error", message: "no" } }],
      "server_error",
      3,
    ],
    [
      "a reply cut at its cap",
      [...head, said, done, { type: "response.incomplete", response: { incomplete_details: { reason: "max_output_tokens" }, usage } }],
      "output_truncated",
      2,
    ],
    [
      "a filtered reply",
      [...head, said, done, { type: "response.incomplete", response: { incomplete_details: { reason: "content_filter" }, usage } }],
      "content_filter",
      1,
    ],
    [
      "a refusal",
      [
        ...head,
        { type: "response.refusal.delta", item_id: "m", output_index: 0, content_index: 0, delta: "I will not." },
        done,
        { type: "response.completed", response: { usage } },
      ],
      "refused",
      1,
    ],
  ])("%s", async (_, events, code, requests) => {
    expect(await answered(events)).toMatchObject({ outcome: { code }, requests });
  });
});

describe("Google", () => {
  const chunk = (text: string, finishReason?: string) => ({
    candidates: [{ content: { role: "model", parts: [{ text }] }, ...(finishReason && { finishReason }) }],
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
  });

  async function answered(answer: Parameters<typeof rawServer>[0]): Promise<{ outcome: CallResult | DivvyError; requests: number }> {
    await using server = await rawServer(answer);
    const model = createGoogle({ baseURL: `${server.url}/v1beta`, apiKey: "key" })("gemini-2.5-flash");
    const outcome = await quickCall(model).catch((error: DivvyError) => error);
    return { outcome, requests: server.requests };
  }
  const status = (code: number, name: string, details: unknown[] = []) =>
    answered((_, response) => sendJson(response, code, { error: { code, message: "no", status: name, details } }));

  test("a reply comes whole", async () => {
    expect(await answered((_, response) => sendEvents(response, [chunk("one "), chunk("two", "STOP")]))).toMatchObject({
      outcome: { content: [{ text: "one two" }], usage: { inputTokens: 3 } },
      requests: 1,
    });
  });

  test.each<[string, number, string, unknown[], ErrorCode, number]>([
    ["a wrong key", 400, "INVALID_ARGUMENT", [{ reason: "API_KEY_INVALID" }], "authentication", 1],
    ["a bad request", 400, "INVALID_ARGUMENT", [], "bad_request", 1],
    ["no such model", 404, "NOT_FOUND", [], "not_found", 1],
    ["its own fault", 500, "INTERNAL", [], "server_error", 3],
    ["its own lateness", 504, "DEADLINE_EXCEEDED", [], "server_error", 3],
  ])("%s", async (_, code, name, details, expected, requests) => {
    expect(await status(code, name, details)).toMatchObject({ outcome: { code: expected }, requests });
  });

  test.each<[string, readonly unknown[], ErrorCode, number]>([
    ["a stream that ends half way", [chunk("one ")], "stream_broken", 3],
    ["an error half way", [chunk("one "), { error: { code: 500, message: "no", status: "INTERNAL" } }], "server_error", 3],
    ["a reply cut at its cap", [chunk("one ", "MAX_TOKENS")], "output_truncated", 2],
    ["a filtered reply", [chunk("one ", "SAFETY")], "content_filter", 1],
    ["a reply that quotes too much", [chunk("one ", "RECITATION")], "content_filter", 1],
    ["an end for another reason", [chunk("one ", "OTHER")], "stream_broken", 3],
  ])("%s", async (_, events, code, requests) => {
    expect(await answered((_, response) => sendEvents(response, events))).toMatchObject({ outcome: { code }, requests });
  });

  test("an error as the first thing in its stream is waited out like a throttling", async () => {
    const { outcome, requests } = await answered((_, response, n) =>
      sendEvents(response, n === 1 ? [{ error: { code: 429, message: "no", status: "RESOURCE_EXHAUSTED" } }] : [chunk("fine", "STOP")]),
    );
    expect([outcome, requests]).toMatchObject([{ attempts: 1 }, 2]);
  });
});
