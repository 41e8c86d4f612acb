import { keyOf } from "../../names.ts";
import type { Combine, Subtask } from "../../subtask.ts";
import type { DoneResult } from "../../synthesis/layout.ts";
import { levelsAhead, type Rooms } from "../../synthesis/rooms.ts";
import type { WorkerKind } from "../../work/worker.ts";
import type { RunSetup } from "../run-setup.ts";
import { answerCalls } from "./answer-reserve.ts";
import { type Guess, mergedShare, usual, usualDescription } from "./guess.ts";
import type { Sizes } from "./sizes.ts";
import { type CallAhead, judged, madeByFunction, worked } from "./work-ahead.ts";

/** What of a run is still to be done. */
export interface Ahead {
  /** Is the orchestrator asked, and may it add subtasks? */
  readonly plan: boolean;
  /** How often it may then be shown what came of its plan, and add to it. */
  readonly looks: number;
  readonly subtasks: readonly Subtask[];
  readonly done: readonly DoneResult[];
  /** Nothing where the plan is still to say. */
  readonly combine: Combine | "none" | undefined;
}

/** Of the least wordy texts. */
const bytesPerToken = 3;

/** The calls of what is still to be done. @param rooms how results are shortened that do not fit the synthesizer's window */
export function callsAhead(setup: RunSetup, sizes: Sizes, ahead: Ahead, rooms: Rooms | undefined, guess: Guess): CallAhead[] {
  const { roles, options } = setup;
  const { more, reply } = guess;
  const { orchestrator, worker } = roles;
  const kindOf = (type: string): WorkerKind => roles.workers.get(keyOf(type)) ?? worker;
  const repliesOf = ({ settings }: WorkerKind): number => reply(usual.worker, settings.maxOutputTokens);
  const results = new Map([
    ...ahead.done.map(({ id, result }) => [keyOf(id), sizes.text(result)] as const),
    ...ahead.subtasks.map(({ id, type }) => [keyOf(id), repliesOf(kindOf(type))] as const),
  ]);
  const longestUpstream = Math.ceil(options.upstreamBytes / bytesPerToken);
  const unplanned: CallAhead = { role: worker, inputTokens: sizes.worker(worker) + usualDescription, outputTokens: repliesOf(worker) };
  const workers = ahead.subtasks.flatMap(({ id, type, description, dependsOn }): CallAhead[] => {
    const made = roles.functions.get(keyOf(type));
    if (made !== undefined) return madeByFunction(unplanned.outputTokens, made.evaluator, guess, sizes);
    const upstream = dependsOn.reduce((sum, name) => sum + (results.get(keyOf(name)) ?? 0), 0);
    const inputTokens = sizes.worker(kindOf(type)) + sizes.text(description) + Math.min(upstream, longestUpstream);
    return worked({ role: kindOf(type), inputTokens, outputTokens: results.get(keyOf(id)) ?? 0 }, kindOf(type), sizes.text(description), guess, sizes);
  });
  const calls = [...workers, ...Array.from({ length: more }, () => worked(unplanned, worker, usualDescription, guess, sizes)).flat()];
  if (ahead.plan) calls.unshift({ role: orchestrator, inputTokens: sizes.plan(), outputTokens: reply(usual.plan, orchestrator.settings.maxOutputTokens) });

  const written = [...results.values()].reduce((sum, tokens) => sum + tokens, more * unplanned.outputTokens);
  const look = { inputTokens: sizes.plan() + Math.min(written, longestUpstream), outputTokens: reply(usual.look, orchestrator.settings.maxOutputTokens) };
  calls.push(...Array.from({ length: guess.looks }, () => ({ role: orchestrator, ...look })));
  return [...calls, ...answerAhead(setup, sizes, ahead.combine, rooms, guess, { count: results.size + more, written })];
}

/** The calls that make an answer of so many results, and of so many tokens of them together. */
function answerAhead(
  { roles: { synthesizer } }: RunSetup,
  sizes: Sizes,
  combine: Ahead["combine"] = "merge",
  rooms: Rooms | undefined,
  guess: Guess,
  { count, written }: { readonly count: number; readonly written: number },
): CallAhead[] {
  const questions = answerCalls(synthesizer, combine, count);
  if (questions === 0 || combine === "keep" || combine === "none") return [];
  const { comparing } = synthesizer;
  if (combine === "choose" && comparing !== undefined) {
    // Of what is alike in length; which result is the best so far nobody knows.
    const inputTokens = sizes.comparison() + (2 * written) / count;
    const comparison = { role: comparing, inputTokens, outputTokens: guess.reply(usual.verdict, comparing.settings.maxOutputTokens) };
    return Array.from({ length: questions * guess.pairAsks }, () => comparison);
  }
  const levels = combine === "merge" && rooms !== undefined ? levelsAhead(rooms, written, guess.reductions) : [];
  const shortening = levels.flatMap(({ calls, inputTokens, outputTokens }): CallAhead[] =>
    Array.from({ length: calls }, () => ({ role: synthesizer, inputTokens: inputTokens / calls, outputTokens: outputTokens / calls })),
  );
  const read = levels.at(-1)?.leaves ?? written;
  const answer = combine === "choose" ? usual.choice : read * mergedShare;
  const synthesis = {
    role: synthesizer,
    inputTokens: sizes.synthesis(combine) + read,
    outputTokens: guess.reply(answer, synthesizer.settings.maxOutputTokens),
  };
  return [...shortening, ...judged(synthesis, combine === "merge" ? synthesizer : {}, guess, sizes)];
}
