import { isRecord } from "./json.ts";

/** Who does the work of a run. */
export type WorkingRole = "orchestrator" | "worker" | "synthesizer";

/** Who makes a call: one that works, or one that judges the work. */
export type Role = WorkingRole | "evaluator";

/** Which call an attempt belongs to. */
export interface CallRef {
  readonly role: Role;
  /** Set where the call is a subtask's. */
  readonly subtaskId?: string;
  /** Set where calls of one role are made side by side for one purpose: which of them it is. And where one is made on the side, for what. */
  readonly part?: string;
}

/**
 * Is it a call beside the one whose text is shown? A verdict on a result does not void that result; nor do one of several tries at once,
 * the comparison of two results, what shortens results before the answer, and the search for a kept plan.
 */
export function isAside({ role, part }: CallRef): boolean {
  return role === "evaluator" || part !== undefined;
}

/** The `part` of the orchestrator's that asks for a request's vector, to find the plan of an earlier run by it. */
export const lookupPart = "lookup";

/** How workers that are functions are named where models are. */
export const functionModel = "function";

/** A kind of worker that has a `run` is a function. By its value: one that is undefined is not there. */
export function isFunctionKind<Kind>(kind: Kind): kind is Extract<Kind, { readonly run: unknown }> {
  return isRecord(kind) && kind["run"] !== undefined;
}

/** Which call it is, and nothing else of what is known of it. */
export function refOf({ role, subtaskId, part }: CallRef): CallRef {
  return { role, ...(subtaskId !== undefined && { subtaskId }), ...(part !== undefined && { part }) };
}

/** Tells calls of one run apart, over all their attempts. */
export function refName({ role, subtaskId = "", part = "" }: CallRef): string {
  return `${role} ${subtaskId} ${part}`;
}
