import type { DivvyError } from "../errors.ts";
import type { Result } from "../outcome.ts";
import type { PlanBuilder } from "../plan/plan-builder.ts";
import type { Planning } from "../plan/planner.ts";
import type { Subtask } from "../subtask.ts";
import type { DoneResult, MissingResult } from "../synthesis/layout.ts";
import type { WorkEnd } from "../work/work.ts";
import type { Tally } from "./tally.ts";

/** How phase one ended. */
export type PlanEnding =
  /** `refused`: nothing of it may start, and why. */
  (Planning & { readonly refused?: DivvyError }) | { readonly kind: "failed"; readonly analysis: string; readonly error: DivvyError };

/** What became of the plan: who is done, what is missing, and why. */
export interface Census {
  readonly subtasks: readonly Subtask[];
  readonly results: readonly Result[];
  readonly done: readonly DoneResult[];
  readonly missing: readonly MissingResult[];
  readonly dropped: number;
  readonly planComplete: boolean;
}

export function takeCensus(builder: PlanBuilder, ends: ReadonlyMap<string, WorkEnd>, planned: PlanEnding, tally: Tally): Census {
  const { subtasks } = builder.finish();
  const results = subtasks.map((subtask) => resultOf(subtask, ends.get(subtask.id), tally));
  const missing = results.flatMap((result) => (result.status === "done" ? [] : [{ id: result.id, type: result.type, why: whyMissing(result, ends) }]));
  return {
    subtasks,
    results,
    done: results.filter((result) => result.status === "done"),
    missing,
    dropped: builder.dropped,
    planComplete: planned.kind === "direct" || (planned.kind === "subtasks" && planned.error === undefined),
  };
}

export function resultOf(subtask: Subtask, end: WorkEnd | undefined, tally: Tally): Result {
  const { id } = subtask;
  const base = { ...subtask, attempts: tally.attemptsOf(id), usage: tally.ofSubtask(id), durationMs: tally.durationOf(id) };
  switch (end?.status) {
    case "done":
      return { ...base, status: "done", result: end.result, ...(end.truncated && { truncated: true }), ...(end.evaluation && { evaluation: end.evaluation }) };
    case "failed":
      return { ...base, status: "failed", error: end.error.toJSON() };
    default:
      return { ...base, status: "skipped", reason: end?.reason ?? "aborted" };
  }
}

function whyMissing(result: Exclude<Result, { status: "done" }>, ends: ReadonlyMap<string, WorkEnd>): string {
  if (result.status === "failed") return result.error.message;
  const end = ends.get(result.id);
  switch (result.reason) {
    case "upstream":
      return `it needs "${end?.status === "skipped" ? end.because : ""}", which is not done`;
    case "timeout":
      return "the run's time was up";
    case "budget":
      return "the run's budget did not allow it";
    case "approval":
      return "the plan was not approved";
    case "aborted":
      return "the run was stopped";
  }
}
