import { expect, test } from "vitest";
import { cli } from "../test-world.ts";

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
