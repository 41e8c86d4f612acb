import type { Combine } from "../../subtask.ts";

/** A subtask as the planner wrote it, before it has a name of its own and known dependencies. */
export interface Draft {
  /** As given; not yet unique. */
  readonly id?: string;
  /** Empty where none was given. */
  readonly type: string;
  readonly description: string;
  /** The names it refers to, as written. */
  readonly after: readonly string[];
}

/** What a reader found, in the order of the text. */
export type PlanItem =
  | { readonly type: "combine"; readonly combine: Combine }
  | { readonly type: "subtask"; readonly draft: Draft }
  /** More of a direct answer. A subtask that follows voids it: a plan that has subtasks is a plan. */
  | { readonly type: "answer"; readonly delta: string };

export interface PlanEnd {
  /** What only the end of the text could decide. */
  readonly items: readonly PlanItem[];
  /**
   * How far the text got. `closed`: the plan or the answer has its closing mark. `open`: it has begun, nothing in it is cut
   * in half, and only a closing mark is missing. `cut`: it ends inside a subtask, or nothing was found.
   */
  readonly state: "closed" | "open" | "cut";
  readonly analysis: string;
}

/**
 * Reads a plan while it is being written. What it finds does not depend on how the text was cut into chunks, and its work
 * is linear in the length of the text, whatever the text. Never throws: any text is a plan, a part of one, or none.
 */
export interface PlanReader {
  push(chunk: string): PlanItem[];
  /** Call once, when the text is over. */
  end(): PlanEnd;
  /** Characters looked at so far. */
  readonly steps: number;
}

/** Several names in one attribute or string. */
export function splitNames(text: string): string[] {
  return text.split(/[\s,;]+/).filter((name) => name !== "");
}

export function asCombine(value: unknown): Combine | undefined {
  const word = typeof value === "string" ? value.trim().toLowerCase() : undefined;
  return word === "merge" || word === "keep" || word === "choose" ? word : undefined;
}
