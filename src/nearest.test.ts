import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.ts";

const known = ["anthropic", "openai", "google", "groq"];

describe("nearest", () => {
  it.each([
    ["antropic", "anthropic"],
    ["OpenAI", "openai"],
    ["opneai", "openai"],
    ["googel", "google"],
    ["grok", "groq"],
  ])("takes %s for %s", (word, meant) => {
    expect(nearest(word, known)).toBe(meant);
  });

  it("takes the nearer of two", () => {
    expect(nearest("tasks", ["tags", "task"])).toBe("task");
  });

  it("guesses nothing where nothing is near", () => {
    expect(nearest("bedrock", known)).toBeUndefined();
    expect(nearest("", known)).toBeUndefined();
    expect(nearest("openai", [])).toBeUndefined();
  });
});
