import { addSpend, type Estimate } from "../../estimate.ts";
import type { PlanBuilder } from "../../plan/plan-builder.ts";
import type { WorkEnd } from "../../work/work.ts";
import { estimateAhead } from "./estimate-ahead.ts";
import { looksLeft } from "../planning/rounds.ts";
import { modelKindFor, type RunSetup } from "../run-setup.ts";
import type { Tally } from "../tally.ts";

/** What a run may use in all, once its plan is known: what it has used so far, and the rest. */
export async function estimateRun(setup: RunSetup, tally: Tally, builder: PlanBuilder, ends: ReadonlyMap<string, WorkEnd>): Promise<Estimate> {
  const subtasks = builder.planned.map(({ subtask }) => subtask);
  const done = subtasks.flatMap((subtask) => {
    const end = ends.get(subtask.id);
    return end?.status === "done" ? [{ ...subtask, result: end.result }] : [];
  });
  const left = subtasks.filter(({ id }) => !ends.has(id));
  const triesOf = (type: string): number => modelKindFor(setup.roles, type)?.sampling?.count ?? 1;
  const begun = left.reduce((sum, { id, type }) => sum + (tally.isCalled(id) ? Math.min(tally.attemptsOf(id), triesOf(type)) : 0), 0);
  // A call that is on its way has used nothing yet.
  const spent = { ...tally.spent, calls: tally.spent.calls - begun };
  const ahead = await estimateAhead(setup, {
    plan: false,
    looks: looksLeft(setup, builder),
    subtasks: left,
    done,
    combine: setup.options.combine ?? builder.combine,
  });
  return { expected: addSpend(spent, ahead.expected), worst: addSpend(spent, ahead.worst) };
}
