import type { DivvyError } from "../../errors.ts";
import type { Result } from "../../outcome.ts";
import type { PlanBuilder } from "../../plan/plan-builder.ts";
import type { Planning } from "../../plan/planner.ts";
import type { Subtask } from "../../subtask.ts";
import type { DoneResult, MissingResult } from "../../synthesis/layout.ts";
import type { WorkEnd } from "../../work/work.ts";
import type { Tally } from "../tally.ts";

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

export function takeCensus(
  builder: PlanBuilder,
  ends: ReadonlyMap<string, WorkEnd>,
  planned: PlanEnding,
  tally: Tally,
  kindOf: (type: string) => string,
): Census {
  const { subtasks } = builder.finish();
  const results = subtasks.map((subtask) => resultOf(subtask, ends.get(subtask.id), tally, kindOf(subtask.type)));
  const missing = subtasks.flatMap(({ id, type }) => {
    const end = ends.get(id);
    return end?.status === "done" ? [] : [{ id, type, why: whyMissing(end) }];
  });
  return {
    subtasks,
    results,
    done: results.filter((result) => result.status === "done"),
    missing,
    dropped: builder.dropped,
    planComplete: planned.kind === "direct" || (planned.kind === "subtasks" && planned.error === undefined),
  };
}

export function resultOf(subtask: Subtask, end: WorkEnd | undefined, tally: Tally, kind: string): Result {
  const { id } = subtask;
  const base = { ...subtask, kind, attempts: tally.attemptsOf(id), usage: tally.ofSubtask(id), durationMs: tally.durationOf(id) };
  switch (end?.status) {
    case "done":
      return {
        ...base,
        status: "done",
        result: end.result,
        ...(end.output && { output: end.output.value }),
        ...(end.truncated && { truncated: true }),
        ...(end.evaluation && { evaluation: end.evaluation }),
        ...(end.chosen && { chosen: end.chosen }),
      };
    case "failed":
      return { ...base, status: "failed", error: end.error.toJSON() };
    default:
      return { ...base, status: "skipped", reason: end?.reason ?? "aborted" };
  }
}

/** Why a subtask has no result. */
export function whyMissing(end: Exclude<WorkEnd, { status: "done" }> | undefined): string {
  if (end?.status === "failed") return end.error.message;
  switch (end?.reason) {
    case "upstream":
      return `it needs "${end.because}", which is not done`;
    case "timeout":
      return "the run's time was up";
    case "budget":
      return "the run's budget did not allow it";
    case "approval":
      return "the plan was not approved";
    default:
      return "the run was stopped";
  }
}
