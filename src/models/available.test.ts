import { describe, expect, it } from "vitest";
import { type Availability, availableModels, type ModelProbes } from "./available.ts";
import type { Env } from "./catalog.ts";

const secret = "sk-very-secret";
const silence: typeof fetch = () => Promise.reject(new TypeError("fetch failed"));
const running: typeof fetch = (input) =>
  String(input).endsWith("/api/tags") ? Promise.resolve(Response.json({ models: [{ name: "llama3.2", modified_at: "2026-01-01" }] })) : silence(input);
const nothingInstalled = (): Promise<unknown> => Promise.resolve(undefined);

async function available(env: Env, probes: ModelProbes = {}): Promise<Record<string, Availability>> {
  const list = await availableModels(env, { fetch: silence, load: nothingInstalled, ...probes });
  return Object.fromEntries(list.map((entry) => [entry.provider, entry]));
}

describe("what can be used here", () => {
  it("lists every provider, in the order of the choice, and why it cannot be used", async () => {
    const list = await availableModels({}, { fetch: silence, load: nothingInstalled });
    expect(list.map(({ provider }) => provider).slice(0, 5)).toEqual(["anthropic", "openai", "google", "gateway", "openrouter"]);
    expect(list.map(({ provider }) => provider).slice(-4)).toEqual(["ollama", "lmstudio", "llamacpp", "local"]);
    expect(list.filter(({ usable }) => usable)).toEqual([]);
    expect(list[2]).toEqual({ provider: "google", usable: false, why: "GOOGLE_GENERATIVE_AI_API_KEY or GEMINI_API_KEY not set" });
  });

  it("is what has a key, with its default models", async () => {
    const { anthropic, google, gateway } = await available({ ANTHROPIC_API_KEY: secret, GEMINI_API_KEY: secret, AI_GATEWAY_API_KEY: secret });
    expect(anthropic).toEqual({
      provider: "anthropic",
      usable: true,
      why: "ANTHROPIC_API_KEY set",
      strong: "anthropic:claude-opus-5-5",
      fast: "anthropic:claude-haiku-4-5",
    });
    expect(google).toMatchObject({ usable: true, why: "GEMINI_API_KEY set" });
    // It speaks the OpenAI protocol where its own package is missing.
    expect(gateway).toMatchObject({ usable: true });
  });

  it("also needs the package", async () => {
    const env = { GROQ_API_KEY: secret, AWS_REGION: "eu-west-1", AWS_BEARER_TOKEN_BEDROCK: secret };
    const without = await available(env);
    expect(without["groq"]).toMatchObject({ usable: false, why: "GROQ_API_KEY set, but its package is not installed (npm install @ai-sdk/groq)" });
    const broken = await available(env, { load: () => Promise.reject(new Error("broken")) });
    expect(broken["groq"]?.why).toContain("cannot be loaded");
    const with_ = await available(env, { load: () => Promise.resolve({}) });
    expect(with_["groq"]).toMatchObject({ usable: true });
    expect(with_["bedrock"]).toMatchObject({ usable: true, why: "AWS_REGION and AWS_BEARER_TOKEN_BEDROCK set" });
    expect(JSON.stringify([without, broken, with_])).not.toContain(secret);
  });

  it("is a server that runs, with its models", async () => {
    const { ollama } = await available({}, { fetch: running, load: () => Promise.resolve({}) });
    expect(ollama).toMatchObject({ usable: true, strong: "ollama:llama3.2", fast: "ollama:llama3.2", models: ["llama3.2"] });
    const without = await available({}, { fetch: running });
    expect(without["ollama"]).toMatchObject({ usable: false, models: ["llama3.2"] });
    expect(without["ollama"]?.why).toContain("npm install ollama-ai-provider-v2");
  });

  it("is the built-in model, where it says so itself", async () => {
    const yes = await available({}, { local: () => Promise.resolve({ usable: true, why: "its file is here" }) });
    expect(yes["local"]).toEqual({ provider: "local", usable: true, why: "its file is here", strong: "local:", fast: "local:" });
    const no = await available({}, { local: () => Promise.resolve({ usable: false, why: "no file" }) });
    expect(no["local"]).toEqual({ provider: "local", usable: false, why: "no file" });
  });
});
