import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { said } from "./shell.ts";

const root = resolve(import.meta.dirname, "..");
const project = mkdtempSync(join(tmpdir(), "divvy-lint-"));
for (const file of [".oxlintrc.json", "tsconfig.json", "package.json"]) cpSync(join(root, file), join(project, file));
symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
afterAll(() => rmSync(project, { recursive: true }));

const heart = ["src", ...["orchestrator", "plan", "work", "synthesis", "calls", "governor", "ledger", "prompt"].map((room) => `src/${room}`)];

/** What the heart takes from its runtime, and the rule that says so. */
const world: Readonly<Record<string, string>> = {
  "export const a = Date.now();": "no-restricted-globals",
  "export const a = new Date();": "no-restricted-globals",
  "export const a = performance.now();": "no-restricted-globals",
  "export const a = setTimeout(() => {}, 1);": "no-restricted-globals",
  "export const a = setInterval(() => {}, 1);": "no-restricted-globals",
  "export const a = setImmediate(() => {});": "no-restricted-globals",
  "export const a = crypto.randomUUID();": "no-restricted-globals",
  "export const a = Math.random();": "no-restricted-properties",
  "const { random } = Math; export const a = random();": "no-restricted-properties",
  "export const a = globalThis.setTimeout(() => {}, 1);": "no-restricted-properties",
  "export const a = AbortSignal.timeout(1);": "no-restricted-properties",
  'export const a = process.env["A"];': "no-restricted-properties",
  "export const { env } = process;": "no-restricted-properties",
  'import { setTimeout } from "node:timers/promises"; export const a = setTimeout;': "no-restricted-imports",
  'import { randomUUID } from "node:crypto"; export const a = randomUUID;': "no-restricted-imports",
  'import { env } from "node:process"; export const a = env;': "no-restricted-imports",
};

const everywhere: Readonly<Record<string, string>> = {
  "export const a = (b: any): void => console.error(b);": "no-explicit-any",
  "export const a = (b?: string): number => b!.length;": "no-non-null-assertion",
  "export default 1;": "no-default-export",
  "export const a = (b: () => Promise<void>): void => { b(); };": "no-floating-promises",
  "export const a = (b: () => Promise<boolean>): number => (b() ? 1 : 2);": "no-misused-promises",
  "export const a = async (b: number): Promise<number> => await b;": "await-thenable",
  'export const a: number = JSON.parse("1");': "no-unsafe-assignment",
  "export const a = (b: unknown): string => b as string;": "no-unsafe-type-assertion",
  'export const a = (): never => { throw "text"; };': "only-throw-error",
  'export const a = (b: "x" | "y"): void => { switch (b) { case "x": return; } };': "switch-exhaustiveness-check",
  "// TODO: later\nexport const a = 1;": "no-warning-comments",
  'export * from "./b.ts";': "no-barrel-file",
};

/** Lints the files together. Returns what was found, as `file rule`. */
async function found(files: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
  for (const [name, code] of files) {
    mkdirSync(dirname(join(project, name)), { recursive: true });
    writeFileSync(join(project, name), `${code}\n`);
  }
  const { output } = await said(join(root, "node_modules/.bin/oxlint"), ["--format", "unix", "src"], { cwd: project });
  rmSync(join(project, "src"), { recursive: true });
  return new Set([...output.matchAll(/^(\S+?):\d.*\(([\w-]+)\)\]$/gm)].map(([, file, rule]) => `${file} ${rule}`));
}

/** The rules that are silent where they should speak. */
async function silent(folders: readonly string[], cases: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const all = folders.flatMap((folder) => Object.entries(cases).map(([code, rule], i) => ({ file: `${folder}/case-${i}.ts`, code, rule })));
  const spoken = await found(new Map(all.map(({ file, code }) => [file, code])));
  return all.filter(({ file, rule }) => !spoken.has(`${file} ${rule}`)).map(({ file, code }) => `${file}: ${code}`);
}

describe("the linter", () => {
  test("keeps the world out of the heart", async () => {
    expect(await silent(heart, world)).toEqual([]);
  });

  test("lets the runtime, the models and the doors have the world", async () => {
    const code = "export const a = [Date.now(), Math.random(), setTimeout(() => {}, 1), process.env];";
    expect([...(await found(new Map(["src/runtime.ts", "src/cli/a.ts", "src/models/a.ts", "src/plan/a.test.ts"].map((file) => [file, code]))))]).toEqual([]);
  });

  test("holds the house style", async () => {
    expect(await silent(["src/cli"], everywhere)).toEqual([]);
  });
});
