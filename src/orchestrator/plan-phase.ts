import { toDivvyError } from "../errors.ts";
import { PlanBuilder } from "../plan/plan-builder.ts";
import { planRequest, type PlanSink } from "../plan/planner.ts";
import type { Fence } from "../prompt/fence.ts";
import type { Plan } from "../subtask.ts";
import type { PlanEnding } from "./census.ts";
import { orchestratorMessages } from "./orchestrator-messages.ts";
import type { RunSetup } from "./run-setup.ts";

/** A plan that was given is carried out whole: its size was looked at when it came in. */
export function planBuilder({ plan, options: { maxSubtasks, combine } }: RunSetup): PlanBuilder {
  return new PlanBuilder({ maxSubtasks: plan === undefined ? maxSubtasks : Number.POSITIVE_INFINITY, combine: combine === "none" ? undefined : combine });
}

/**
 * Phase one: takes the plan that was given, or has one written. Each subtask goes to the sink the moment it stands, after the
 * event that says so. Never rejects.
 */
export async function planPhase(setup: RunSetup, builder: PlanBuilder, fence: Fence, sink: PlanSink): Promise<PlanEnding> {
  const { run, plan } = setup;
  const told: PlanSink = {
    ...sink,
    onSubtask: (planned) => {
      run.emit({ type: "subtask.planned", ...planned });
      sink.onSubtask(planned);
    },
  };
  run.emit({ type: "plan.started", given: plan !== undefined });
  const ending = plan === undefined ? await askForPlan(setup, builder, fence, told) : takePlan(plan, builder, told);
  tell(setup, builder, ending);
  return ending;
}

function takePlan(plan: Plan, builder: PlanBuilder, sink: PlanSink): PlanEnding {
  if (plan.kind === "direct") {
    sink.onAnswer(plan.answer);
    return plan;
  }
  builder.setCombine(plan.combine);
  for (const { dependsOn, ...draft } of plan.subtasks) {
    const planned = builder.add({ ...draft, after: dependsOn });
    if (planned !== undefined) sink.onSubtask(planned);
  }
  return { kind: "subtasks", analysis: plan.analysis };
}

async function askForPlan(setup: RunSetup, builder: PlanBuilder, fence: Fence, sink: PlanSink): Promise<PlanEnding> {
  const { roles, options, calls, run, signal } = setup;
  const { model, settings, rules, formatOptions } = roles.orchestrator;
  try {
    return await planRequest({
      calls,
      run,
      signal,
      model,
      settings,
      formatOptions,
      rules,
      messages: orchestratorMessages(setup, fence),
      format: options.planFormat,
      direct: options.direct,
      completions: options.planCompletions,
      builder,
      sink,
    });
  } catch (thrown) {
    return { kind: "failed", analysis: "", error: toDivvyError(thrown) };
  }
}

function tell({ run }: RunSetup, builder: PlanBuilder, ending: PlanEnding): void {
  if (ending.kind === "direct") return run.emit({ type: "plan.answered", analysis: ending.analysis });
  if (ending.error !== undefined) run.emit({ type: "plan.failed", error: ending.error.toJSON() });
  if (ending.kind === "failed") return;
  for (const notice of builder.finish().notices) run.emit({ type: "run.noticed", notice });
  const complete = ending.error === undefined;
  run.emit({ type: "plan.finished", analysis: ending.analysis, combine: builder.combine, subtasks: builder.planned.length, complete });
}

/** The plan as it was carried out; nothing where there was none. */
export function planAsCarriedOut(planned: PlanEnding, builder: PlanBuilder): Plan | undefined {
  if (planned.kind === "direct") return planned;
  if (builder.planned.length === 0) return undefined;
  return { kind: "subtasks", analysis: planned.analysis, combine: builder.combine, subtasks: builder.finish().subtasks };
}
