import { type CalledModel, type Calls, type Rank, textOf } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import { DivvyError, isStop, toDivvyError } from "../errors.ts";
import { sentence } from "../sentence.ts";
import { type Group, groupPieces } from "./group-pieces.ts";
import type { DoneResult } from "./layout.ts";
import { namedIds, type Piece, reductionMessages } from "./reduction-prompt.ts";
import { capFor, mostLevels, type Rooms, wordsFor } from "./rooms.ts";

export interface ReductionDeps {
  readonly calls: Calls;
  readonly run: RunScope;
  readonly signal: AbortSignal;
  readonly role: CalledModel;
  readonly rank: Rank;
  readonly task: string;
  readonly rooms: Rooms;
  /** Tokens of a text, roughly. */
  readonly textTokens: (text: string) => number;
  /** Does the answer's prompt fit, with these in place of the results? */
  readonly fits: (results: readonly DoneResult[]) => boolean;
}

/**
 * Results as a tree: neighbours are reduced to one shorter text each, and those again, until the rest can be read by one call. Every
 * result is read whole by one of the calls.
 *
 * @throws DivvyError what keeps a call from its reply, naming the subtasks whose results it concerns; `too_large` where nothing is gained
 */
export async function reduceToFit(results: readonly DoneResult[], deps: ReductionDeps): Promise<readonly DoneResult[]> {
  let pieces: readonly Piece[] = results.map(({ id, type, description, result }) => ({ ids: [id], type, description, text: result }));
  let shown = results;
  for (let level = 1; !deps.fits(shown); level++) {
    const groups = groupPieces(pieces, deps.rooms.reads, deps.textTokens);
    const isLonger = groups.map((group) => group.tokens > deps.rooms.cap);
    if (level > mostLevels || !isLonger.includes(true)) throw noGain();
    deps.run.emit({ type: "reduction.started", level, texts: pieces.length, groups: isLonger.filter(Boolean).length });
    pieces = (await everyOf(groups, (group, index) => (isLonger[index] === true ? reduced(group, `${level}.${index + 1}`, deps) : [...group.pieces]))).flat();
    shown = pieces.map(resultOf);
  }
  return shown;
}

/** All of them are waited for, so that what others write is kept for a resume; then the first failure counts, a stop before all others. */
async function everyOf<Item, Value>(items: readonly Item[], make: (item: Item, index: number) => Promise<Value> | Value): Promise<Value[]> {
  const settled = await Promise.allSettled(items.map(async (item, index) => await make(item, index)));
  const failures = settled.flatMap((end) => (end.status === "rejected" ? [toDivvyError(end.reason)] : []));
  const failure = failures.find(isStop) ?? failures[0];
  if (failure !== undefined) throw failure;
  return settled.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
}

async function reduced({ pieces, tokens }: Group, part: string, deps: ReductionDeps): Promise<Piece[]> {
  const { calls, run, signal, role, rank, task, rooms } = deps;
  const ids = [...new Set(pieces.flatMap((piece) => piece.ids))];
  const cap = capFor(rooms, tokens);
  const request = {
    model: role.model,
    messages: reductionMessages(task, pieces, wordsFor(cap)),
    settings: { ...role.settings, maxOutputTokens: cap + rooms.thinking },
    sample: 0,
  };
  try {
    // A text that was cut may have lost what it had still to say.
    const reply = await calls(request, { run, role: "synthesizer", part, rank, signal, rules: { ...role.rules, allowLength: false } });
    return [{ ids, type: "summary", description: "Made of longer texts by a model.", text: textOf(reply) }];
  } catch (thrown) {
    const error = toDivvyError(thrown);
    if (isStop(error)) throw error;
    const message = `What these subtasks wrote is too long for the synthesizer's window and could not be shortened: ${namedIds(ids)}. ${sentence(error.message)}`;
    throw new DivvyError(error.code, message, { hint: error.hint, retryable: error.retryable, evidence: { ...error.evidence, subtaskIds: ids }, cause: error });
  }
}

/** As the answer's prompt shows it. */
function resultOf({ ids, type, description, text }: Piece): DoneResult {
  return { id: namedIds(ids), type, description, result: text };
}

function noGain(): DivvyError {
  return new DivvyError("too_large", "The results do not fit the synthesizer's window, however short they are made.", {
    hint: "Raise the synthesizer's `contextTokens` if its window is larger, use a model with a larger one, or shorten the context.",
  });
}
