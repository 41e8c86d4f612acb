import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAnthropic } from "@ai-sdk/anthropic";
import type { CallRequest } from "./call.ts";
import { aRequest, modelThat, tableOf } from "../../test/call-fixture.ts";
import { callKey } from "./call-key.ts";

const model = modelThat(() => Promise.reject(new Error("unused")));
const keyOf = callKey(tableOf(model));

const whole: CallRequest = {
  model: "anthropic:claude-haiku-4-5",
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: [{ type: "text", text: "Größe: 3 × 4 …" }] },
  ],
  settings: { maxOutputTokens: 8192, temperature: 0.5, reasoning: "low", providerOptions: { anthropic: { effort: "low", a: [1, { b: null }] } } },
  tools: [{ type: "function", name: "look", inputSchema: { type: "object", properties: { at: { type: "string" } } } }],
  responseFormat: { type: "json", schema: { type: "object" }, name: "plan" },
  sample: 1,
};

// Made by another program (Python, `json.dumps` with sorted keys, and `hashlib`).
test("is this very key for this very request: a change here makes recorded calls unfindable, and needs another version", () => {
  expect(keyOf(whole)).toBe("8d2ecd9be6581803052f79a45819d082859dca767c299c3e3243e6f0bd61c39f");
});

/** The same value with the keys of each object in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, shuffled(inner)]),
  );
}

test("does not depend on the order of keys, at any depth", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 }), fc.string(), (options, words) => {
      const request = aRequest({
        messages: [{ role: "user", content: [{ type: "text", text: words }] }],
        settings: { maxOutputTokens: 1, providerOptions: { p: JSON.parse(JSON.stringify(options)) } },
      });
      expect(keyOf(JSON.parse(JSON.stringify(shuffled(request))))).toBe(keyOf(request));
    }),
  );
});

describe("is another one for", () => {
  const { settings } = whole;
  const changes: readonly [string, CallRequest][] = [
    ["the model", { ...whole, model: "anthropic:other" }],
    ["a word in a message", { ...whole, messages: [{ role: "system", content: "Be brief!" }, ...whole.messages.slice(1)] }],
    ["a message's role", { ...whole, messages: [{ role: "user", content: [{ type: "text", text: "Be brief." }] }, ...whole.messages.slice(1)] }],
    ["the order of messages", { ...whole, messages: whole.messages.toReversed() }],
    ["the output cap", { ...whole, settings: { ...settings, maxOutputTokens: 8193 } }],
    ["the temperature", { ...whole, settings: { ...settings, temperature: 0 } }],
    ["the reasoning", { ...whole, settings: { ...settings, reasoning: "high" } }],
    ["a provider's option", { ...whole, settings: { ...settings, providerOptions: { anthropic: { effort: "high" } } } }],
    ["a tool", { ...whole, tools: [{ type: "function", name: "see", inputSchema: { type: "object" } }] }],
    ["the tools being none", { ...whole, tools: [] }],
    ["the format's schema", { ...whole, responseFormat: { type: "json", schema: { type: "array" }, name: "plan" } }],
    ["the sample", { ...whole, sample: 2 }],
  ];

  test.each(changes)("%s", (_, changed) => {
    expect(keyOf(changed)).not.toBe(keyOf(whole));
  });

  test("where the model is reached", () => {
    expect(callKey(tableOf(model, { baseUrl: "https://other.invalid/v1" }))(whole)).not.toBe(keyOf(whole));
  });

  test("each of them: no two of these changes give the same key", () => {
    expect(new Set(changes.map(([, changed]) => keyOf(changed))).size).toBe(changes.length);
  });
});

test("holds nothing of a credential: the same model with another key, lane and price has the same key", () => {
  const tables = ["one", "two"].map((apiKey) =>
    tableOf(createAnthropic({ apiKey, headers: { "x-own": apiKey } })("claude-haiku-4-5"), {
      lane: `https://test.invalid#${apiKey}`,
      credential: apiKey,
      price: async () => () => apiKey.length,
    }),
  );
  expect(new Set(tables.map((table) => callKey(table)(whole))).size).toBe(1);
});
