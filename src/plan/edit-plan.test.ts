import { expect, test } from "vitest";
import type { DividedPlan } from "../subtask.ts";
import { withDependencies, withoutSubtask, withSubtask, withType } from "./edit-plan.ts";
import { editedPlan } from "./plan-decision.ts";

const plan: DividedPlan = {
  kind: "subtasks",
  analysis: "Parts.",
  combine: "keep",
  subtasks: [
    { id: "a", type: "t", description: "Do a.", dependsOn: [] },
    { id: "b", type: "t", description: "Do b.", dependsOn: ["A"] },
  ],
};

test("a subtask that is added stands at the end, and has an id when the plan is checked", () => {
  const more = withSubtask(plan, { type: "shop", description: "Do c.", dependsOn: ["b"] });
  const inputs = more.subtasks.map(({ id, ...subtask }) => ({ ...subtask, ...(id !== "" && { id }) }));
  expect(editedPlan({ ...more, subtasks: inputs }, 10).subtasks.map(({ id }) => id)).toEqual(["a", "b", "shop"]);
});

test("a subtask that is removed is waited for by nobody any more, in whatever letters it was named", () => {
  expect(withoutSubtask(plan, "a")).toEqual({ ...plan, subtasks: [{ id: "b", type: "t", description: "Do b.", dependsOn: [] }] });
});

test("a type and what a subtask waits for are changed of that one alone; the plan that was given stays as it is", () => {
  const before = structuredClone(plan);
  expect(withType(plan, "b", "u").subtasks.map(({ type }) => type)).toEqual(["t", "u"]);
  expect(withDependencies(plan, "b", []).subtasks.map(({ dependsOn }) => dependsOn)).toEqual([[], []]);
  expect(withType(plan, "nobody", "u")).toEqual(plan);
  expect(plan).toEqual(before);
});
