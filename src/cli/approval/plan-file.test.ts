import { expect, test } from "vitest";
import { givenPlan } from "../../plan/given-plan.ts";
import type { DividedPlan } from "../../subtask.ts";
import { planFile, planIn, withFault } from "./plan-file.ts";

const plan: DividedPlan = {
  kind: "subtasks",
  analysis: "With <tags> & all.",
  combine: "merge",
  subtasks: [
    { id: "a", type: "t", description: "Write <!-- a comment --> into the <description>.", dependsOn: [] },
    { id: "b", type: "u v", description: "Two\n\nparagraphs.", dependsOn: ["a"] },
  ],
};

test("a plan comes back from its file as it went in, whatever stands in it", () => {
  expect(planIn(planFile(plan), 10)).toEqual(givenPlan(plan));
});

test("what is wrong stands at the head of the file once, in place of what stood there before, and is not read", () => {
  const file = withFault(withFault(planFile(plan), 'It said "-->" and <task>'), "Something else.");
  expect(file).toMatch(/^<!--\nSomething else\.\n\nEdit the plan/);
  expect(file).not.toContain("It said");
  expect(planIn(file, 10)).toEqual(givenPlan(plan));
});

test("a file with nothing but comments in it holds no plan", () => {
  expect(planIn("<!-- a --> \n<!-- b -->\n", 10)).toBeUndefined();
  expect(planIn(" \n", 10)).toBeUndefined();
});

test.each([
  ["is cut off", '<tasks><task id="a"><description>A.</description></task><task id="b"><des', "breaks off"],
  ["is a direct answer", "<answer>Me.</answer>", "no subtasks"],
  ["has a circle", '<tasks><task id="a" after="a"><description>A.</description></task></tasks>', "circle"],
  ["is prose", "Certainly!", "no complete subtask"],
])("a file whose plan %s is refused with what is wrong", (_, file, why) => {
  expect(() => planIn(file, 10)).toThrow(expect.objectContaining({ code: "invalid_plan", message: expect.stringContaining(why) }));
});
