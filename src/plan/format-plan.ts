import type { Combine, Plan, Subtask } from "../subtask.ts";

export type PlanFormat = "xml" | "json";

/** Text that the reader would take for a tag, an entity or a CDATA section. */
const needsEscape = /<\/?(?:analysis|think|thinking|tasks|task|type|description|id|after|answer)\b|&(?:#|lt;|gt;|amp;|quot;|apos;)|<!\[CDATA\[/i;

function escaped(text: string): string {
  return needsEscape.test(text) ? text.replaceAll("&", "&amp;").replaceAll("<", "&lt;") : text;
}

/** A plan in the form in which the orchestrator writes it; reading it gives the same plan. */
export function formatPlan(plan: Plan, format: PlanFormat = "xml"): string {
  if (format === "json") return JSON.stringify(asJson(plan), null, 2);
  const analysis = plan.analysis === "" ? "" : `<analysis>${escaped(plan.analysis)}</analysis>\n`;
  if (plan.kind === "direct") return `${analysis}<answer>\n${plan.answer}\n</answer>`;
  return `${analysis}${formatTasks(plan.combine, plan.subtasks)}`;
}

export function formatTasks(combine: Combine, subtasks: readonly Subtask[]): string {
  const tasks = subtasks.map(({ id, type, description, dependsOn }) => {
    const after = dependsOn.length === 0 ? "" : ` after="${dependsOn.join(",")}"`;
    return `<task id="${id}"${after}>\n<type>${escaped(type)}</type>\n<description>${escaped(description)}</description>\n</task>`;
  });
  return [`<tasks combine="${combine}">`, ...tasks, "</tasks>"].join("\n");
}

function asJson(plan: Plan): unknown {
  if (plan.kind === "direct") return { analysis: plan.analysis, answer: plan.answer, combine: "keep", subtasks: [] };
  const subtasks = plan.subtasks.map(({ id, type, description, dependsOn }) => ({ id, type, description, after: dependsOn }));
  return { analysis: plan.analysis, answer: "", combine: plan.combine, subtasks };
}
