import type { Outcome } from "../outcome.ts";
import { fencing } from "../prompt/fence.ts";
import { synthesize } from "../synthesis/synthesize.ts";
import { combineOf } from "./ahead/answer-share.ts";
import type { AnswerStream } from "./answer-stream.ts";
import { answerUnjudged } from "./ending/answer-unjudged.ts";
import { takeCensus } from "./ending/census.ts";
import { firstRound } from "./planning/first-round.ts";
import { outcomeOf } from "./ending/outcome-of.ts";
import { lookUpPlan } from "./planning/plan-lookup.ts";
import { planAsCarriedOut } from "./planning/plan-phase.ts";
import { windowOf } from "./ahead/reductions.ts";
import { looksLeft, nextRound, planRound } from "./planning/rounds.ts";
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
  const { request, roles, calls, run, clock, signal, start } = setup;
  const fence = fencing();

  const { planning, work, share, ...first } = await firstRound({ setup, fence, answer, tally });
  const { builder } = planning;
  let { planned } = first;
  const isRefused = planned.kind === "subtasks" && planned.refused !== undefined;
  for (;;) {
    share.keep(isRefused || looksLeft(setup, builder) === 0);
    if (isRefused) work.leaveOut();
    else work.planEnded();
    await work.settled;
    const round = nextRound(planning, planned, work.ends);
    if (round === undefined) break;
    work.planGoesOn();
    planned = await planRound(planning, round, work.ends, planned.analysis);
  }

  const census = takeCensus(builder, work.ends, planned, tally, (type) => kindFor(roles, type).name);
  const combine = isRefused ? "none" : combineOf(setup, builder);
  const { done, missing, planComplete, dropped } = census;
  const synthesis = await synthesize(
    { request, analysis: planned.analysis, combine, results: done, missing, planComplete, dropped },
    { calls, run, signal, fence, role: roles.synthesizer, sink: answer, sample: start.past?.badAnswers ?? 0, window: windowOf(setup) },
  );
  const unjudged = answerUnjudged(roles.synthesizer, planned, synthesis);
  // An earlier life may have said so.
  if (unjudged && !tally.notices.some(({ code }) => code === unjudged.code)) run.emit({ type: "run.noticed", notice: unjudged });
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
