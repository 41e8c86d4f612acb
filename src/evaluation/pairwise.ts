import { type CalledModel, type Calls, type Rank, textOf } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import { DivvyError } from "../errors.ts";
import type { RunRequest } from "../events.ts";
import { isRecord } from "../json.ts";
import type { Fence } from "../prompt/fence.ts";
import type { Role } from "../role.ts";
import { jsonIn } from "../output/json-in.ts";
import { sentence } from "../sentence.ts";
import { pairwiseFormat, pairwiseMessages, type ShownPair } from "./pairwise-prompt.ts";

/** Two texts that were written for one request. */
export interface Pair {
  readonly request: RunRequest;
  readonly a: string;
  readonly b: string;
}

export interface PairVerdict {
  readonly winner: "a" | "b" | "tie";
  /** In the judge's words, as they were said where the winner was shown first; of a tie, what was said in either order. */
  readonly reasons: string;
}

/** The model that compares. */
export type PairJudge = CalledModel;

export interface PairwiseDeps {
  readonly calls: Calls;
  readonly run: RunScope;
  readonly signal: AbortSignal;
  readonly fence: Fence;
  readonly rank: Rank;
  /** Whose calls they are, for what they use. @default "evaluator" */
  readonly role?: Role;
  /** Of the subtask whose tries are compared. */
  readonly subtaskId?: string;
  /** How often one is asked, at most, for one verdict: what is recorded without one counts. @default 2 */
  readonly asks?: number;
}

/** Calls that one comparison takes, where each reply holds a verdict. */
export const callsAPair = 2;

/** How often one is asked, at most, for one verdict. */
export const pairAsks = 2;

interface Said {
  readonly better: "first" | "second" | "tie";
  readonly reasons: string;
}

/**
 * Which of two texts serves a request better. It is asked twice at once, with the places of the two swapped: only where both replies
 * name the same text has it won. A judge who goes by the place says nothing about the texts, and that is a tie.
 *
 * @throws DivvyError `no_verdict` where the judge gives none, else what keeps the judge from it
 */
export async function comparePair({ request, a, b }: Pair, judge: PairJudge, deps: PairwiseDeps): Promise<PairVerdict> {
  if (a === b) return { winner: "tie", reasons: "The two are the same, word for word." };
  // Both are waited for, whatever becomes of one: nothing of a comparison goes on when it is over.
  const [ahead, swapped] = await Promise.allSettled([
    ask({ request, first: a, second: b }, judge, deps, "1"),
    ask({ request, first: b, second: a }, judge, deps, "2"),
  ]);
  if (ahead.status === "rejected") throw ahead.reason;
  if (swapped.status === "rejected") throw swapped.reason;
  return verdictOf(ahead.value, swapped.value);
}

function verdictOf(ahead: Said, swapped: Said): PairVerdict {
  if (ahead.better === "first" && swapped.better === "second") return { winner: "a", reasons: ahead.reasons };
  if (ahead.better === "second" && swapped.better === "first") return { winner: "b", reasons: swapped.reasons };
  if (ahead.better === "tie" && swapped.better === "tie") return { winner: "tie", reasons: ahead.reasons };
  return {
    winner: "tie",
    reasons: `The judge said otherwise when the two changed places. In one order: ${sentence(ahead.reasons)} In the other: ${sentence(swapped.reasons)}`,
  };
}

async function ask(shown: ShownPair, { model, settings, rules }: PairJudge, deps: PairwiseDeps, part: string): Promise<Said> {
  const { calls, run, signal, fence, rank, role = "evaluator", subtaskId, asks = pairAsks } = deps;
  const ref = { role, ...(subtaskId !== undefined && { subtaskId }), part };
  const messages = pairwiseMessages(shown, fence);
  let reply = "";
  for (let sample = 0; sample < asks; sample++) {
    reply = textOf(await calls({ model, messages, settings, ...pairwiseFormat, sample }, { run, ...ref, rank, signal, rules }));
    const said = read(reply);
    if (said !== undefined) return said;
  }
  throw new DivvyError("no_verdict", `The model that compares (${model}) did not say which of two texts is better, though it was asked ${asks} times.`, {
    evidence: { partialText: reply },
  });
}

function read(reply: string): Said | undefined {
  const value = jsonIn(reply)?.value;
  if (!isRecord(value)) return undefined;
  const { better, reasons } = value;
  if ((better !== "first" && better !== "second" && better !== "tie") || typeof reasons !== "string") return undefined;
  return { better, reasons: reasons.trim() };
}
