import { keyOf } from "../names.ts";
import type { Subtask } from "../subtask.ts";

/** Subtasks and all that wait for them, over others or directly, by key. */
export function withDependants(keys: Iterable<string>, subtasks: readonly Pick<Subtask, "id" | "dependsOn">[]): Set<string> {
  const found = new Set(keys);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const { id, dependsOn } of subtasks) if (dependsOn.some((name) => found.has(keyOf(name)))) found.add(keyOf(id));
  }
  return found;
}
