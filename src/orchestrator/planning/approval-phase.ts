import { DivvyError, toDivvyError } from "../../errors.ts";
import type { Estimate } from "../../estimate.ts";
import { maxPlanRemarks } from "../../limits.ts";
import { keyOf } from "../../names.ts";
import { withDependants } from "../../plan/dependants.ts";
import type { PlanBuilder } from "../../plan/plan-builder.ts";
import { type Decision, readDecision } from "../../plan/plan-decision.ts";
import type { Planning } from "../../plan/planner.ts";
import { sentence } from "../../sentence.ts";
import type { DividedPlan, Subtask } from "../../subtask.ts";
import type { JobEnd } from "../../work/worker.ts";
import type { PlanEnding } from "../ending/census.ts";
import type { Declined, Past } from "../past/past.ts";
import { planBuilder, tellInstead } from "./plan-phase.ts";
import type { Approval, RunSetup, RunStart } from "../run-setup.ts";

/** A plan as it stands before anything of it starts. */
export interface Proposal {
  readonly planned: PlanEnding;
  readonly builder: PlanBuilder;
  /** What need not be done again, by the key of the subtask's id. */
  readonly kept: RunStart["kept"];
}

export interface ApprovalSteps {
  /** What the run may use in all, if this is carried out. Must not reject. */
  readonly estimate: (builder: PlanBuilder, kept: Proposal["kept"]) => Promise<Estimate>;
  /** Asks the orchestrator for another plan. Must not reject. */
  readonly plan: (setup: RunSetup, builder: PlanBuilder) => Promise<PlanEnding>;
}

/** Who is to be asked before anything starts; nothing where nobody is, or where that was decided in an earlier life. */
export function approvalOf({ approval, start: { past } }: RunSetup): Approval | undefined {
  return past !== undefined && isDecided(past) ? undefined : approval;
}

/** Is nobody asked about its plan any more? It was approved, or has begun without that. */
export function isDecided({ approval, begun }: Past): boolean {
  return approval === "given" || begun.size > 0;
}

/**
 * Has a plan approved: as it is, edited, or another one that is written after a remark. What cannot be asked about is handed back as
 * it is; what may not start, with the reason why. Never rejects.
 */
export async function approvalPhase(setup: RunSetup, approval: Approval, first: Proposal, steps: ApprovalSteps): Promise<Proposal> {
  const { run, signal } = setup;
  const declined: Declined[] = [...(setup.start.past?.declined ?? [])];
  let proposal = first;
  for (;;) {
    const { planned, builder } = proposal;
    if (planned.kind === "direct" || signal.aborted) return proposal;
    // Nobody can approve half a plan; its rest is asked for when the run is resumed. Where that cannot be asked, half a plan stands in the log.
    if (planned.kind === "failed") return builder.planned.length === 0 ? proposal : { ...proposal, planned: refused(planned, planned.error) };
    if (planned.error !== undefined) return { ...proposal, planned: refused(planned, planned.error) };
    const plan = planOf(planned, builder);
    const decision = await decide(setup, approval, plan, await steps.estimate(builder, proposal.kept));
    if (decision.kind === "failed") return signal.aborted ? proposal : { ...proposal, planned: refused(planned, decision.error) };
    if (decision.kind === "rejected") {
      run.emit({ type: "approval.rejected" });
      return { ...proposal, planned: refused(planned, new DivvyError("plan_rejected", "The plan was rejected.")) };
    }
    if (decision.kind === "approved") return await carriedOut(setup, proposal, decision, steps);
    if (declined.length >= maxPlanRemarks) return { ...proposal, planned: refused(planned, tooManyRemarks()) };
    run.emit({ type: "approval.declined", feedback: decision.feedback });
    declined.push({ plan, feedback: decision.feedback });
    const anew: RunSetup = { ...setup, start: { kept: new Map(), declined: [...declined] } };
    const next = planBuilder(anew);
    proposal = { builder: next, planned: await steps.plan(anew, next), kept: anew.start.kept };
  }
}

