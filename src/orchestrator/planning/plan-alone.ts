import type { Budget } from "../../budget.ts";
import type { Estimate } from "../../estimate.ts";
import type { RunUsage } from "../../outcome.ts";
import type { Notice } from "../../notice.ts";
import { fencing } from "../../prompt/fence.ts";
import type { Plan } from "../../subtask.ts";
import { estimateRun } from "../ahead/estimate-run.ts";
import { planAsCarriedOut, planBuilder, planPhase } from "./plan-phase.ts";
import type { RunSetup } from "../run-setup.ts";
import type { Tally } from "../tally.ts";

/** What phase one alone gives. */
export interface PlanResult {
  readonly plan: Plan;
  /** What was noticed while it was written: subtasks over the limit that are not in it, say. Empty for a plan that was handed in. */
  readonly notices: readonly Notice[];
  readonly usage: RunUsage;
  /** US dollars. Absent where a price is not known. */
  readonly cost?: number;
  /** What carrying it out may use, with what the plan itself has used. Absent for a direct answer, and a plan that was handed in. */
  readonly estimate?: Estimate;
  /** What the plan might use. Absent where it was not bounded, or handed in. */
  readonly budget?: Budget;
}

/** Phase one alone. Rejects with a `DivvyError` where no complete plan could be had. */
export async function planAlone(setup: RunSetup, tally: Tally, budget: Budget | undefined): Promise<PlanResult> {
  const builder = planBuilder(setup);
  const sink = {
    onSubtask: () => undefined,
    onCombine: () => undefined,
    onAnswer: () => undefined,
    mayRestartAnswer: () => true,
    restartAnswer: () => undefined,
  };
  // Carried out, it is a plan that is handed in, which has no further round.
  const carriedOut = { ...setup, options: { ...setup.options, rounds: 1 } };
  const ending = await planPhase({ setup, builder, fence: fencing(), sink, estimate: () => estimateRun(carriedOut, tally, builder, new Map()) });
  const plan = planAsCarriedOut(ending, builder);
  if (ending.kind !== "direct" && ending.error !== undefined) throw ending.error;
  if (plan === undefined) throw new Error("A plan phase that did not fail gave no plan.");
  const { notices, usage, cost, estimate } = tally;
  return { plan, notices, usage, ...(cost !== undefined && { cost }), ...(estimate && { estimate }), ...(budget && { budget }) };
}
