import { toDivvyError } from "../errors.ts";
import type { Estimate } from "../estimate.ts";
import { PlanBuilder } from "../plan/plan-builder.ts";
import { count } from "../quantity.ts";
import type { Notice } from "../notice.ts";
import { type Planner, type Planning, planRequest, type PlanSink, withNote } from "../plan/planner.ts";
import { remarksMessage } from "../plan/remarks-prompt.ts";
import type { Fence } from "../prompt/fence.ts";
import type { Plan, Planned } from "../subtask.ts";
import { keyOf } from "../names.ts";
import { endOf } from "../work/work.ts";
import type { PlanEnding } from "./census.ts";
import { orchestratorMessages, planMarks } from "./orchestrator-messages.ts";
import type { Past } from "./past.ts";
import { whereToGoOn } from "./plan-resumed.ts";
import type { RunSetup } from "./run-setup.ts";

/** What the run may use, once the plan is known. Must not reject. */
type Estimating = () => Promise<Estimate>;

/** A plan that was given is carried out whole: its size was looked at when it came in. */
export function planBuilder({ plan, past, options: { maxSubtasks, combine } }: RunSetup): PlanBuilder {
  const isGiven = plan !== undefined || past?.given !== undefined;
  return new PlanBuilder({ maxSubtasks: isGiven ? Number.POSITIVE_INFINITY : maxSubtasks, combine: combine === "none" ? undefined : combine });
}

/**
 * Phase one: takes the plan that was given, or has one written. Each subtask goes to the sink the moment it stands, after the
 * event that says so. Never rejects.
 */
export async function planPhase(setup: RunSetup, builder: PlanBuilder, fence: Fence, sink: PlanSink, estimate: Estimating): Promise<PlanEnding> {
  const { run, past } = setup;
  const plan = setup.plan ?? past?.given;
  const told: PlanSink = {
    ...sink,
    // What the log holds is not said again, and stands as it was said.
    onSubtask: (planned) => sink.onSubtask(past?.planned[planned.ordinal] ?? tellSubtask(setup, planned)),
    onCombine: (combine) => {
      run.emit({ type: "plan.opened", combine });
      sink.onCombine(combine);
    },
  };
  if (past?.plan === "complete" && plan === undefined) return takePast(past, builder, told);
  run.emit({ type: "plan.started", given: plan !== undefined, ...(plan && { plan }) });
  const ending = plan === undefined ? await askForPlan(setup, builder, fence, told) : takePlan(plan, builder, told);
  // What the log holds stands, however far it was read this time.
  const unread = past?.planned.slice(builder.planned.length) ?? [];
  builder.restore(unread, Math.max(builder.dropped, past?.dropped ?? 0));
  for (const standing of unread) told.onSubtask(standing);
  await tell(setup, builder, ending, estimate);
  return ending;
}

function tellSubtask({ run, kept, samples }: RunSetup, planned: Planned): Planned {
  const key = keyOf(planned.subtask.id);
  const told = { ...planned, sample: samples?.get(key) ?? planned.sample };
  run.emit({ type: "subtask.planned", ...told });
  const end = kept.get(key);
  if (end !== undefined) run.emit(endOf(planned.subtask.id, end));
  return told;
}

/** A plan that was complete is in the log, whole. */
function takePast({ planned, combine, dropped, analysis }: Past, builder: PlanBuilder, sink: PlanSink): PlanEnding {
  builder.setCombine(combine);
  builder.restore(planned, dropped);
  for (const one of planned) sink.onSubtask(one);
  return { kind: "subtasks", analysis };
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

/** More than any plan has questions: so the questions for one plan are none of those for the next. */
const samplesApart = 1_000;

async function askForPlan(setup: RunSetup, builder: PlanBuilder, fence: Fence, sink: PlanSink): Promise<PlanEnding> {
  const { roles, options, calls, run, signal, past } = setup;
  const { model, settings, rules, formatOptions } = roles.orchestrator;
  try {
    const declined = setup.declined ?? past?.declined ?? [];
    const first = orchestratorMessages(setup, fence);
    const marks = planMarks(setup, first);
    const note = remarksMessage(declined, options.planFormat, options.direct, marks[options.planFormat]);
    const messages = note === undefined ? first : withNote(first, note);
    const planner: Planner = {
      calls,
      run,
      signal,
      model,
      settings,
      formatOptions,
      rules,
      messages,
      marks,
      sample: declined.length * samplesApart,
      format: options.planFormat,
      direct: options.direct,
      completions: options.planCompletions,
      builder,
      sink,
    };
    if (past === undefined) return await planRequest(planner);
    const from = await whereToGoOn(planner, past, setup.recorded);
    for (const standing of builder.planned) sink.onSubtask(standing);
    return await planRequest({ ...planner, from });
  } catch (thrown) {
    return { kind: "failed", analysis: "", error: toDivvyError(thrown) };
  }
}

/** Where the kinds are described, they are what the orchestrator was to choose among. */
function unknownKinds({ roles }: RunSetup, { planned }: PlanBuilder): readonly Notice[] {
  if (roles.kinds.every(({ description }) => description === undefined)) return [];
  const known = new Set(["default", ...roles.kinds.map(({ type }) => type)].map(keyOf));
  const others = planned.filter(({ subtask }) => !known.has(keyOf(subtask.type))).map(({ subtask }) => subtask);
  if (others.length === 0) return [];
  const types = [...new Set(others.map(({ type }) => `"${type}"`))].join(", ");
  const message = `There is no kind of worker for ${types}; the general one was given ${count(others.length, "such subtask")}.`;
  return [{ code: "kind_unknown", message, subtaskIds: others.map(({ id }) => id) }];
}

async function tell(setup: RunSetup, builder: PlanBuilder, ending: PlanEnding, estimate: Estimating): Promise<void> {
  const { run } = setup;
  if (ending.kind === "direct") return run.emit({ type: "plan.answered", analysis: ending.analysis });
  if (ending.error !== undefined) run.emit({ type: "plan.failed", error: ending.error.toJSON() });
  if (ending.kind === "failed") return;
  tellNotices(setup, builder);
  tellFinished(setup, builder, ending, await estimate());
}

function tellNotices(setup: RunSetup, builder: PlanBuilder): void {
  for (const notice of [...builder.finish().notices, ...unknownKinds(setup, builder)]) setup.run.emit({ type: "run.noticed", notice });
}

function tellFinished(
  { run }: RunSetup,
  { combine, planned, dropped }: PlanBuilder,
  { analysis, error }: Planning & { kind: "subtasks" },
  estimate: Estimate,
): void {
  run.emit({ type: "plan.finished", analysis, combine, subtasks: planned.length, dropped, complete: error === undefined, estimate });
}

/** Another plan stands in place of the one that is void: all of it is said at once. */
export function tellInstead(setup: RunSetup, builder: PlanBuilder, ending: Planning & { kind: "subtasks" }, estimate: Estimate): void {
  for (const planned of builder.planned) tellSubtask(setup, planned);
  tellNotices(setup, builder);
  tellFinished(setup, builder, ending, estimate);
}

/** The plan as it was carried out; nothing where there was none. */
export function planAsCarriedOut(planned: PlanEnding, builder: PlanBuilder): Plan | undefined {
  if (planned.kind === "direct") return planned;
  if (builder.planned.length === 0) return undefined;
  return { kind: "subtasks", analysis: planned.analysis, combine: builder.combine, subtasks: builder.finish().subtasks };
}
