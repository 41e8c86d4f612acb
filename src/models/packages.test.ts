import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadedPackage, loadInstalled } from "./packages.ts";

describe("loading packages", () => {
  it("tells one that is not installed from one that is", async () => {
    expect(await loadedPackage("@ai-sdk/no-such-provider", loadInstalled)).toBeUndefined();
    expect(await loadedPackage("ollama-ai-provider-v2", loadInstalled)).toHaveProperty("createOllama");
    expect(await loadedPackage("@openrouter/ai-sdk-provider", loadInstalled)).toHaveProperty("createOpenRouter");
  });

  it("never asks for what comes with Divvy", async () => {
    const load = (): Promise<unknown> => Promise.reject(new Error("asked"));
    expect(await loadedPackage("@ai-sdk/anthropic", load)).toHaveProperty("createAnthropic");
  });
});

describe("importing this room", () => {
  it("loads no package but the provider interface", () => {
    const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.startsWith("local-model"));
    const folder = mkdtempSync(join(tmpdir(), "divvy-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const script = join(folder, "imports.mjs");
    const hooks = `import { registerHooks } from "node:module";
      registerHooks({ resolve(specifier, context, next) { console.log(specifier); return next(specifier, context); } });`;
    writeFileSync(script, hooks + files.map((file) => `await import(${JSON.stringify(join(import.meta.dirname, file))});`).join("\n"));
    const { stdout, status, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    expect(stdout).toContain("./shares.ts");
    const packages = new Set(stdout.split("\n").filter((line) => line !== "" && !/^([./]|node:|file:)/.test(line)));
    packages.delete("@ai-sdk/provider");
    expect([...packages]).toEqual([]);
  });
});
