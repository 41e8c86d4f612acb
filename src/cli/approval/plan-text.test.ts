import { expect, test } from "vitest";
import type { DividedPlan } from "../../subtask.ts";
import { OutStream } from "../writing/out-stream.ts";
import { plain } from "../writing/paint.ts";
import { Screen } from "../test-world.ts";
import { planText } from "./plan-text.ts";

function shown(subtasks: number, rows: number, columns = 80): string[] {
  const plan: DividedPlan = {
    kind: "subtasks",
    analysis: "Parts.",
    combine: "keep",
    subtasks: Array.from({ length: subtasks }, (_, n) => ({ id: `part-${n}`, type: "copy", description: "Write it.", dependsOn: [] })),
  };
  const err = new OutStream(new Screen({ isTTY: true, rows, columns }));
  return planText(plan, "about $0.10, at most $2.00", { err, errPaint: plain }).trimEnd().split("\n");
}

test("what it may cost stands above the plan, and below it again where the terminal is too low for both", () => {
  const sum = "Plan: 5 subtasks · keep · about $0.10, at most $2.00";
  expect(shown(5, 50).filter((line) => line === sum)).toHaveLength(1);
  const low = shown(5, 24);
  expect([low[0], low.at(-1)]).toEqual([sum, sum]);
});

test("no line is wider than the terminal", () => {
  expect(Math.max(...shown(30, 24, 30).map(({ length }) => length))).toBeLessThanOrEqual(30);
});
