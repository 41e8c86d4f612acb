import { describe, expect, it } from "vitest";
import { noUsage, type SpentUsage } from "../usage.ts";
import { defaultsByProvider } from "./catalog.ts";
import { listedContextTokens, listedPrice, statedPrice } from "./prices.ts";

function usage(inputTokens: number | undefined, outputTokens: number | undefined, cacheReadTokens?: number, cacheWriteTokens?: number): SpentUsage {
  return { ...noUsage, inputTokens, outputTokens, inputTokenDetails: { noCacheTokens: undefined, cacheReadTokens, cacheWriteTokens } };
}

describe("the price list", () => {
  it("knows every default model, so that a budget in dollars holds", async () => {
    for (const [provider, { strong, fast }] of defaultsByProvider) {
      for (const model of [strong, fast]) {
        const price = await listedPrice({ provider, model });
        expect(price(usage(1_000, 1_000)), `${provider}:${model}`).toBeGreaterThan(0);
      }
    }
  });

  it("knows the windows of most models, through a gateway too", async () => {
    expect(await listedContextTokens({ provider: "anthropic", model: "claude-haiku-4-5" })).toBe(200_000);
    expect(await listedContextTokens({ provider: "gateway", model: "anthropic/claude-haiku-4.5" })).toBe(200_000);
    expect(await listedContextTokens({ provider: "anthropic", model: "nobody-knows" })).toBeUndefined();
    expect(await listedContextTokens({ provider: "openai-compatible", model: "m", baseUrl: "http://localhost:1" })).toBeUndefined();
  });

  it("counts cached input at its own rates", async () => {
    const price = await listedPrice({ provider: "anthropic", model: "claude-haiku-4-5" });
    expect(price(usage(1_000_000, 0))).toBeCloseTo(1);
    expect(price(usage(0, 1_000_000))).toBeCloseTo(5);
    // 100,000 plain + 800,000 read at a tenth + 100,000 written at five quarters
    expect(price(usage(1_000_000, 0, 800_000, 100_000))).toBeCloseTo(0.1 + 0.08 + 0.125);
  });

  it("prices a gateway's models as their makers do", async () => {
    const gateway = await listedPrice({ provider: "gateway", model: "anthropic/claude-haiku-4.5" });
    expect(gateway(usage(1_000_000, 0))).toBeCloseTo(1);
    expect((await listedPrice({ provider: "gateway", model: "nobody/claude" }))(usage(1, 1))).toBeUndefined();
  });

  it("knows a compatible endpoint by its address", async () => {
    const model = "llama-3.3-70b-versatile";
    const known = await listedPrice({ provider: "openai-compatible", model, baseUrl: "https://api.groq.com/openai/v1" });
    expect(known(usage(1_000_000, 0))).toBeCloseTo(0.59);
    const unknown = await listedPrice({ provider: "openai-compatible", model, baseUrl: "https://llm.example.com/v1" });
    expect(unknown(usage(1_000_000, 0))).toBeUndefined();
  });

  it("says nothing of what it does not know", async () => {
    expect((await listedPrice({ provider: "openai", model: "no-such-model" }))(usage(1, 1))).toBeUndefined();
    expect((await listedPrice({ provider: "nobody", model: "gpt-6-sol" }))(usage(1, 1))).toBeUndefined();
    expect((await listedPrice({ provider: "openai", model: "gpt-6-sol" }))(usage(undefined, undefined))).toBeUndefined();
  });

  it("bears usage that does not add up", async () => {
    const price = await listedPrice({ provider: "anthropic", model: "claude-haiku-4-5" });
    expect(price(usage(10, 0, 1_000_000))).toBeCloseTo(0.1);
    expect(price(usage(Number.NaN, 1_000_000))).toBeCloseTo(5);
    expect(price(usage(undefined, 1_000_000))).toBeCloseTo(5);
  });
});

describe("a user's own price", () => {
  it("is in dollars per million tokens", () => {
    const price = statedPrice({ input: 2, output: 10 });
    expect(price(usage(1_000_000, 100_000))).toBeCloseTo(3);
    expect(price(usage(1_000_000, 0, 500_000, 100_000))).toBeCloseTo(2);
    expect(price(usage(undefined, undefined))).toBeUndefined();
  });

  it("may tell cached input apart", () => {
    const price = statedPrice({ input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 });
    expect(price(usage(1_000_000, 0, 500_000, 100_000))).toBeCloseTo(0.8 + 0.1 + 0.25);
  });

  it("may be nothing", () => {
    expect(statedPrice({ input: 0, output: 0 })(usage(5, 5))).toBe(0);
  });
});
