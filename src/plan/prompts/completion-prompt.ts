import { fence } from "../../prompt/fence.ts";
import { formatTasks, type PlanFormat } from "../format-plan.ts";
import { formatReminder } from "./orchestrator-prompt.ts";
import type { PlanBuilder } from "../plan-builder.ts";
import { markRule } from "./plan-mark.ts";

/** Asks for the rest of a plan, told by what stands of it, not by what was said: a run that resumes knows no more than that. */
export function completionMessage(builder: PlanBuilder, format: PlanFormat, direct: boolean, mark?: string): string {
  const text = asked(builder, format, direct);
  return mark === undefined ? text : `${text}\n${markRule(format, mark)}`;
}

function asked(builder: PlanBuilder, format: PlanFormat, direct: boolean): string {
  // Of earlier rounds it was shown more than that they stand.
  const standing = builder.planned.filter(({ round = 1 }) => round === builder.round).map(({ subtask }) => subtask);
  const nothing = format === "json" ? 'an empty "subtasks" list' : `<tasks combine="${builder.combine}"></tasks>`;
  if (standing.length === 0) {
    const asked = `Your reply held no complete subtask. ${formatReminder(format, direct)}`;
    return builder.round === 1 ? asked : `${asked} If nothing is missing, reply with ${nothing}.`;
  }
  // No second analysis: the workers wait while it is written.
  const form = format === "json" ? formatReminder(format, false) : "Reply with <tasks> alone, each task complete with </description> and </task>.";
  return `Your plan broke off. These subtasks are complete and are being carried out:
${fence("tasks", formatTasks(builder.combine, standing))}

Write only the subtasks that are still missing, with new ids; they may come after the ones above. ${form} If nothing is missing, reply with ${nothing}.`;
}
