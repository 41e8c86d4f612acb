import { describe, expect, it } from "vitest";
import { DivvyError } from "../errors.ts";
import { parseModelName } from "./model-name.ts";

function refusal(spec: string): DivvyError {
  try {
    parseModelName(spec);
  } catch (error) {
    if (error instanceof DivvyError) return error;
    throw error;
  }
  throw new Error(`${spec} was accepted`);
}

describe("a model's name", () => {
  it.each([
    ["anthropic:claude-opus-5-5", "anthropic", "claude-opus-5-5"],
    ["ollama:llama3.2:3b", "ollama", "llama3.2:3b"],
    ["openrouter:anthropic/claude-opus-5.5", "openrouter", "anthropic/claude-opus-5.5"],
    [" OpenAI:gpt-6-sol ", "openai", "gpt-6-sol"],
    ["amazon-bedrock:some.model-v1:0", "bedrock", "some.model-v1:0"],
    ["local:", "local", ""],
    ["local:C:\\models\\a.gguf", "local", "C:\\models\\a.gguf"],
  ])("%s is taken apart at its first colon", (spec, provider, model) => {
    expect(parseModelName(spec)).toEqual({ provider, model });
  });

  it("that is misspelt gets the nearest provider named", () => {
    const error = refusal("antropic:claude-opus-5-5");
    expect(error.code).toBe("unknown_provider");
    expect(error.message).toBe('There is no provider "antropic"; did you mean "anthropic:claude-opus-5-5"?');
    expect(error.evidence?.known).toContain("groq");
  });

  it.each([
    ["claude-opus-5-5", '"anthropic:claude-opus-5-5"'],
    ["gpt-6-sol", '"openai:gpt-6-sol"'],
    ["gemini-3.8-flash", '"google:gemini-3.8-flash"'],
    ["llama3.2", '"ollama:llama3.2"'],
    ["anthropic/claude-opus-5.5", '"gateway:anthropic/claude-opus-5.5"'],
    ["anthropic", '"anthropic:claude-opus-5-5"'],
    ["groq", '"groq:model"'],
    ["local", '"local:"'],
    ["", '"anthropic:claude-opus-5-5"'],
  ])("without a provider (%s) is shown how to write it", (spec, written) => {
    const error = refusal(spec);
    expect(error.code).toBe("unknown_provider");
    expect(error.message).toContain(written);
  });

  it("needs a model after the colon", () => {
    expect(refusal("openai:").message).toBe('"openai:" names no model. Write "openai:gpt-6-sol".');
  });

  it("that is a URL or a key is not repeated", () => {
    expect(refusal("https://me:secret@example.com/v1").message).toContain("openai-compatible:");
    expect(refusal("sk-ant-api03-secret").message).toBe("What stands in place of a model looks like an API key.");
    expect(JSON.stringify([refusal("https://me:secret@example.com/v1"), refusal("sk-ant-api03-secret")])).not.toContain("secret");
  });
});
