import { fence } from "../prompt/fence.ts";
import { formatTasks, type PlanFormat } from "./format-plan.ts";
import { formatReminder } from "./orchestrator-prompt.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import { markRule } from "./plan-mark.ts";

/** Asks for the rest of a plan, told by what stands of it, not by what was said: a run that resumes knows no more than that. */
export function completionMessage(builder: PlanBuilder, format: PlanFormat, direct: boolean, mark?: string): string {
  const text = asked(builder, format, direct);
  return mark === undefined ? text : `${text}\n${markRule(format, mark)}`;
}

function asked(builder: PlanBuilder, format: PlanFormat, direct: boolean): string {
  const standing = builder.planned.map(({ subtask }) => subtask);
  if (standing.length === 0) return `Your reply held no complete subtask. ${formatReminder(format, direct)}`;
  // No second analysis: the workers wait while it is written.
  const form = format === "json" ? formatReminder(format, false) : "Reply with <tasks> alone, each task complete with </description> and </task>.";
  const nothing = format === "json" ? 'an empty "subtasks" list' : `<tasks combine="${builder.combine}"></tasks>`;
  return `Your plan broke off. These subtasks are complete and are being carried out:
${fence("tasks", formatTasks(builder.combine, standing))}

Write only the subtasks that are still missing, with new ids; they may come after the ones above. ${form} If nothing is missing, reply with ${nothing}.`;
}
