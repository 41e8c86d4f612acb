import { toDivvyError } from "../../errors.ts";
import type { Estimate } from "../../estimate.ts";
import { PlanBuilder } from "../../plan/plan-builder.ts";
import { count } from "../../quantity.ts";
import type { Notice } from "../../notice.ts";
import { type Planner, type Planning, planRequest, type PlanSink, withNote } from "../../plan/planner.ts";
import { remarksMessage } from "../../plan/prompts/remarks-prompt.ts";
import type { Fence } from "../../prompt/fence.ts";
import { sampleOfPlan } from "../../sample.ts";
import type { Plan, Planned } from "../../subtask.ts";
import { keyOf } from "../../names.ts";
import { endOf, type WorkEnd } from "../../work/work.ts";
import type { PlanEnding } from "../ending/census.ts";
import { orchestratorMessages, planMarks } from "./orchestrator-messages.ts";
import type { Past } from "../past/past.ts";
import { whereToGoOn } from "../past/plan-resumed.ts";
import type { RunSetup } from "../run-setup.ts";

/** What the run may use, once the plan is known. Must not reject. `done`: how those have ended that work is not told of yet. */
type Estimating = (done?: ReadonlyMap<string, WorkEnd>) => Promise<Estimate>;

/** A plan that was given is carried out whole: its size was looked at when it came in. */
export function planBuilder({ start: { plan, past, dropped }, options: { maxSubtasks, combine } }: RunSetup): PlanBuilder {
  const isGiven = plan !== undefined || past?.given !== undefined;
  return new PlanBuilder({ maxSubtasks: isGiven ? undefined : maxSubtasks, combine: combine === "none" ? undefined : combine, dropped });
}

/** What planning takes, of the plan's own round and of those that follow. */
export interface PlanningDeps {
  readonly setup: RunSetup;
  readonly builder: PlanBuilder;
  readonly fence: Fence;
  readonly sink: PlanSink;
  readonly estimate: Estimating;
}

/**
 * Phase one: takes the plan that was given, or has one written. Each subtask goes to the sink the moment it stands, after the
 * event that says so. Never rejects.
 */
export async function planPhase(planning: PlanningDeps): Promise<PlanEnding> {
  const { setup, builder, sink, fence } = planning;
  const { run, start } = setup;
  const { past } = start;
  const plan = start.plan ?? past?.given;
  if (past?.plan === "complete" && plan === undefined) return takePast(past, builder, sink);
  run.emit({ type: "plan.started", given: plan !== undefined, ...(plan && { plan }) });
  const ending = plan === undefined ? await askForPlan(planning, past, () => firstQuestion(setup, fence)) : takePlan(plan, planning);
  await tellPlan(planning, ending, past);
  return ending;
}

/** Says what is planned before it is handed on. What the log holds is not said again, and stands as it was said. */
function telling({ setup, builder, sink }: PlanningDeps): PlanSink {
  const { run, start } = setup;
  return {
    ...sink,
    onSubtask: (planned) => {
      const told = start.past?.history[builder.added - 1] ?? tellSubtask(setup, planned);
      builder.tell(told);
      sink.onSubtask(told);
    },
    onCombine: (combine) => {
      run.emit({ type: "plan.opened", combine });
      sink.onCombine(combine);
    },
  };
}

function tellSubtask({ run, start: { kept, samples } }: RunSetup, planned: Planned): Planned {
  const key = keyOf(planned.subtask.id);
  const told = { ...planned, sample: samples?.get(key) ?? planned.sample };
  run.emit({ type: "subtask.planned", ...told });
  // What is written anew is not done by what it replaces.
  const end = planned.round === undefined ? kept.get(key) : undefined;
  if (end !== undefined) run.emit(endOf(planned.subtask.id, end));
  return told;
}

/** A plan that was complete is in the log, whole. */
function takePast({ history, planned, combine, dropped, analysis, round }: Past, builder: PlanBuilder, sink: PlanSink): PlanEnding {
  builder.setCombine(combine);
  builder.restore(history, dropped);
  if (round > 1) builder.openRound({ number: round, maxSubtasks: 0, replaceable: new Set() });
  if (combine !== undefined) sink.onCombine(combine);
  for (const one of planned) sink.onSubtask(one);
  return { kind: "subtasks", analysis };
}

