import { DivvyError } from "../errors.ts";
import { isRecord } from "../json.ts";
import { keyOf } from "../names.ts";
import { count } from "../quantity.ts";
import type { Plan, Subtask } from "../subtask.ts";
import { jsonPlanReader } from "./reading/json-reader.ts";
import { PlanBuilder } from "./plan-builder.ts";
import { asCombine, type PlanReader } from "./reading/reader.ts";
import { xmlPlanReader } from "./reading/xml-reader.ts";

/**
 * A plan that somebody hands in, checked and completed: types and ids where they are missing. Nothing of it is left out: what
 * is too large is refused.
 *
 * @throws DivvyError `invalid_plan`, saying what is wrong and where
 */
export function givenPlan(input: unknown, maxSubtasks: number = Number.POSITIVE_INFINITY): Plan {
  if (!isRecord(input)) throw invalidPlan("A plan is an object with subtasks.");
  const analysis = optionalText(input["analysis"], "analysis");
  if (input["kind"] === "direct") {
    const answer = input["answer"];
    if (typeof answer !== "string" || answer.trim() === "") throw invalidPlan("A direct answer has no text.");
    return { kind: "direct", analysis, answer };
  }
  const combine = input["combine"] === undefined ? "keep" : asCombine(input["combine"]);
  if (combine === undefined) throw invalidPlan("`combine` must be one of merge, keep, choose.");
  const { subtasks } = input;
  if (!Array.isArray(subtasks) || subtasks.length === 0) throw invalidPlan("It has no subtasks.");
  if (subtasks.length > maxSubtasks) {
    throw invalidPlan(`It has ${subtasks.length} subtasks, and a run may have ${maxSubtasks} workers.`, "Take some out, or allow more by `limits.workers`.");
  }

  const builder = new PlanBuilder();
  for (const [index, subtask] of subtasks.entries()) {
    const { id, ...draft } = draftOf(subtask, index);
    const planned = builder.add({ ...draft, ...(id !== "" && { id }) });
    if (id !== "" && planned?.subtask.id !== id) {
      throw invalidPlan(`The id "${id}" of subtask ${index + 1} is taken, or has characters other than letters, digits, ".", "_" and "-".`);
    }
  }
  const keys = new Set(builder.planned.map((planned) => keyOf(planned.subtask.id)));
  for (const { subtask } of builder.planned) {
    const unknown = subtask.dependsOn.find((name) => !keys.has(keyOf(name)));
    if (unknown !== undefined) throw invalidPlan(`"${subtask.id}" depends on "${unknown}", which is not in the plan.`);
  }
  return { kind: "subtasks", analysis, combine, subtasks: builder.finish().subtasks };
}

/**
 * One subtask that somebody hands in, checked and completed. What it depends on is not looked for.
 *
 * @throws DivvyError `invalid_plan`
 */
export function givenSubtask(input: unknown): Subtask {
  const { id, ...draft } = draftOf(input, 0);
  const planned = new PlanBuilder().add({ ...draft, ...(id !== "" && { id }) });
  if (planned === undefined) throw invalidPlan("There is no subtask.");
  return planned.subtask;
}

/**
 * The plan in a text, in the form in which the orchestrator writes it: XML, or JSON, with anything around it.
 *
 * @throws DivvyError `invalid_plan` where there is none, or where it is cut off
 */
export function parsePlan(text: string): Plan {
  const newReaders = /^\s*[{[]/.test(text) ? [jsonPlanReader, xmlPlanReader] : [xmlPlanReader, jsonPlanReader];
  for (const newReader of newReaders) {
    const { subtasks, combine, analysis, answer, state } = read(newReader(), text);
    if (subtasks.length > 0) {
      if (state === "cut") throw invalidPlan(`It breaks off after ${count(subtasks.length, "subtask")}.`);
      return givenPlan({ analysis, combine, subtasks });
    }
    if (answer === "") continue;
    if (state !== "closed") throw invalidPlan("Its answer breaks off.");
    return { kind: "direct", analysis, answer };
  }
  throw invalidPlan("There is no complete subtask in this text.");
}

/**
 * The subtasks in the pattern's XML, in order; ids are made where they are missing. Tolerant as the plan reader is: what is cut
 * off at the end is left out, and text without a task gives an empty list.
 */
export function parseTasks(xml: string): Subtask[] {
  const builder = new PlanBuilder();
  const reader = xmlPlanReader();
  for (const item of [...reader.push(xml), ...reader.end().items]) if (item.type === "subtask") builder.add(item.draft);
  return builder.finish().subtasks;
}

interface Read {
  readonly subtasks: readonly unknown[];
  readonly combine: string;
  readonly analysis: string;
  readonly answer: string;
  readonly state: ReturnType<PlanReader["end"]>["state"];
}

function read(reader: PlanReader, text: string): Read {
  const subtasks: unknown[] = [];
  let combine = "keep";
  let answer = "";
  const first = reader.push(text);
  const end = reader.end();
  for (const item of [...first, ...end.items]) {
    if (item.type === "combine") combine = item.combine;
    else if (item.type === "answer") answer += item.delta;
    else subtasks.push({ ...item.draft, dependsOn: item.draft.after });
  }
  return { subtasks, combine, analysis: end.analysis, answer, state: end.state };
}

function draftOf(subtask: unknown, index: number): { id: string; type: string; description: string; after: string[] } {
  const where = `Subtask ${index + 1}`;
  if (!isRecord(subtask)) throw invalidPlan(`${where} is not an object.`);
  const description = optionalText(subtask["description"], `${where}: description`).trim();
  if (description === "") throw invalidPlan(`${where} has no description.`);
  const after = subtask["dependsOn"] ?? [];
  if (!Array.isArray(after) || !after.every((name) => typeof name === "string")) throw invalidPlan(`${where}: dependsOn must be a list of ids.`);
  return { id: optionalText(subtask["id"], `${where}: id`), type: optionalText(subtask["type"], `${where}: type`), description, after };
}

function optionalText(value: unknown, what: string): string {
  if (value === undefined) return "";
  if (typeof value !== "string") throw invalidPlan(`${what} must be a text.`);
  return value;
}

function invalidPlan(message: string, hint?: string): DivvyError {
  return new DivvyError("invalid_plan", `The plan cannot be carried out. ${message}`, hint === undefined ? {} : { hint });
}
