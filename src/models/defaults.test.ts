import { describe, expect, it } from "vitest";
import { DivvyError } from "../errors.ts";
import type { ModelProbes } from "./available.ts";
import type { Env } from "./catalog.ts";
import { type ChosenModels, defaultModels } from "./defaults.ts";

const silence: typeof fetch = () => Promise.reject(new TypeError("fetch failed"));
const unasked: typeof fetch = () => {
  throw new Error("no server should have been asked");
};
const installed = (): Promise<unknown> => Promise.resolve({});
const builtIn = (usable: boolean) => (): Promise<{ usable: boolean; why: string }> => Promise.resolve({ usable, why: "no file" });

/** Answers like the servers whose models these are. */
function running(answers: Readonly<Record<string, unknown>>): typeof fetch {
  return (input) => {
    const { pathname, port } = new URL(String(input));
    const answer = answers[`${port}${pathname}`];
    return answer === undefined ? silence(input) : Promise.resolve(Response.json(answer));
  };
}

const ollama = { "11434/api/tags": { models: [{ name: "llama3.2", modified_at: "2026-01-01" }] }, "11434/api/ps": { models: [{ name: "llama3.2" }] } };
const lmstudio = { "1234/api/v0/models": { data: [{ id: "qwen3", type: "llm", state: "loaded" }] } };

function chosen(env: Env, probes: ModelProbes = {}): Promise<ChosenModels> {
  return defaultModels(env, { fetch: unasked, load: installed, ...probes });
}

describe("where no model is named", () => {
  it("DIVVY_MODEL stands above all", async () => {
    const { why, ...models } = await chosen({ DIVVY_MODEL: "groq:openai/gpt-oss-120b", ANTHROPIC_API_KEY: "k" });
    expect(new Set(Object.values(models))).toEqual(new Set(["groq:openai/gpt-oss-120b"]));
    expect(why).toBe("DIVVY_MODEL is set");
  });

  it("the first key decides: strong models plan and join, fast ones work", async () => {
    expect(await chosen({ OPENAI_API_KEY: "k", ANTHROPIC_API_KEY: "k", OPENROUTER_API_KEY: "k" })).toEqual({
      orchestrator: "anthropic:claude-opus-5-5",
      synthesizer: "anthropic:claude-opus-5-5",
      worker: "anthropic:claude-haiku-4-5",
      why: "ANTHROPIC_API_KEY is set",
    });
  });

  it.each([
    ["OPENAI_API_KEY", "openai:gpt-6-luna"],
    ["GOOGLE_GENERATIVE_AI_API_KEY", "google:gemini-3.8-flash"],
    ["GEMINI_API_KEY", "google:gemini-3.8-flash"],
    ["AI_GATEWAY_API_KEY", "gateway:anthropic/claude-haiku-4.5"],
    ["OPENROUTER_API_KEY", "openrouter:anthropic/claude-haiku-4.5"],
  ])("%s alone is enough", async (variable, worker) => {
    expect(await chosen({ [variable]: "k" })).toMatchObject({ worker, why: `${variable} is set` });
  });

  it("a server on this machine is next, Ollama before LM Studio", async () => {
    const env = { GROQ_API_KEY: "by name only", ANTHROPIC_API_KEY: " " };
    expect(await chosen(env, { fetch: running({ ...ollama, ...lmstudio }) })).toEqual({
      orchestrator: "ollama:llama3.2",
      synthesizer: "ollama:llama3.2",
      worker: "ollama:llama3.2",
      why: "Ollama at 127.0.0.1:11434 has llama3.2 loaded",
    });
    expect(await chosen({}, { fetch: running(lmstudio) })).toMatchObject({ worker: "lmstudio:qwen3" });
  });

  it("a server without the package that speaks to it is passed over", async () => {
    const load = (): Promise<unknown> => Promise.resolve(undefined);
    expect(await chosen({}, { fetch: running({ ...ollama, ...lmstudio }), load })).toMatchObject({ worker: "lmstudio:qwen3" });
  });

  it("the built-in model is last", async () => {
    expect(await chosen({}, { fetch: silence, local: builtIn(true) })).toMatchObject({ orchestrator: "local:", worker: "local:" });
  });

  it("and is the only one that has to be told of", async () => {
    expect((await chosen({}, { fetch: silence, local: builtIn(true) })).notice?.code).toBe("built_in_model");
    expect(await chosen({}, { fetch: running(ollama), local: builtIn(true) })).not.toHaveProperty("notice");
    expect(await chosen({ DIVVY_MODEL: "local:" })).not.toHaveProperty("notice");
  });

  it("and nothing can be used, the three ways to go on are named", async () => {
    const error = await chosen({}, { fetch: silence, local: builtIn(false) }).catch((thrown: unknown) => thrown);
    if (!(error instanceof DivvyError)) throw new Error("no DivvyError");
    expect(error.code).toBe("no_model");
    expect(error.message).toContain("Ollama does not answer at 127.0.0.1:11434");
    expect(error.message).toContain("built-in model: no file");
    expect(error.hint).toContain("ANTHROPIC_API_KEY");
    expect(error.hint).toContain("start a model server");
    expect(error.hint).toContain("local:/path/to/file.gguf");
  });
});
