import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { helpText } from "../src/cli/help.ts";
import { defaultsByProvider } from "../src/models/catalog.ts";
import { read, root } from "./markdown.ts";

const cwd = fileURLToPath(root);

/** What reads like a model of the providers that have defaults. */
function modelsIn(text: string): string[] {
  return text.match(/\b(?:claude|gpt|gemini)-\w+(?:[.-]\w+)*/g) ?? [];
}

const defaults = new Set([...defaultsByProvider.values()].flatMap(({ strong, fast }) => modelsIn(`${strong} ${fast}`)));

describe("the models that a reader sees", () => {
  const pages = ["README.md", ...globSync(["docs/*.md", "examples/**/*.ts"], { cwd })];

  test.each(pages.filter((path) => modelsIn(read(path)).length > 0))("in %s are the default ones", (path) => {
    expect(modelsIn(read(path)).filter((model) => !defaults.has(model))).toEqual([]);
  });

  test("are in the README both a strong and a fast one of a provider", () => {
    const shown = modelsIn(read("README.md"));
    expect([...defaultsByProvider.values()].some(({ strong, fast }) => shown.includes(strong) && shown.includes(fast))).toBe(true);
  });

  test("are in the help the first provider's", () => {
    const [[provider, { strong }] = ["", { strong: "" }]] = defaultsByProvider;
    expect(helpText("run", 80)).toContain(`--orchestrator ${provider}:${strong}`);
  });
});

test("default models are named in one file", () => {
  const sources = globSync("src/**/*.{ts,tsx}", { cwd }).filter((path) => !/\.test\.tsx?$/.test(path));
  expect(sources.filter((path) => modelsIn(read(path)).length > 0)).toEqual(["src/models/catalog.ts"]);
});

test("a model is found in a sentence, in code and behind a provider", () => {
  expect(modelsIn('anthropic("claude-opus-5-5"), `openai:gpt-6-sol`, gateway:anthropic/claude-opus-5.5. And gemini-3.8-flash.')).toEqual([
    "claude-opus-5-5",
    "gpt-6-sol",
    "claude-opus-5.5",
    "gemini-3.8-flash",
  ]);
});
