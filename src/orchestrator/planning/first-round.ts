import { keyOf } from "../../names.ts";
import type { PlanBuilder } from "../../plan/plan-builder.ts";
import type { PlanSink } from "../../plan/planner.ts";
import type { Fence } from "../../prompt/fence.ts";
import type { Before } from "../../work/job.ts";
import { Work } from "../../work/work.ts";
import type { JobEnd } from "../../work/worker.ts";
import { type AnswerShare, answerShare } from "../ahead/answer-share.ts";
import type { AnswerStream } from "../answer-stream.ts";
import { approvalOf, approvalPhase } from "./approval-phase.ts";
import type { PlanEnding } from "../ending/census.ts";
import type { Past } from "../past/past.ts";
import { estimateRun } from "../ahead/estimate-run.ts";
import { planBuilder, planPhase, type PlanningDeps } from "./plan-phase.ts";
import { planRoundResumed, writtenAnew } from "./rounds.ts";
import { type Approval, kindFor, type RunSetup, type RunStart } from "../run-setup.ts";
import type { Tally } from "../tally.ts";

/** What the planning of a run is told to. */
export interface FirstRoundDeps {
  readonly setup: RunSetup;
  readonly fence: Fence;
  readonly answer: AnswerStream;
  readonly tally: Tally;
}

/** A plan, and the work on it as far as that may have begun. */
export interface FirstRound {
  readonly planned: PlanEnding;
  readonly planning: PlanningDeps;
  readonly work: Work;
  readonly share: AnswerShare;
}

/** Plans, or goes on where the planning was left. Each subtask goes to work as it closes; with approval wanted, all of them when that is given. */
export async function firstRound(deps: FirstRoundDeps): Promise<FirstRound> {
  const { setup, tally, answer } = deps;
  const approval = approvalOf(setup);
  if (approval !== undefined) return await approvedRound(deps, approval);
  const builder = planBuilder(setup);
  const share = answerShare(setup, builder);
  const work = workOn(deps, setup.start.kept, setup.run.concurrency > 1);
  const sink: PlanSink = {
    ...sinkTo(answer, share),
    onSubtask: (planned) => {
      share.add(planned.subtask);
      work.add(planned);
    },
  };
  const planning: PlanningDeps = { ...deps, builder, sink, estimate: (done = work.ends) => estimateRun(setup, tally, builder, done) };
  const { past } = setup.start;
  const planned = past?.look === undefined ? await planPhase(planning) : await planRoundResumed(planning, past, past.look);
  return { planned, planning, work, share };
}

async function approvedRound(deps: FirstRoundDeps, approval: Approval): Promise<FirstRound> {
  const { setup, tally, answer } = deps;
  const estimate = (of: PlanBuilder, kept: RunStart["kept"]): ReturnType<typeof estimateRun> => estimateRun(setup, tally, of, endsOf(of, kept));
  const planningOf = (of: RunSetup, builder: PlanBuilder): PlanningDeps => ({
    ...deps,
    setup: of,
    builder,
    // Nothing of it is begun.
    sink: { ...sinkTo(answer, answerShare(of, builder)), onSubtask: () => undefined },
    estimate: () => estimate(builder, of.start.kept),
  });
  const first = planBuilder(setup);
  const proposal = { planned: await planPhase(planningOf(setup, first)), builder: first, kept: setup.start.kept };
  const { planned, builder, kept } = await approvalPhase(setup, approval, proposal, { estimate, plan: (of, into) => planPhase(planningOf(of, into)) });
  const share = answerShare(setup, builder);
  const work = workOn(deps, kept, false);
  for (const one of builder.planned) {
    share.add(one.subtask);
    work.add(one);
  }
  return { planned, planning: planningOf(setup, builder), work, share };
}

function sinkTo(answer: AnswerStream, share: AnswerShare): Omit<PlanSink, "onSubtask"> {
  return {
    // Side by side, results need nobody to write an answer.
    onCombine: () => share.keep(),
    onAnswer: (delta) => answer.write(delta),
    mayRestartAnswer: () => answer.mayRestart(),
    restartAnswer: () => void answer.restart(),
  };
}

function workOn({ setup, fence }: FirstRoundDeps, kept: RunStart["kept"], early: boolean): Work {
  const { request, roles, options, calls, run, clock, signal, start } = setup;
  const { past } = start;
  const anew = writtenAnew(past);
  return new Work({
    request,
    kindOf: (type) => kindFor(roles, type),
    before: (planned) => (past === undefined || anew(planned) ? undefined : beforeOf(past, keyOf(planned.subtask.id))),
    clock,
    calls,
    run,
    signal,
    fence,
    upstreamBytes: options.upstreamBytes,
    kept: (planned) => (anew(planned) ? undefined : kept.get(keyOf(planned.subtask.id))),
    early,
  });
}

function beforeOf({ begun, delivered }: Past, key: string): Before | undefined {
  if (!begun.has(key)) return undefined;
  return delivered.get(key) ?? { results: [], mayHaveBegun: true };
}

/** How those ended of a plan that need not be done again. */
function endsOf({ planned }: PlanBuilder, kept: RunStart["kept"]): ReadonlyMap<string, JobEnd> {
  const ends = new Map<string, JobEnd>();
  for (const { subtask } of planned) {
    const end = kept.get(keyOf(subtask.id));
    if (end !== undefined) ends.set(subtask.id, end);
  }
  return ends;
}
