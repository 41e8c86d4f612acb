import { describe, expect, test } from "vitest";
import { aRequest } from "../../test/call-fixture.ts";
import { toMessages } from "../prompt/messages.ts";
import { cachedPrefix } from "./cache-mark.ts";
import type { CallRequest } from "./call.ts";
import { estimateInput } from "./estimate.ts";

const sonnet = { provider: "anthropic.messages", modelId: "claude-sonnet-4-5" };

/** A worker's call; its shared part is so many words long, each about a token. */
function aWorkersCall(words: number, own = "Write it.", change: Partial<CallRequest> = {}): CallRequest {
  return aRequest({ messages: toMessages({ system: "Be brief.", shared: "word ".repeat(words), prompt: own }), ...change });
}

const prefixOf = (request: CallRequest, model = sonnet): string | undefined => cachedPrefix(request, model, estimateInput(request));

describe("the start of a request that is cached", () => {
  test("is the same for calls that share it, whatever comes after it, and for a try with a higher cap", () => {
    const prefix = prefixOf(aWorkersCall(2_000));
    expect(prefix).toMatch(/^[0-9a-f]{64}$/);
    expect(prefixOf(aWorkersCall(2_000, "Write another."))).toBe(prefix);
    expect(prefixOf(aWorkersCall(2_000, undefined, { settings: { maxOutputTokens: 200 } }))).toBe(prefix);
  });

  test.each<[string, CallRequest]>([
    ["its shared text", aWorkersCall(2_001)],
    ["its system's text", aRequest({ messages: toMessages({ system: "Be long.", shared: "word ".repeat(2_000), prompt: "Write it." }) })],
    ["its tools", aWorkersCall(2_000, undefined, { tools: [{ type: "function", name: "look", inputSchema: {} }] })],
    ["how it thinks", aWorkersCall(2_000, undefined, { settings: { maxOutputTokens: 100, reasoning: "high" } })],
    ["the form of its reply", aWorkersCall(2_000, undefined, { responseFormat: { type: "json", name: "x", schema: {} } })],
  ])("is another where %s is another", (_, request) => {
    expect(prefixOf(request)).toBeDefined();
    expect(prefixOf(request)).not.toBe(prefixOf(aWorkersCall(2_000)));
  });

  test("is none where nothing is shared", () => {
    expect(prefixOf(aRequest({ messages: toMessages("word ".repeat(10_000)) }))).toBeUndefined();
  });

  test("is none where what is shared is short, however long the rest", () => {
    expect(prefixOf(aWorkersCall(10, "word ".repeat(10_000)))).toBeUndefined();
  });

  test.each(["openai.chat", "google.generative-ai", "openrouter"])("is none that %s promises", (provider) => {
    expect(prefixOf(aWorkersCall(10_000), { provider, modelId: "some-model" })).toBeUndefined();
  });

  test.each([
    ["claude-3-5-sonnet-20241022", 1_024],
    ["claude-3-opus-20240229", 1_024],
    ["claude-sonnet-4-20250514", 1_024],
    ["claude-sonnet-4-0", 1_024],
    ["claude-sonnet-4-5@20250929", 1_024],
    ["claude-opus-4-1-20250805", 1_024],
    ["claude-opus-4-8", 1_024],
    ["claude-sonnet-5", 1_024],
    ["claude-sonnet-4-6", 2_048],
    ["claude-3-5-haiku-20241022", 2_048],
    ["claude-haiku-4-5", 4_096],
    ["claude-opus-4-5-20251101", 4_096],
    ["claude-opus-4-7", 4_096],
    ["a-model-to-come", 4_096],
  ])("is for %s at least %i tokens long", (modelId, least) => {
    const model = { provider: "vertex.anthropic.messages", modelId };
    expect(prefixOf(aWorkersCall(least - 100), model)).toBeUndefined();
    expect(prefixOf(aWorkersCall(least + 100), model)).toBeDefined();
  });
});
