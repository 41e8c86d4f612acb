import { keyOf } from "../names.ts";
import type { Subtask } from "../subtask.ts";

/** Ids of subtasks that wait for each other in a circle; empty where none do. Names that nobody has are waited for by nobody. */
export function circleIn(subtasks: readonly Subtask[]): readonly string[] {
  const needs = new Map(subtasks.map(({ id, dependsOn }) => [keyOf(id), new Set(dependsOn.map(keyOf))]));
  const wanted = (key: string): boolean => [...needs.values()].some((others) => others.has(key));
  // Who waits for nobody that is left is in no circle, nor who is waited for by nobody.
  for (let before = -1; before !== needs.size;) {
    before = needs.size;
    for (const [key, others] of needs) if (![...others].some((other) => needs.has(other)) || !wanted(key)) needs.delete(key);
  }
  return subtasks.flatMap(({ id }) => (needs.has(keyOf(id)) ? [id] : []));
}
