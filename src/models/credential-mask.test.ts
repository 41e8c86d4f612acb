import { inspect } from "node:util";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { credentialMask, instanceMask } from "./credential-mask.ts";

const secret = 'crocus+violet/tulip "aster"';

describe("a secret is hidden", () => {
  test.each([
    ["as it is", secret],
    ["in JSON", JSON.stringify({ said: secret })],
    ["in JSON that escapes slashes", JSON.stringify({ said: secret }).replaceAll("/", "\\/")],
    ["in a URL", `https://host.invalid/?x=${encodeURIComponent(secret)}&y=1`],
    ["in base64", Buffer.from(secret).toString("base64")],
    ["in base64 for URLs", Buffer.from(secret).toString("base64url")],
  ])("%s", (_, text) => {
    const shown = credentialMask(["nothing of it", secret])(`It says ${text}.`);
    expect(shown).toMatch(/^It says .*\[hidden\].*\.$/);
    expect(shown).not.toMatch(/crocus|violet|tulip|aster/);
  });

  test("wherever it stands in the base64 of a longer text, but for its edges", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }), fc.constantFrom("base64", "base64url"), (before, after, encoding) => {
        const shown = credentialMask([secret])(Buffer.from(before + secret + after).toString(encoding));
        expect(Buffer.from(shown.replace(/\[hidden\].*/, ""), "base64").toString()).not.toContain("croc");
        expect(shown).toContain("[hidden]");
      }),
    );
  });

  test("with those that begin like it, and none of it where the mask itself is shown", () => {
    const mask = credentialMask(["crocus-1", "crocus-12345"]);
    expect(mask("crocus-12345 crocus-1")).toBe("[hidden] [hidden]");
    expect(inspect(mask, { showHidden: true, depth: null })).not.toContain("crocus-1");
  });

  test("not where it is a short word that means nothing", () => {
    expect(credentialMask(["ollama", ""])("ollama is not running")).toBe("ollama is not running");
  });
});

describe("of a model instance", () => {
  const modelWith = (settings: { apiKey?: string; headers?: Record<string, string> }): object =>
    createOpenAICompatible({ name: "x", baseURL: "http://host.invalid/v1", ...settings }).languageModel("m");

  test("the key and every header of its own are hidden, but not what every request holds", () => {
    const mask = instanceMask(modelWith({ apiKey: "crocus-12345", headers: { "x-tenant": "violet-12345", "api-version": "2026-01-01" } }));
    expect(mask("crocus-12345 violet-12345 2026-01-01 openai-compatible")).toBe("[hidden] [hidden] 2026-01-01 openai-compatible");
  });

  test("a password in a header for basic authentication is hidden", () => {
    const basic = Buffer.from("aster:tulip-12345").toString("base64");
    const mask = instanceMask(modelWith({ headers: { authorization: `Basic ${basic}` } }));
    expect(mask(`${basic} tulip-12345`)).toBe("[hidden] [hidden]");
  });

  test("the password and the query of its address are hidden, as they are and as addresses write them", () => {
    const settings = { name: "x", baseURL: "http://aster:tulip%2F12345@host.invalid/v1", queryParams: { sig: "violet 12345", "api-version": "2026-01-01" } };
    const mask = instanceMask(createOpenAICompatible(settings).languageModel("m"));
    expect(mask("tulip/12345 tulip%2F12345 violet 12345 violet+12345 2026-01-01")).toBe("[hidden] [hidden] [hidden] [hidden] 2026-01-01");
  });

  test("nothing is known where it shows no headers, or cannot make them", () => {
    const config = {
      headers: () => {
        throw new Error("no key");
      },
    };
    for (const instance of [{}, { config: 1 }, { config: {} }, { config }, { config: { headers: Promise.resolve({ a: "violet-12345" }) } }]) {
      expect(instanceMask(instance)("violet-12345")).toBe("violet-12345");
    }
  });
});
