import { DivvyError } from "../errors.ts";
import { isRecord } from "../json.ts";
import type { DividedPlan, Subtask } from "../subtask.ts";
import { circleIn } from "./circle.ts";
import { givenPlan } from "./given-plan.ts";

/** What somebody decided of a plan. */
export type Decision =
  | { readonly kind: "approved"; readonly plan: DividedPlan; readonly edited: boolean }
  | { readonly kind: "declined"; readonly feedback: string }
  | { readonly kind: "rejected" };

/**
 * What was decided of a plan, by what came back.
 *
 * @param maxSubtasks of a plan that was edited
 * @throws DivvyError `invalid_plan` for an edited plan that cannot be carried out; `approval_failed` for what is no decision
 */
export function readDecision(answer: unknown, asked: DividedPlan, maxSubtasks: number): Decision {
  if (answer === "reject") return { kind: "rejected" };
  if (isRecord(answer) && "feedback" in answer) {
    const { feedback } = answer;
    if (typeof feedback !== "string" || feedback.trim() === "") throw noDecision("a feedback that says nothing");
    return { kind: "declined", feedback: feedback.trim() };
  }
  if (!isRecord(answer))
    throw noDecision(typeof answer === "string" ? `"${answer.slice(0, 40)}"` : answer === null ? "null" : `a value of type ${typeof answer}`);
  if (isSame(answer, asked)) return { kind: "approved", plan: asked, edited: false };
  return { kind: "approved", plan: editedPlan(answer, maxSubtasks), edited: true };
}

/**
 * A plan that somebody has edited, checked as one that is handed in, and for circles.
 *
 * @throws DivvyError `invalid_plan`, saying what is wrong and where
 */
export function editedPlan(input: unknown, maxSubtasks: number): DividedPlan {
  const plan = givenPlan(input, maxSubtasks);
  if (plan.kind === "direct") throw new DivvyError("invalid_plan", "The plan cannot be carried out. It has no subtasks.");
  const circle = circleIn(plan.subtasks);
  if (circle.length === 0) return plan;
  const names = circle.map((id) => `"${id}"`).join(", ");
  throw new DivvyError("invalid_plan", `The plan cannot be carried out. These subtasks wait for each other in a circle: ${names}.`, {
    hint: "Take one of the dependencies out of the plan.",
    evidence: { subtaskIds: circle },
  });
}

function isSame(answer: Readonly<Record<string, unknown>>, { kind, analysis, combine, subtasks }: DividedPlan): boolean {
  const { subtasks: others } = answer;
  if (answer["kind"] !== kind || answer["analysis"] !== analysis || answer["combine"] !== combine || !Array.isArray(others)) return false;
  return others.length === subtasks.length && subtasks.every((subtask, index) => isSameSubtask(others[index], subtask));
}

function isSameSubtask(answer: unknown, { id, type, description, dependsOn }: Subtask): boolean {
  if (!isRecord(answer)) return false;
  const same = answer["id"] === id && answer["type"] === type && answer["description"] === description;
  return same && JSON.stringify(answer["dependsOn"]) === JSON.stringify(dependsOn);
}

function noDecision(what: string): DivvyError {
  return new DivvyError("approval_failed", `\`approvePlan\` gives a plan, { feedback: "..." } or "reject", and gave ${what}.`);
}
