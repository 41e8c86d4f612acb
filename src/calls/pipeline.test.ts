import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { describe, expect, test, vi } from "vitest";
import { aContext, aRequest, aRun, errorOf, partsSeen, rules, type TestRun } from "../../test/call-fixture.ts";
import { quickCall, quickPipeline } from "../../test/quick-pipeline.ts";
import type { ErrorCode, Evidence } from "../errors.ts";
import { type Fault, type ProviderServer, providerServer } from "../testing/index.ts";
import { addUsage, noUsage } from "../usage.ts";
import { textOf } from "./call.ts";

const anthropic = (server: ProviderServer): LanguageModelV4 => createAnthropic({ baseURL: server.anthropicBaseUrl, apiKey: "key" })("claude-sonnet-4-5");
const compatible = (server: ProviderServer): LanguageModelV4 =>
  createOpenAICompatible({ name: "double", baseURL: server.openaiBaseUrl, includeUsage: true })("small");
const openai = (server: ProviderServer): LanguageModelV4 => createOpenAI({ baseURL: server.openaiBaseUrl, apiKey: "key" }).chat("gpt-4.1");
const doubles = [
  ["anthropic", anthropic],
  ["openai-compatible", compatible],
  ["openai", openai],
] as const;
type Name = (typeof doubles)[number][0];

/** Whatever happened: each attempt that left was settled once, and the server has nothing left to do. */
async function leavesNothing(run: TestRun, server: ProviderServer): Promise<void> {
  expect(run.of("attempt.settled").length).toBe(run.of("attempt.started").length);
  expect(run.of("attempt.started").length).toBe(server.requests.length);
  await vi.waitFor(() => expect(server.inFlight).toBe(0));
}

interface Scenario {
  readonly fault: Fault;
  /** By provider where they differ. */
  readonly code: ErrorCode | Readonly<Record<Name, ErrorCode>>;
  readonly requests: 1 | 3;
  readonly evidence?: Evidence;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  "a bad request": { fault: { kind: "status", status: 400 }, code: "bad_request", requests: 1, evidence: { status: 400 } },
  "a wrong key": { fault: { kind: "status", status: 401 }, code: "authentication", requests: 1, evidence: { status: 401 } },
  "no credit": { fault: { kind: "status", status: 402 }, code: "quota_exhausted", requests: 1 },
  "no permission": { fault: { kind: "status", status: 403 }, code: "authentication", requests: 1 },
  "no such model": { fault: { kind: "status", status: 404 }, code: "not_found", requests: 1 },
  "too large a request": { fault: { kind: "status", status: 413 }, code: "too_large", requests: 1 },
  "a request timeout": { fault: { kind: "status", status: 408 }, code: "server_error", requests: 3 },
  "a conflict": { fault: { kind: "status", status: 409 }, code: "server_error", requests: 3 },
  "a server error": { fault: { kind: "status", status: 500 }, code: "server_error", requests: 3, evidence: { status: 500 } },
  "a proxy's page": {
    fault: { kind: "status", status: 502, body: "<html>bad</html>", contentType: "text/html" },
    code: "server_error",
    requests: 3,
    evidence: { status: 502, providerMessage: "Bad Gateway" },
  },
  "a reset before the headers": { fault: { kind: "reset", afterChunks: 0 }, code: "connection_failed", requests: 3, evidence: { systemCode: "ECONNRESET" } },
  "a reset half way": {
    fault: { kind: "reset", afterChunks: 2 },
    code: "connection_failed",
    requests: 3,
    evidence: { status: 200, systemCode: "UND_ERR_SOCKET", partialText: "abcd" },
  },
  "an end without a finish": { fault: { kind: "cut", afterChunks: 2 }, code: "stream_broken", requests: 3, evidence: { partialText: "abcd" } },
  "an end before anything": { fault: { kind: "cut", afterChunks: 0 }, code: "stream_broken", requests: 3 },
  "a page in place of a stream": { fault: { kind: "body", body: "<html>log in</html>", contentType: "text/html" }, code: "invalid_response", requests: 3 },
  "JSON in place of a stream": {
    fault: { kind: "body", body: '{"error":{"message":"no"}}', contentType: "application/json" },
    code: "invalid_response",
    requests: 3,
  },
  "an error half way": {
    fault: { kind: "error-event", afterChunks: 2 },
    code: { anthropic: "overloaded", "openai-compatible": "server_error", openai: "server_error" },
    requests: 3,
    evidence: { partialText: "abcd" },
  },
  "silence before the headers": { fault: { kind: "silence", afterChunks: -1 }, code: "idle_timeout", requests: 3 },
  "silence after the headers": { fault: { kind: "silence", afterChunks: 0 }, code: "idle_timeout", requests: 3 },
  "silence half way": { fault: { kind: "silence", afterChunks: 2 }, code: "idle_timeout", requests: 3, evidence: { partialText: "abcd" } },
};