/** A plan of which nothing may start, and why. */
function refused({ analysis, error }: Exclude<PlanEnding, { readonly kind: "direct" }>, why: DivvyError): PlanEnding {
  return { kind: "subtasks", analysis, ...(error && { error }), refused: why };
}

/** Nothing was decided. */
interface Failure {
  readonly kind: "failed";
  readonly error: DivvyError;
}

/** Asks, and waits. Never rejects: what goes wrong on the way is data. */
async function decide({ run, signal }: RunSetup, { approve, maxSubtasks, rest }: Approval, plan: DividedPlan, estimate: Estimate): Promise<Decision | Failure> {
  const { runId } = run;
  run.emit({ type: "approval.requested", plan, estimate });
  const ask = async (): Promise<Decision | Failure> => {
    let answer: unknown;
    try {
      // A copy: who edits it in place has edited it.
      answer = await approve(structuredClone(plan), estimate, { signal, runId });
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      return { kind: "failed", error: new DivvyError("approval_failed", `\`approvePlan\` failed: ${sentence(why)}`, { cause: thrown }) };
    }
    try {
      return readDecision(answer, plan, maxSubtasks);
    } catch (thrown) {
      return { kind: "failed", error: toDivvyError(thrown) };
    }
  };
  try {
    return await rest(ask);
  } catch (thrown) {
    return { kind: "failed", error: toDivvyError(thrown) };
  }
}

/** The plan that was approved; one that was edited is said in place of the other. */
async function carriedOut(setup: RunSetup, proposal: Proposal, { plan, edited }: Decision & { kind: "approved" }, steps: ApprovalSteps): Promise<Proposal> {
  const { run } = setup;
  if (!edited) {
    run.emit({ type: "approval.given", plan, edited });
    return proposal;
  }
  const kept = stillKept(proposal, plan);
  const edit: RunSetup = { ...setup, start: { plan, kept, samples: proposal.builder.toldSamples } };
  const builder = planBuilder(edit);
  builder.setCombine(plan.combine);
  for (const { dependsOn, ...draft } of plan.subtasks) builder.add({ ...draft, after: dependsOn });
  const planned: Planning & { kind: "subtasks" } = { kind: "subtasks", analysis: plan.analysis };
  const estimate = await steps.estimate(builder, kept);
  // In one go, so that the log never holds the one without the other.
  run.emit({ type: "approval.given", plan: planOf(planned, builder), edited });
  tellInstead(edit, builder, planned, estimate);
  return { planned, builder, kept };
}

/** What need not be done again of a plan that was edited: what is as it was, and builds on nothing else. */
function stillKept({ kept, builder }: Proposal, { subtasks }: DividedPlan): ReadonlyMap<string, JobEnd> {
  const before = new Map(builder.finish().subtasks.map((subtask) => [keyOf(subtask.id), contentOf(subtask)]));
  const still = new Map([...kept].filter(([key]) => subtasks.some((one) => keyOf(one.id) === key && contentOf(one) === before.get(key))));
  const anew = subtasks.map(({ id }) => keyOf(id)).filter((key) => !still.has(key));
  for (const key of withDependants(anew, subtasks)) still.delete(key);
  return still;
}

function contentOf({ type, description, dependsOn }: Subtask): string {
  return JSON.stringify([type, description, dependsOn.map(keyOf)]);
}

function planOf({ analysis }: Planning & { kind: "subtasks" }, builder: PlanBuilder): DividedPlan {
  return { kind: "subtasks", analysis, combine: builder.combine, subtasks: builder.finish().subtasks };
}

function tooManyRemarks(): DivvyError {
  return new DivvyError("approval_failed", `The plan was sent back ${maxPlanRemarks} times, and no other one is asked for.`, {
    hint: "`resume` asks for approval of the last plan again: edit it, or approve it. Or start anew with a task that says more.",
  });
}
