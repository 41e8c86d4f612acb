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
  const builder = planBuilder(setup);
  const work = new Work({
    request,
    kindOf: (type) => kindFor(roles, type),
    begun: setup.past?.begun ?? new Set(),
    clock,
    calls,
    run,
    signal,
    fence,
    upstreamBytes: options.upstreamBytes,
    kept: setup.kept,
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
  const planned = await planPhase(setup, builder, fence, sink, () => estimateRun(setup, tally, builder, work.ends));
  keepForAnswer();
  work.planEnded();
  await work.settled;

  const census = takeCensus(builder, work.ends, planned, tally);
  const combine = combineNow();
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
    durationMs: clock.now() - startedAt,
  });
}
