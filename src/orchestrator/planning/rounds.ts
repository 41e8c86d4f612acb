import { keyOf } from "../../names.ts";
import type { PlanBuilder, Round } from "../../plan/plan-builder.ts";
import type { Planned } from "../../subtask.ts";
import type { WorkEnd } from "../../work/work.ts";
import type { PlanEnding } from "../ending/census.ts";
import { approvalOf } from "./approval-phase.ts";
import { lookQuestion } from "./look.ts";
import type { Look, Past } from "../past/past.ts";
import { askForPlan, type PlanningDeps, tellPlan } from "./plan-phase.ts";
import type { RunOptions, RunSetup } from "../run-setup.ts";

/**
 * The number of the round that may follow, once all of this one has ended; nothing where none may: the limits are reached, the plan
 * was handed in or broke off, or nothing of the last round is done, so that there is nothing new to look at. A round in which the
 * orchestrator adds nothing is the last for the same reason.
 */
export function nextRound({ setup, builder }: PlanningDeps, planned: PlanEnding, ends: ReadonlyMap<string, WorkEnd>): number | undefined {
  const { round } = builder;
  if (planned.kind !== "subtasks" || planned.error !== undefined || setup.signal.aborted || looksLeft(setup, builder) === 0) return undefined;
  return builder.planned.some(({ subtask, round: of = 1 }) => of === round && ends.get(subtask.id)?.status === "done") ? round + 1 : undefined;
}

/** How often the orchestrator may still be shown the results. What somebody approved is carried out, and nothing else. */
export function looksLeft(setup: RunSetup, builder: PlanBuilder): number {
  const { options, start } = setup;
  const { plan, past } = start;
  const isApproved = approvalOf(setup) !== undefined || past?.approval !== undefined;
  if (plan !== undefined || past?.given !== undefined || isApproved || maxMore(options, builder) === 0) return 0;
  return Math.max(0, options.rounds - builder.round);
}

/** May the orchestrator be asked for a further round of a run that goes on? */
export function mayLookAgain({ given, approval, plan, planned, round, ends }: Past, rounds: number): boolean {
  if (given !== undefined || approval !== undefined || plan !== "complete" || round >= rounds) return false;
  const isOpen = (end: WorkEnd | undefined): boolean => end === undefined || end.status === "done";
  return planned.some(({ subtask, round: of = 1 }) => of === round && isOpen(ends.get(keyOf(subtask.id))));
}

/** A further round: the orchestrator is shown what came of the plan so far, and each subtask that it adds goes to the sink. Never rejects. */
export async function planRound(planning: PlanningDeps, number: number, ends: ReadonlyMap<string, WorkEnd>, analysis: string): Promise<PlanEnding> {
  const { setup, builder } = planning;
  const byKey = new Map([...ends].map(([id, end]) => [keyOf(id), end]));
  const round = roundOf(setup, number, builder, byKey);
  builder.openRound(round);
  return await look(planning, builder.planned.slice(), byKey, round, { number, added: builder.added, analysis });
}

/**
 * Goes on with a round in which the orchestrator was still being asked: shown the same, and what was done since a look that came to
 * nothing. Only when it is known what it plans are subtasks handed to the sink, for it may yet write those anew that failed.
 */
export async function planRoundResumed(planning: PlanningDeps, past: Past, { ends, added, analysis }: Look): Promise<PlanEnding> {
  const { setup, builder, sink } = planning;
  builder.setCombine(past.combine);
  builder.restore(past.history.slice(0, added), past.dropped);
  const round = roundOf(setup, past.round, builder, ends);
  const before = builder.planned.slice();
  builder.openRound(round);
  const quiet = { ...planning, sink: { ...sink, onSubtask: () => undefined }, estimate: () => planning.estimate(settledIn(past, builder)) };
  const ending = await look(quiet, before, ends, round, { number: past.round, added, analysis, past });
  for (const planned of builder.planned) sink.onSubtask(planned);
  return ending;
}

/** What is settled for good, and was not written anew, by id. */
function settledIn(past: Past, builder: PlanBuilder): ReadonlyMap<string, WorkEnd> {
  const isAnew = writtenAnew(past);
  return new Map(
    builder.planned.flatMap((one) => {
      const end = isAnew(one) ? undefined : past.ends.get(keyOf(one.subtask.id));
      return end === undefined ? [] : [[one.subtask.id, end] as const];
    }),
  );
}

/** Was a subtask written by a further round since the run was left? What its log says under that id is then of another one. */
export function writtenAnew(past: Past | undefined): (planned: Planned) => boolean {
  const before = new Map(past?.planned.map(({ subtask, round }) => [keyOf(subtask.id), round]));
  return ({ subtask, round }) => round !== undefined && before.get(keyOf(subtask.id)) !== round;
}

interface LookAt {
  readonly number: number;
  readonly added: number;
  readonly analysis: string;
  readonly past?: Past;
}

async function look(
  planning: PlanningDeps,
  planned: readonly Planned[],
  ends: ReadonlyMap<string, WorkEnd>,
  { maxSubtasks }: Round,
  { number, added, analysis, past }: LookAt,
): Promise<PlanEnding> {
  const { setup, fence } = planning;
  const ending = await askForPlan(planning, past, async () => {
    const { cut, ...question } = await lookQuestion(setup, fence, planned, ends, maxSubtasks);
    if (past === undefined) setup.run.emit({ type: "round.started", round: number, cut });
    return { ...question, direct: false, sample: 0, addedBefore: added };
  });
  if (ending.kind === "subtasks" && ending.isWordless) {
    const message = `What the orchestrator said in round ${number} was no plan, however it was asked: the results were taken to be enough.`;
    setup.run.emit({ type: "run.noticed", notice: { code: "round_unread", message } });
  }
  const whole = [analysis, ending.analysis].filter((part) => part !== "").join("\n\n");
  // What stands is carried out whatever became of this round.
  const told: PlanEnding = { kind: "subtasks", analysis: whole, ...(ending.kind !== "direct" && ending.error && { error: ending.error }) };
  await tellPlan(planning, told, past);
  return told;
}

function roundOf({ options }: RunSetup, number: number, builder: PlanBuilder, ends: ReadonlyMap<string, WorkEnd>): Round {
  const lost = builder.planned.map(({ subtask }) => keyOf(subtask.id)).filter((key) => ends.get(key)?.status !== "done");
  return { number, maxSubtasks: maxMore(options, builder), replaceable: new Set(lost) };
}

function maxMore({ maxSubtasks, maxWorkers }: RunOptions, builder: PlanBuilder): number {
  return Math.max(0, Math.min(maxSubtasks, maxWorkers - builder.added));
}
