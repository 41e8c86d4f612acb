import { createOpenAI } from "@ai-sdk/openai";
import { describe, expect, test } from "vitest";
import { FlexibleOrchestrator, memoryLedger, type ModelChoice, type OrchestratorOptions } from "../src/index.ts";
import { type ProviderServer, providerServer, type Script } from "../src/testing/index.ts";

/** Runs over real HTTP, against a provider that caches. */

const price = { input: 10, output: 100, cacheRead: 1, cacheWrite: 12.5 };
/** About 5,000 tokens. */
const context = "All that there is to know. ".repeat(1_000);

const planOf = (n: number) => ({ subtasks: Array.from({ length: n }, (_, i) => ({ type: "part", description: `Do part ${i}.` })) });

function orchestratorAt(server: ProviderServer, model: ModelChoice = "anthropic:claude-sonnet-4-5", options: OrchestratorOptions = {}): FlexibleOrchestrator {
  const env = {
    ANTHROPIC_API_KEY: "key",
    ANTHROPIC_BASE_URL: server.anthropicBaseUrl,
    OPENAI_API_KEY: "key",
    OPENAI_BASE_URL: server.openaiBaseUrl,
    OPENAI_COMPATIBLE_BASE_URL: server.openaiBaseUrl,
  };
  return new FlexibleOrchestrator({ model, worker: { model, price }, synthesis: "keep", retry: { attempts: 1 }, ...options }, { models: { env } });
}

/** How many calls of a run wrote their start to the cache, and how many read it from there. */
async function cachedBy(orchestrator: FlexibleOrchestrator, n: number, about = context) {
  const run = orchestrator.start("Do it.", about, { plan: planOf(n) });
  const cached = { written: 0, read: 0 };
  for await (const event of run.events) {
    if (event.type !== "attempt.settled") continue;
    const { cacheWriteTokens = 0, cacheReadTokens = 0 } = event.usage.inputTokenDetails;
    if (cacheWriteTokens > 0) cached.written++;
    if (cacheReadTokens > 0) cached.read++;
  }
  return cached;
}

const done: Script = () => ({ text: "It is done.", firstMs: 20 });

describe("workers whose prompts start alike", () => {
  test.each([10, 50])("of %i all but the first find their start in the cache", async (n) => {
    await using server = await providerServer(done, { promptCache: {} });
    expect(await cachedBy(orchestratorAt(server), n)).toEqual({ written: 1, read: n - 1 });
  });

  test("find nothing in the cache of a provider whose caching is not known", async () => {
    await using server = await providerServer(done, { promptCache: {} });
    expect(await cachedBy(orchestratorAt(server, "openai-compatible:some"), 5)).toEqual({ written: 0, read: 0 });
  });

  test("all but one find it where the first fails before its reply begins", async () => {
    const fails: Script = ({ n }) => (n === 1 ? { fault: { kind: "status", status: 400 } } : { text: "It is done.", firstMs: 20 });
    await using server = await providerServer(fails, { promptCache: {} });
    expect(await cachedBy(orchestratorAt(server), 10)).toEqual({ written: 1, read: 8 });
  });

  test("all but one find it where the first one's answer was recorded, and nothing is sent for it", async () => {
    const ledger = memoryLedger();
    const before = { ledger, cache: { shared: "all" } };
    await using server = await providerServer(done, { promptCache: {} });
    await cachedBy(orchestratorAt(server, undefined, before), 1);
    // Under another key nothing is known of what is in the provider's cache; the double has it.
    const again = new FlexibleOrchestrator(
      { model: "anthropic:claude-sonnet-4-5", synthesis: "keep", ...before },
      { models: { env: { ANTHROPIC_API_KEY: "another", ANTHROPIC_BASE_URL: server.anthropicBaseUrl } } },
    );
    expect(await cachedBy(again, 10)).toEqual({ written: 0, read: 9 });
    expect(server.requests.length).toBe(10);
  });

  test("all go at once where what they share is too short to be cached", async () => {
    await using server = await providerServer(() => ({ text: "It is done.", firstMs: 200 }), { promptCache: {} });
    expect(await cachedBy(orchestratorAt(server), 5, "Little.")).toEqual({ written: 0, read: 0 });
    expect(server.maxInFlight).toBe(5);
  });
});

const providers: readonly (readonly [name: string, model: (server: ProviderServer) => ModelChoice])[] = [
  ["Anthropic", () => "anthropic:claude-sonnet-4-5"],
  ["OpenAI", (server) => createOpenAI({ baseURL: server.openaiBaseUrl, apiKey: "key" }).chat("gpt-4.1")],
  ["an OpenAI-compatible server", () => "openai-compatible:some"],
];

describe.each(providers)("of %s", (name, modelAt) => {
  test("tokens that were read from a cache are told and priced", async () => {
    const usage = { inputTokens: 1_000_000, cacheReadTokens: 800_000, outputTokens: 10_000 };
    await using server = await providerServer(() => ({ text: "It is done.", usage }));
    const outcome = await orchestratorAt(server, modelAt(server)).orchestrate("Do it.", "", { plan: planOf(2) });
    expect(outcome.usage).toMatchObject({ inputTokens: 2_000_000, inputTokenDetails: { noCacheTokens: 400_000, cacheReadTokens: 1_600_000 } });
    expect(outcome.cost).toBeCloseTo(2 * (0.2 * 10 + 0.8 * 1 + 0.01 * 100));
  });

  // Compatible servers have no word for it.
  test.skipIf(name === "an OpenAI-compatible server")("tokens that were written to a cache are told and priced", async () => {
    const usage = { inputTokens: 1_000_000, cacheWriteTokens: 800_000, outputTokens: 10_000 };
    await using server = await providerServer(() => ({ text: "It is done.", usage }));
    const outcome = await orchestratorAt(server, modelAt(server)).orchestrate("Do it.", "", { plan: planOf(1) });
    expect(outcome.usage.inputTokenDetails.cacheWriteTokens).toBe(800_000);
    expect(outcome.cost).toBeCloseTo(0.2 * 10 + 0.8 * 12.5 + 0.01 * 100);
  });
});
