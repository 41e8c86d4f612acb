import type { Planned } from "../../subtask.ts";
import type { PlanFormat } from "../format-plan.ts";
import { newReader } from "./new-reader.ts";
import type { PlanBuilder } from "../plan-builder.ts";

/**
 * The subtasks that a reply adds to what stands or puts in the place of some of it, read as it was when it came.
 *
 * @param number that of the question which it answers
 * @param mark what the planner was asked to write into it, if anything
 */
export function readAgain(standing: PlanBuilder, format: PlanFormat, number: number, reply: string, mark?: string): readonly Planned[] {
  const builder = standing.copy();
  const added: Planned[] = [];
  const reader = newReader(format, mark);
  for (const item of [...reader.push(reply), ...reader.end().items]) {
    if (item.type === "combine") builder.setCombine(item.combine);
    if (item.type !== "subtask" || (number > 0 && builder.stands(item.draft))) continue;
    const planned = builder.add(item.draft);
    if (planned !== undefined) added.push(planned);
  }
  return added;
}
