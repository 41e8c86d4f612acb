import type { Outcome } from "../outcome.ts";
import type { PlanSink } from "../plan/planner.ts";
import type { PlanBuilder } from "../plan/plan-builder.ts";
import { keyOf } from "../names.ts";
import { type Fence, fencing } from "../prompt/fence.ts";
import type { Combine, Planned } from "../subtask.ts";
import type { JobEnd } from "../work/worker.ts";
import { synthesize } from "../synthesis/synthesize.ts";
import { Work, type WorkEnd } from "../work/work.ts";
import { answerCalls, framesOf } from "./answer-reserve.ts";
import type { AnswerStream } from "./answer-stream.ts";
import { approvalOf, approvalPhase } from "./approval-phase.ts";
import { takeCensus } from "./census.ts";
import { estimateRun } from "./estimate-run.ts";
import { outcomeOf } from "./outcome-of.ts";
import { lookUpPlan } from "./plan-lookup.ts";
import { planAsCarriedOut, planBuilder, planPhase, type PlanningDeps } from "./plan-phase.ts";
import { windowOf } from "./reductions.ts";
import { nextRound, planRound, planRoundResumed, writtenAnew } from "./rounds.ts";
import { kindFor, type RunSetup } from "./run-setup.ts";
import type { Tally } from "./tally.ts";

/**
 * The story of a run: plan -> work, round after round -> synthesize -> outcome.
 *
 * Never rejects for what a model, a provider or the user does: that is data, and stands in the outcome.
 */
export async function carryOut(begun: RunSetup, answer: AnswerStream, tally: Tally): Promise<Outcome> {
  const startedAt = begun.clock.now();
  const { setup, keep } = await lookUpPlan(begun);
  const { request, roles, options, calls, run, clock, signal, past } = setup;
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
  const planning = (of: RunSetup, into: PlanBuilder): PlanningDeps => {
    const ends = (): ReadonlyMap<string, WorkEnd> => (approval === undefined ? work.ends : endsOf(into, of.kept));
    return { setup: of, builder: into, fence, sink, estimate: (done = ends()) => estimateRun(setup, tally, into, done) };
  };
  let planned = past?.look === undefined ? await planPhase(planning(setup, builder)) : await planRoundResumed(planning(setup, builder), past, past.look);
  if (approval !== undefined) {
    const approved = await approvalPhase(
      setup,
      approval,
      { planned, builder, kept: setup.kept },
      {
        estimate: (of, kept) => estimateRun(setup, tally, of, endsOf(of, kept)),
        plan: (of, into) => planPhase(planning(of, into)),
      },
    );
    ({ planned, builder } = approved);
    work = workOn(setup, fence, approved.kept, false);
    for (const one of builder.planned) take(one);
  }
  const isRefused = planned.kind === "subtasks" && planned.refused !== undefined;
  for (;;) {
    keepForAnswer();
    if (isRefused) work.leaveOut();
    else work.planEnded();
    await work.settled;
    const round = nextRound(planning(setup, builder), planned, work.ends);
    if (round === undefined) break;
    work.planGoesOn();
    planned = await planRound(planning(setup, builder), round, work.ends, planned.analysis);
  }

  const census = takeCensus(builder, work.ends, planned, tally, (type) => kindFor(roles, type).name);
  const combine = isRefused ? "none" : combineNow();
  const { done, missing, planComplete, dropped } = census;
  const synthesis = await synthesize(
    { request, analysis: planned.analysis, combine, results: done, missing, planComplete, dropped },
    { calls, run, signal, fence, role: roles.synthesizer, sink: answer, sample: past?.badAnswers ?? 0, window: windowOf(setup) },
  );
  const end = (): Outcome =>
    outcomeOf({
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
  const outcome = end();
  // What was noticed then stands in it as well.
  return (await keep(outcome)) ? end() : outcome;
}

function workOn({ request, roles, options, calls, run, clock, signal, past }: RunSetup, fence: Fence, kept: RunSetup["kept"], early: boolean): Work {
  const anew = writtenAnew(past);
  return new Work({
    request,
    kindOf: (type) => kindFor(roles, type),
    begun: (planned) => !anew(planned) && past?.begun.has(keyOf(planned.subtask.id)) === true,
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

/** How those ended of a plan that need not be done again. */
function endsOf({ planned }: PlanBuilder, kept: RunSetup["kept"]): ReadonlyMap<string, JobEnd> {
  const ends = new Map<string, JobEnd>();
  for (const { subtask } of planned) {
    const end = kept.get(keyOf(subtask.id));
    if (end !== undefined) ends.set(subtask.id, end);
  }
  return ends;
}