function takePlan(plan: Plan, planning: PlanningDeps): PlanEnding {
  const { builder, sink } = planning;
  if (plan.kind === "direct") {
    sink.onAnswer(plan.answer);
    return plan;
  }
  builder.setCombine(plan.combine);
  // Its log has it with the plan.
  sink.onCombine(plan.combine);
  const told = telling(planning);
  for (const { dependsOn, ...draft } of plan.subtasks) {
    const planned = builder.add({ ...draft, after: dependsOn });
    if (planned !== undefined) told.onSubtask(planned);
  }
  return { kind: "subtasks", analysis: plan.analysis };
}

/** What the orchestrator is asked. */
export type PlanQuestion = Pick<Planner, "messages" | "marks" | "direct" | "sample" | "addedBefore">;

function firstQuestion(setup: RunSetup, fence: Fence): PlanQuestion {
  const { options, start } = setup;
  const { past, declined = past?.declined ?? [] } = start;
  const first = orchestratorMessages(setup, fence);
  const { planFormat: format, direct } = options;
  const marks = planMarks(setup, first);
  const note = remarksMessage(declined, format, direct, marks[format]);
  const messages = note === undefined ? first : withNote(first, note);
  return { messages, marks, direct, sample: sampleOfPlan(declined.length) };
}

/**
 * Has the orchestrator write. Never rejects.
 *
 * @param past where it had been asked before
 */
export async function askForPlan(planning: PlanningDeps, past: Past | undefined, question: () => PlanQuestion | Promise<PlanQuestion>): Promise<PlanEnding> {
  const { setup, builder } = planning;
  const { roles, options, calls, run, signal } = setup;
  const { model, settings, rules, formatOptions } = roles.orchestrator;
  try {
    const planner: Planner = {
      calls,
      run,
      signal,
      model,
      settings,
      formatOptions,
      rules,
      ...(await question()),
      format: options.planFormat,
      completions: options.planCompletions,
      builder,
      sink: telling(planning),
    };
    if (past === undefined) return await planRequest(planner);
    const from = await whereToGoOn(planner, past, setup.recorded);
    for (const standing of builder.planned) planning.sink.onSubtask(standing);
    return await planRequest({ ...planner, from });
  } catch (thrown) {
    return { kind: "failed", analysis: "", error: toDivvyError(thrown) };
  }
}

/** Where the kinds are described, they are what the orchestrator was to choose among. */
function unknownKinds({ roles }: RunSetup, { planned, round: now }: PlanBuilder): readonly Notice[] {
  if (roles.kinds.every(({ description }) => description === undefined)) return [];
  const known = new Set(["default", ...roles.kinds.map(({ type }) => type)].map(keyOf));
  const others = planned.filter(({ subtask, round = 1 }) => round === now && !known.has(keyOf(subtask.type))).map(({ subtask }) => subtask);
  if (others.length === 0) return [];
  const types = [...new Set(others.map(({ type }) => `"${type}"`))].join(", ");
  const message = `There is no kind of worker for ${types}; the general one was given ${count(others.length, "such subtask")}.`;
  return [{ code: "kind_unknown", message, subtaskIds: others.map(({ id }) => id) }];
}

/** Says how the planning ended. What the log holds stands, however far it was read this time. */
export async function tellPlan({ setup, builder, sink, estimate }: PlanningDeps, ending: PlanEnding, past: Past | undefined): Promise<void> {
  const { run } = setup;
  const unread = past?.history.slice(builder.added) ?? [];
  builder.restore(unread, Math.max(builder.dropped, past?.dropped ?? 0));
  for (const standing of unread) sink.onSubtask(standing);
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
  for (const planned of builder.planned.slice()) builder.tell(tellSubtask(setup, planned));
  tellNotices(setup, builder);
  tellFinished(setup, builder, ending, estimate);
}

/** The plan as it was carried out; nothing where there was none. */
export function planAsCarriedOut(planned: PlanEnding, builder: PlanBuilder): Plan | undefined {
  if (planned.kind === "direct") return planned;
  if (builder.planned.length === 0) return undefined;
  return { kind: "subtasks", analysis: planned.analysis, combine: builder.combine, subtasks: builder.finish().subtasks };
}
