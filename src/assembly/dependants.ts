import { keyOf } from "../names.ts";
import type { Planned } from "../subtask.ts";

/** Subtasks and all that wait for them, over others or directly, by key. */
export function withDependants(keys: Iterable<string>, planned: readonly Planned[]): Set<string> {
  const found = new Set(keys);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const { subtask } of planned) if (subtask.dependsOn.some((name) => found.has(keyOf(name)))) found.add(keyOf(subtask.id));
  }
  return found;
}
