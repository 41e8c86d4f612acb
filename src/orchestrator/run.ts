import type { Outcome } from "../outcome.ts";
import type { PlanSink } from "../plan/planner.ts";
import type { PlanBuilder } from "../plan/plan-builder.ts";
import { keyOf } from "../names.ts";
import { type Fence, fencing } from "../prompt/fence.ts";
import type { Estimate } from "../estimate.ts";
import type { Combine, Planned } from "../subtask.ts";
import type { JobEnd } from "../work/worker.ts";
import { synthesize } from "../synthesis/synthesize.ts";
import { Work } from "../work/work.ts";
import { answerCalls, framesOf } from "./answer-reserve.ts";
import type { AnswerStream } from "./answer-stream.ts";
import { approvalOf, approvalPhase } from "./approval-phase.ts";
import { type PlanEnding, takeCensus } from "./census.ts";
import { estimateRun } from "./estimate-run.ts";
import { outcomeOf } from "./outcome-of.ts";
import { planAsCarriedOut, planBuilder, planPhase } from "./plan-phase.ts";
import { windowOf } from "./reductions.ts";
import { kindFor, type RunSetup } from "./run-setup.ts";
import type { Tally } from "./tally.ts";

/**
 * The story of a run: plan -> work -> synthesize -> outcome.
 *
 * Never rejects for what a model, a provider or the user does: that is data, and stands in the outcome.
 */
export async function carryOut(setup: RunSetup, answer: AnswerStream, tally: Tally): Promise<Outcome> {
  const { request, roles, options, calls, run, clock, signal } = setup;
  const startedAt = clock.now();
  const fence = fencing();
  const approval = approvalOf(setup);
  let builder = planBuilder(setup);
  let work = workOn(setup, fence, setup.kept, run.concurrency > 1);

  const combineNow = (): Combine | "none" => options.combine ?? builder.combine;
  const keepForAnswer = (): void => run.budget?.answerTakes(answerCalls(roles.synthesizer, combineNow(), builder.planned.length));
  const frameOf = run.budget === undefined ? (): number => 0 : framesOf(setup);
  const take = (planned: Planned): void => {
    run.budget?.answerReads(frameOf(planned.subtask));
    // One more to compare; a plan that has not said what becomes of its results may yet want them joined.
    if (combineNow() === "choose") keepForAnswer();
    work.add(planned);
  };
  const sink: PlanSink = {
    onSubtask: approval === undefined ? take : () => undefined,
    // Side by side, results need nobody to write an answer.
    onCombine: keepForAnswer,
    onAnswer: (delta) => answer.write(delta),
    mayRestartAnswer: () => answer.mayRestart(),
    restartAnswer: () => void answer.restart(),
  };
  const estimate = (of: PlanBuilder, kept: RunSetup["kept"]): Promise<Estimate> =>
    estimateRun(setup, tally, of, approval === undefined ? work.ends : endsOf(of, kept));
  const plan = (from: RunSetup, into: PlanBuilder): Promise<PlanEnding> => planPhase(from, into, fence, sink, () => estimate(into, from.kept));
  let planned = await plan(setup, builder);
  if (approval !== undefined) {
    const approved = await approvalPhase(setup, approval, { planned, builder, kept: setup.kept }, { estimate, plan });
    ({ planned, builder } = approved);
    work = workOn(setup, fence, approved.kept, false);
    for (const one of builder.planned) take(one);
  }
  keepForAnswer();
  const refused = planned.kind === "subtasks" && planned.refused !== undefined;
  if (refused) work.leaveOut();
  else work.planEnded();
  await work.settled;

  const census = takeCensus(builder, work.ends, planned, tally);
  const combine = refused ? "none" : combineNow();
  const { done, missing, planComplete, dropped } = census;
  const synthesis = await synthesize(
    { request, analysis: planned.analysis, combine, results: done, missing, planComplete, dropped },
    { calls, run, signal, fence, role: roles.synthesizer, sink: answer, sample: setup.past?.badChoices ?? 0, window: windowOf(setup) },
  );
  return outcomeOf({
    runId: run.runId,
    planned,
    plan: planAsCarriedOut(planned, builder),
    census,
    synthesis,
    notices: tally.notices,
    answer: answer.text,
    signal,
    tally,
    durationMs: clock.now() - startedAt - setup.pausedMs(),
  });
}

function workOn({ request, roles, options, calls, run, clock, signal, past }: RunSetup, fence: Fence, kept: RunSetup["kept"], early: boolean): Work {
  return new Work({
    request,
    kindOf: (type) => kindFor(roles, type),
    begun: past?.begun ?? new Set(),
    clock,
    calls,
    run,
    signal,
    fence,
    upstreamBytes: options.upstreamBytes,
    kept,
    early,
  });
}

/** How those ended of a plan that need not be done again. */
function endsOf({ planned }: PlanBuilder, kept: RunSetup["kept"]): ReadonlyMap<string, JobEnd> {
  const ends = new Map<string, JobEnd>();
  for (const { subtask } of planned) {
    const end = kept.get(keyOf(subtask.id));
    if (end !== undefined) ends.set(subtask.id, end);
  }
  return ends;
}
