import { DivvyError } from "../../errors.ts";
import { formatPlan } from "../../plan/format-plan.ts";
import { parsePlan } from "../../plan/given-plan.ts";
import { editedPlan } from "../../plan/plan-decision.ts";
import type { DividedPlan } from "../../subtask.ts";

const howTo = `Edit the plan, save it and leave the editor; you are asked again before anything starts.
A task's id can stand in the "after" of others, separated by commas. "combine" is merge, keep or choose.
What stands in this comment is not read. With nothing else in the file, the plan stays as it was.`;

/** A plan as it is handed to an editor. */
export function planFile(plan: DividedPlan): string {
  return `${comment(howTo)}\n${formatPlan(plan)}\n`;
}

/** The same file with what is wrong at its head: nothing that was written is lost. */
export function withFault(file: string, fault: string): string {
  return `${comment(`${fault}\n\n${howTo}`)}\n${withoutHead(file)}\n`;
}

/**
 * The plan that stands in a file; nothing where it holds none at all.
 *
 * @throws DivvyError `invalid_plan`, saying what is wrong and where
 */
export function planIn(file: string, maxSubtasks: number): DividedPlan | undefined {
  const text = withoutHead(file);
  if (text === "") return undefined;
  const plan = parsePlan(text);
  if (plan.kind === "direct") throw new DivvyError("invalid_plan", "The plan cannot be carried out. It has no subtasks.");
  return editedPlan(plan, maxSubtasks);
}

/** Comments before the plan; those within it are part of it. */
function withoutHead(file: string): string {
  let text = file.trim();
  while (text.startsWith("<!--")) {
    const end = text.indexOf("-->");
    text = end === -1 ? "" : text.slice(end + 3).trim();
  }
  return text;
}

/** Nothing in it can end it. */
function comment(text: string): string {
  return `<!--\n${text.replaceAll("--", "- -").replaceAll(">", "›")}\n-->`;
}
