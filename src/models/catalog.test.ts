import { describe, expect, it } from "vitest";
import { aliases, defaultsByProvider, providers } from "./catalog.ts";

describe("the catalog", () => {
  it("looks for keys in the documented order", () => {
    expect([...defaultsByProvider.keys()].map((name) => providers.get(name)?.settings["apiKey"])).toEqual([
      ["ANTHROPIC_API_KEY"],
      ["OPENAI_API_KEY"],
      ["GOOGLE_GENERATIVE_AI_API_KEY", "GEMINI_API_KEY"],
      ["AI_GATEWAY_API_KEY"],
      ["OPENROUTER_API_KEY"],
    ]);
  });

  it("lists default providers first, so that what is shown is in the order of the choice", () => {
    expect([...providers.keys()].slice(0, defaultsByProvider.size)).toEqual([...defaultsByProvider.keys()]);
  });

  it("needs only settings that can be given", () => {
    for (const [name, provider] of providers) {
      for (const setting of provider.needs.flat()) expect([...Object.keys(provider.settings), "baseURL"], name).toContain(setting);
    }
  });

  it("has a provider behind every alias", () => {
    for (const provider of aliases.values()) expect(providers.has(provider)).toBe(true);
  });
});