describe.each(doubles)("over HTTP, %s", (name, modelOf) => {
  test.each(Object.entries(scenarios))("%s is a typed error, tried again or not, and leaves nothing open", async (_, { fault, code, requests, evidence }) => {
    await using server = await providerServer(() => ({ text: "abcdef", chunkSize: 2, fault }), { vary: false });
    const run = aRun();
    const silent = fault.kind === "silence";
    const error = await errorOf(quickCall(modelOf(server), { run, rules: { ...rules, idleMs: silent ? 20_000 : 120_000 } }));
    expect(error).toMatchObject({ code: typeof code === "string" ? code : code[name], evidence: { attempts: requests, ...evidence } });
    expect(server.requests.length).toBe(requests);
    expect(run.of("attempt.failed").map(({ attempt }) => attempt)).toEqual(Array.from({ length: requests }, (_, i) => i + 1));
    await leavesNothing(run, server);
    if (silent) await vi.waitFor(() => expect(server.openSockets).toBe(0));
  });

  test("a reply comes whole, with what was used, after whatever went wrong before it", async () => {
    const faults: readonly Fault[] = [
      { kind: "status", status: 500 },
      { kind: "reset", afterChunks: 1 },
    ];
    await using server = await providerServer(
      ({ n }) => {
        const fault = faults[n - 1];
        return { text: "abcdef", chunkSize: 2, usage: { inputTokens: 7, outputTokens: 3 }, ...(fault && { fault }) };
      },
      { vary: false },
    );
    const run = aRun();
    const { onPart, seen } = partsSeen();
    const result = await quickCall(modelOf(server), { run, onPart });
    expect([textOf(result), result.attempts, result.usage.inputTokens, result.usage.outputTokens, result.usage.estimatedTokens]).toEqual([
      "abcdef",
      3,
      7,
      3,
      0,
    ]);
    expect(seen()).toEqual(["attempt 2", "text: ab", "attempt 3", "text: ab", "text: cd", "text: ef"]);
    const settled = run.of("attempt.settled").map(({ usage }) => usage);
    expect(settled[0]?.totalTokens).toBe(0);
    expect(settled[1]?.presumedTokens).toBeGreaterThan(0);
    expect(settled.reduce(addUsage, noUsage).totalTokens).toBe((settled[1]?.totalTokens ?? 0) + 10);
    await leavesNothing(run, server);
  });

  test("a throttled call is sent again when it may be, and is no failure", async () => {
    await using server = await providerServer(({ n }) => (n <= 2 ? { fault: { kind: "status", status: 429, headers: { "retry-after-ms": "400" } } } : "fine"));
    const run = aRun();
    const result = await quickCall(modelOf(server), { run });
    expect([textOf(result), result.attempts]).toEqual(["fine", 1]);
    expect(run.of("governor.throttled").map(({ reason }) => reason)).toEqual(["rate_limited", "rate_limited"]);
    expect(run.of("attempt.failed")).toEqual([]);
    await leavesNothing(run, server);
  });

  test("a call that is throttled for an hour fails at once", async () => {
    await using server = await providerServer(() => ({ fault: { kind: "status", status: 429, headers: { "retry-after": "3600" } } }));
    expect(await errorOf(quickCall(modelOf(server)))).toMatchObject({ code: "rate_limited", retryable: false, evidence: { retryAfterMs: 3_600_000 } });
    expect(server.requests.length).toBe(1);
  });

  test("an overloaded provider that recovers costs no attempt", async () => {
    await using server = await providerServer(({ n }) =>
      n === 1
        ? { fault: { kind: "status", status: name === "anthropic" ? 529 : 503, body: { error: { type: "overloaded_error", message: "busy" } } } }
        : "fine",
    );
    const result = await quickCall(modelOf(server));
    expect([textOf(result), result.attempts]).toEqual(["fine", 1]);
  });

  test("nothing, white space, a cut and a filter are what they are", async () => {
    for (const [reply, code, requests] of [
      [{ text: "" }, "empty_response", 3],
      [{ text: " \n" }, "empty_response", 3],
      [{ text: "abc", finish: "length", usage: { inputTokens: 5, outputTokens: 100, reasoningTokens: 40 } }, "output_truncated", 2],
      [{ text: "abc", finish: "content-filter" }, name === "anthropic" ? "refused" : "content_filter", 1],
    ] as const) {
      await using server = await providerServer(() => reply);
      const error = await errorOf(quickCall(modelOf(server)));
      expect([error.code, server.requests.length]).toEqual([code, requests]);
      if (code === "output_truncated") {
        expect(error.evidence?.reasoningTokens).toBe(40);
        expect(server.requests.map(({ maxOutputTokens }) => maxOutputTokens)).toEqual([100, 200]);
      }
    }
  });

  test("an abort half way closes the connection", async () => {
    await using server = await providerServer(() => ({ text: "abcdef", chunkSize: 2, fault: { kind: "silence", afterChunks: 1 } }));
    const abort = new AbortController();
    const run = aRun();
    const error = errorOf(quickCall(modelOf(server), { run, signal: abort.signal, onPart: () => abort.abort() }));
    expect(await error).toMatchObject({ code: "aborted", evidence: { partialText: "ab" } });
    await leavesNothing(run, server);
    await vi.waitFor(() => expect(server.openSockets).toBe(0));
    expect(server.requests[0]?.closedByClient).toBe(true);
  });

  test("a server that is gone refuses the connection, which is tried again", async () => {
    const server = await providerServer(() => "unused");
    await server.close();
    const run = aRun();
    expect(await errorOf(quickCall(modelOf(server), { run }))).toMatchObject({
      code: "connection_failed",
      evidence: { systemCode: "ECONNREFUSED", attempts: 3 },
    });
    expect(run.of("attempt.settled").every(({ usage }) => usage.totalTokens === 0)).toBe(true);
  });

  test("a hundred calls at once, half of them throttled, all come through, once each", async () => {
    await using server = await providerServer(
      ({ asked }) => (asked % 2 === 1 ? { fault: { kind: "status", status: 429, headers: { "retry-after-ms": "100" } } } : "fine"),
      { vary: false },
    );
    const calls = quickPipeline(modelOf(server));
    const run = aRun(20);
    const all = await Promise.all(Array.from({ length: 100 }, (_, sample) => calls(aRequest({ sample }), aContext({ run }))));
    expect(all.every((result) => textOf(result) === "fine")).toBe(true);
    expect(server.maxInFlight).toBeLessThanOrEqual(20);
    expect(run.of("attempt.failed")).toEqual([]);
    await leavesNothing(run, server);
  });
});

describe("over HTTP, only Anthropic", () => {
  test("an error as the first event is waited out like a throttling", async () => {
    await using server = await providerServer(({ n }) => (n === 1 ? { text: "x", fault: { kind: "error-event", afterChunks: 0 } } : "fine"));
    const run = aRun();
    expect(await quickCall(anthropic(server), { run })).toMatchObject({ attempts: 1 });
    expect(run.of("governor.throttled").map(({ reason }) => reason)).toEqual(["overloaded"]);
  });

  test("pings keep a stream alive, which the whole time still bounds", async () => {
    await using server = await providerServer(() => ({ text: "abcdef", chunkSize: 2, fault: { kind: "pings", everyMs: 20, afterChunks: 1 } }));
    const run = aRun();
    const error = await errorOf(quickCall(anthropic(server), { run, rules: { ...rules, idleMs: 40_000, totalMs: 75_000 } }));
    expect(error).toMatchObject({ code: "total_timeout", evidence: { attempts: 1, partialText: "ab" } });
    await leavesNothing(run, server);
    await vi.waitFor(() => expect(server.openSockets).toBe(0));
  });
});
