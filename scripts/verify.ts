/** Everything that has to hold before a change lands, besides the tests. Stops at the first step that fails, and shows what it said. */
import { delimiter, join, resolve } from "node:path";
import { said } from "./shell.ts";

const root = resolve(import.meta.dirname, "..");
const bin = join(root, "node_modules/.bin");
const env = { ...process.env, PATH: [bin, process.env["PATH"]].join(delimiter), NO_COLOR: "1" };

const steps: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
  ["format", "oxfmt", "--check"],
  ["lint", "oxlint"],
  ["arrows", "npm", "run", "--silent", "arrows"],
  ["types", "npm", "run", "--silent", "types"],
  ["sizes", "node", "scripts/verify-sizes.ts"],
  ["build", "tsdown", "--fail-on-warn"],
  ["cli", "node", "scripts/verify-cli.ts"],
  ["knip", "knip"],
  ["publint", "publint", "--strict"],
  ["attw", "node", "scripts/verify-attw.ts"],
  ["imports", "node", "scripts/verify-imports.ts"],
  ["install", "node", "scripts/verify-install.ts"],
];

for (const [name, program, ...args] of steps) {
  const from = performance.now();
  const { ok, output } = await said(program, args, { cwd: root, env });
  console.log(`${ok ? "✔" : "✘"} ${name.padEnd(8)} ${((performance.now() - from) / 1000).toFixed(1).padStart(5)} s`);
  if (!ok) {
    console.log(`\n${output.trimEnd()}`);
    process.exitCode = 1;
    break;
  }
}
