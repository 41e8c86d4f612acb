import { type CalledModel, type Calls, isShared, type Rank, textOf } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import { abortReason, DivvyError } from "../errors.ts";
import { isRecord } from "../json.ts";
import { unlessAborted } from "../unless-aborted.ts";
import type { Fence } from "../prompt/fence.ts";
import { evaluatorMessages, type JudgedPiece } from "./evaluator-prompt.ts";
import { readVerdict, type Verdict, verdictSchema } from "./verdict.ts";

/** A function of one's own that judges, in place of a model: a compiler, a test, a rule. What it throws is no verdict. */
export type JudgeFunction = (piece: JudgedPiece, options: { readonly signal: AbortSignal }) => Verdict | Promise<Verdict>;

/** A model that judges by criteria. */
export interface ModelJudge extends CalledModel {
  readonly criteria: string;
}

/** Who judges the work of a role, and by what. */
export interface Evaluator {
  readonly judge: ModelJudge | JudgeFunction;
  /** The least score that is good enough, from 0 to 1. */
  readonly threshold: number;
  /** Tries of one piece of work, the first included. */
  readonly maxAttempts: number;
}

/** The model that judges; nothing where nobody does, or a function. */
export function modelJudge(evaluator: Evaluator | undefined): ModelJudge | undefined {
  return typeof evaluator?.judge === "object" ? evaluator.judge : undefined;
}

export interface JudgeDeps {
  readonly calls: Calls;
  readonly run: RunScope;
  readonly signal: AbortSignal;
  readonly fence: Fence;
  /** Of the call, as its subtask's or the answer's own calls have it. */
  readonly rank: Rank;
}

/** How often one is asked, at most, for one verdict. */
export const asks = 2;

/**
 * Has a piece of work judged.
 *
 * @throws DivvyError `no_verdict` where the judge gives none, else what keeps the judge from it
 */
export async function judge({ judge: by }: Evaluator, piece: JudgedPiece, deps: JudgeDeps): Promise<Verdict> {
  return typeof by === "function" ? await askFunction(by, piece, deps.signal) : await askModel(by, piece, deps);
}

async function askFunction(by: JudgeFunction, piece: JudgedPiece, signal: AbortSignal): Promise<Verdict> {
  let verdict: unknown;
  try {
    verdict = await unlessAborted(asked(by, piece, signal), signal);
  } catch (thrown) {
    if (signal.aborted) throw abortReason(signal);
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new DivvyError("no_verdict", `The function that judges threw: ${message}`, { cause: thrown });
  }
  if (isVerdict(verdict)) return verdict;
  throw new DivvyError("no_verdict", "The function that judges gave no { score, reasons } with a score from 0 to 1.");
}

/** What it throws at once is a rejection too. */
async function asked(by: JudgeFunction, piece: JudgedPiece, signal: AbortSignal): Promise<unknown> {
  return await by(piece, { signal });
}

function isVerdict(value: unknown): value is Verdict {
  if (!isRecord(value)) return false;
  const { score, reasons } = value;
  return typeof score === "number" && score >= 0 && score <= 1 && typeof reasons === "string";
}

async function askModel(
  { model, settings, rules, criteria }: ModelJudge,
  piece: JudgedPiece,
  { calls, run, signal, fence, rank }: JudgeDeps,
): Promise<Verdict> {
  const messages = evaluatorMessages(piece, criteria, fence);
  const subtaskId = piece.subtask?.id;
  let reply = "";
  for (let [sample, own] = [0, 0]; own < asks; sample++) {
    const result = await calls(
      { model, messages, settings, responseFormat: { type: "json", schema: verdictSchema, name: "verdict" }, sample },
      { run, role: "evaluator", ...(subtaskId !== undefined && { subtaskId }), rank, signal, rules },
    );
    reply = textOf(result);
    const verdict = readVerdict(reply);
    if (verdict !== undefined) return verdict;
    if (!isShared(result, run)) own++;
  }
  throw new DivvyError("no_verdict", `The evaluator (${model}) gave no score with reasons, though it was asked ${asks} times.`, {
    evidence: { partialText: reply },
  });
}
