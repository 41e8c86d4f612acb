import { keyOf } from "../names.ts";
import type { DividedPlan, Subtask } from "../subtask.ts";

/** Changes of a plan, each by itself. They give a new plan, which is not checked. An id that the plan does not have changes nothing. */

/** One more, at the end. Without an id it is given one, made from its type, when the plan is checked. */
export function withSubtask(plan: DividedPlan, subtask: Omit<Subtask, "id">): DividedPlan {
  return { ...plan, subtasks: [...plan.subtasks, { id: "", ...subtask }] };
}

/** Without one; whoever waited for it waits for it no longer. */
export function withoutSubtask(plan: DividedPlan, id: string): DividedPlan {
  const key = keyOf(id);
  const left = plan.subtasks.filter((subtask) => keyOf(subtask.id) !== key);
  return { ...plan, subtasks: left.map((subtask) => ({ ...subtask, dependsOn: subtask.dependsOn.filter((name) => keyOf(name) !== key) })) };
}

/** One is of another type, and so of another kind of worker. */
export function withType(plan: DividedPlan, id: string, type: string): DividedPlan {
  return changed(plan, id, { type });
}

/** One waits for these, and for no others. */
export function withDependencies(plan: DividedPlan, id: string, dependsOn: readonly string[]): DividedPlan {
  return changed(plan, id, { dependsOn });
}

function changed(plan: DividedPlan, id: string, change: Partial<Subtask>): DividedPlan {
  return { ...plan, subtasks: plan.subtasks.map((subtask) => (keyOf(subtask.id) === keyOf(id) ? { ...subtask, ...change } : subtask)) };
}
