import { keyOf } from "../names.ts";
import type { Outcome } from "../outcome.ts";
import type { PlanSink } from "../plan/planner.ts";
import { fencing } from "../prompt/fence.ts";
import type { Combine } from "../subtask.ts";
import { synthesize } from "../synthesis/synthesize.ts";
import { Work } from "../work/work.ts";
import { answerCalls, framesOf } from "./answer-reserve.ts";
import type { AnswerStream } from "./answer-stream.ts";
import { takeCensus } from "./census.ts";
import { estimateRun } from "./estimate-run.ts";
import { outcomeOf } from "./outcome-of.ts";
import { lookUpPlan } from "./plan-lookup.ts";
import { planAsCarriedOut, planBuilder, planPhase, type Planning } from "./plan-phase.ts";
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
  const builder = planBuilder(setup);
  const anew = writtenAnew(past);
  const work = new Work({
    request,
    kindOf: (type) => kindFor(roles, type),
    begun: (planned) => !anew(planned) && past?.begun.has(keyOf(planned.subtask.id)) === true,
    clock,
    calls,
    run,
    signal,
    fence,
    upstreamBytes: options.upstreamBytes,
    kept: (planned) => (anew(planned) ? undefined : setup.kept.get(keyOf(planned.subtask.id))),
    early: run.concurrency > 1,
  });

  const combineNow = (): Combine | "none" => options.combine ?? builder.combine;
  const keepForAnswer = (): void => run.budget?.answerTakes(answerCalls(roles.synthesizer, combineNow(), builder.planned.length));
  const frameOf = run.budget === undefined ? (): number => 0 : framesOf(setup);
  const sink: PlanSink = {
    onSubtask: (planned) => {
      run.budget?.answerReads(frameOf(planned.subtask));
      // One more to compare; a plan that has not said what becomes of its results may yet want them joined.
      if (combineNow() === "choose") keepForAnswer();
      work.add(planned);
    },
    // Side by side, results need nobody to write an answer.
    onCombine: keepForAnswer,
    onAnswer: (delta) => answer.write(delta),
    mayRestartAnswer: () => answer.mayRestart(),
    restartAnswer: () => void answer.restart(),
  };
  const planning: Planning = { setup, builder, fence, sink, estimate: (done = work.ends) => estimateRun(setup, tally, builder, done) };
  let planned = past?.look === undefined ? await planPhase(planning) : await planRoundResumed(planning, past, past.look);
  for (;;) {
    keepForAnswer();
    work.planEnded();
    await work.settled;
    const round = nextRound(planning, planned, work.ends);
    if (round === undefined) break;
    work.planGoesOn();
    planned = await planRound(planning, round, work.ends, planned.analysis);
  }

  const census = takeCensus(builder, work.ends, planned, tally, (type) => kindFor(roles, type).name);
  const combine = combineNow();
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
      durationMs: clock.now() - startedAt,
    });
  const outcome = end();
  // What was noticed then stands in it as well.
  return (await keep(outcome)) ? end() : outcome;
}
