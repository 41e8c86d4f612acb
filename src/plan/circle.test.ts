import fc from "fast-check";
import { expect, test } from "vitest";
import type { Subtask } from "../subtask.ts";
import { ReadySet } from "../work/ready-set.ts";
import { circleIn } from "./circle.ts";

const subtask = (id: string, ...dependsOn: string[]): Subtask => ({ id, type: "t", description: "d", dependsOn });

test("those in a circle are named, and neither who waits for them nor whom they wait for", () => {
  expect(circleIn([subtask("before"), subtask("a", "b", "before"), subtask("b", "A"), subtask("after", "a"), subtask("self", "self")])).toEqual([
    "a",
    "b",
    "self",
  ]);
  expect(circleIn([subtask("a", "nobody"), subtask("b", "a")])).toEqual([]);
});

test("it names whom the ready-set would find when the plan is over", () => {
  const ids = ["a", "b", "c", "d", "e"];
  const plans = fc.tuple(...ids.map((id) => fc.uniqueArray(fc.constantFrom(...ids), { maxLength: 2 }).map((dependsOn) => subtask(id, ...dependsOn))));
  fc.assert(
    fc.property(plans, (subtasks) => {
      const readySet = new ReadySet();
      for (const [ordinal, one] of subtasks.entries()) readySet.add({ subtask: one, ordinal, sample: 0 });
      expect([...circleIn(subtasks)].toSorted()).toEqual(
        readySet
          .close()
          .cycle.map(({ subtask: { id } }) => id)
          .toSorted(),
      );
    }),
  );
});
