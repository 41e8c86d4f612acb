import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { cli } from "../test-world.ts";
import { adviceAsTyped } from "./usage-error.ts";

test.each([
  [["t", "--evaluate", "x", "--tries", "0"], "--tries: must be a whole number from 1"],
  [["t", "--evaluate-answer", "x", "--tries", "0"], "--tries: must be a whole number from 1"],
  [["t", "--evaluate", "x", "--evaluator", " "], "--evaluator: must be a text"],
  [["t", "--window", "1"], "--window: must be a whole number from 2000"],
  [["compare", "t", "--window", "1"], "--window: must be a whole number from 2000"],
  [["compare", "t", "--max-subtasks", "0"], "--max-subtasks: must be a whole number from 1"],
  [["compare", "t", "--n", "0"], "--n: must be a whole number from 1"],
])("%j is answered in the words that were typed, not in those of the options", async (argv, message) => {
  const { code, stderr } = await cli([...argv, "-q"], { env: { ANTHROPIC_API_KEY: "sk-test" } });
  expect(code).toBe(2);
  expect(stderr).toContain(`divvy: ${message}`);
  expect(stderr).not.toContain("options.");
});

test("advice names flags and commands in place of options and methods; what the terminal has none for stays", () => {
  expect(adviceAsTyped("Allow more by `limits.workers` or `limits.rounds`, raise `contextTokens`, pass `acceptChanges`, leave `output` out.")).toBe(
    "Allow more by --max-subtasks or --rounds, raise --window, pass --accept-changes, leave --output-schema out.",
  );
  expect(adviceAsTyped("`resume` asks again, `rerun` does it anew.")).toBe("`divvy resume` asks again, `divvy rerun` does it anew.");
  expect(adviceAsTyped("Type `divvy models`, or say `idempotent: true` of its `kind`.")).toBe("Type `divvy models`, or say `idempotent: true` of its `kind`.");
});

test("a plan that is larger than a run may be says which flag allows it", async () => {
  const plan = `<tasks>${Array.from({ length: 101 }, (_, n) => `<task id="t${n}"><type>a</type><description>Do ${n}.</description></task>`).join("")}</tasks>`;
  const { code, stderr } = await cli(["run", "t", "--plan", "-"], { env: { ANTHROPIC_API_KEY: "sk-test" }, stdin: Readable.from([plan]) });
  expect(code).toBe(2);
  expect(stderr).toContain("It has 101 subtasks, and a run may have 100 workers.\n  Take some out, or allow more by --max-subtasks.");
});
