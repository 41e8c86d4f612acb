import { textOf, type CallResult } from "../calls/call.ts";
import { DivvyError, toDivvyError } from "../errors.ts";
import { bestByPairs } from "../evaluation/best-by-pairs.ts";
import { comparePair, pairAsks, type PairJudge, type PairwiseDeps } from "../evaluation/pairwise.ts";
import type { RunRequest } from "../events.ts";
import { keyOf } from "../names.ts";
import { extractXml } from "../plan/reading/extract-xml.ts";
import type { DoneResult } from "./layout.ts";

/** The result that is the answer, and why. */
export interface Choice {
  readonly result: DoneResult;
  readonly reason: string;
  /** Ids of later results that were found as good. Absent where results were not compared. */
  readonly ties?: readonly string[];
}

export interface ComparingDeps extends Omit<PairwiseDeps, "role" | "asks"> {
  /** How often a comparison gave no verdict before: what is recorded of it is asked past. */
  readonly sample: number;
}

/**
 * The best of several results, by comparing two at a time. A tie keeps the earlier one.
 *
 * @throws DivvyError `choice_failed` where a comparison gives no verdict, else what keeps it from being made
 */
export async function chooseByPairs(
  results: readonly [DoneResult, ...DoneResult[]],
  request: RunRequest,
  judge: PairJudge,
  deps: ComparingDeps,
): Promise<Choice> {
  // They are the answer: what they use is the synthesizer's, and the share of the budget that is kept back for it is theirs.
  const asking = { ...deps, role: "synthesizer" as const, asks: pairAsks * (1 + deps.sample) };
  const found = await bestByPairs(results, async (best, next) => {
    try {
      return await comparePair({ request, a: best.result, b: next.result }, judge, asking);
    } catch (thrown) {
      throw noChoice(thrown, best.id, next.id);
    }
  });
  const { best, reasons } = found;
  const ties = found.ties.map(({ id }) => id);
  const tied = ties.length === 0 ? "" : `As good: ${ties.join(", ")}; the earlier one stands. `;
  return { result: best, reason: `${tied}${reasons}`.trim(), ties };
}

function noChoice(thrown: unknown, one: string, other: string): DivvyError {
  const error = toDivvyError(thrown);
  if (error.code !== "no_verdict") return error;
  return new DivvyError("choice_failed", `The synthesizer did not say which of "${one}" and "${other}" is better.`, {
    ...(error.evidence && { evidence: error.evidence }),
    cause: error,
  });
}

/**
 * The result that a synthesizer named in one reply, as the prompt of a user asks for it; its own words are never put in a result's
 * place. A reply may quote a result that holds `<choice>` itself: where it names several results, no one can tell which of them
 * the synthesizer means.
 *
 * @throws DivvyError `choice_failed` where it names none, or several
 */
export function choiceIn(answer: Pick<CallResult, "content">, results: readonly DoneResult[]): Choice {
  const reply = textOf(answer);
  const named = [...reply.matchAll(/<choice(?:\s[^<>]*)?>([^<]*)<\/choice\s*>/gi)].map(([, name = ""]) => name.trim());
  const keys = new Set(named.map(keyOf));
  const [result, other] = results.filter(({ id }) => keys.has(keyOf(id)));
  if (result !== undefined && other === undefined) return { result, reason: extractXml(reply, "reason").trim() };
  throw new DivvyError("choice_failed", whyNoChoice(named[0], other !== undefined), {
    evidence: { partialText: reply, known: results.map(({ id }) => id) },
  });
}

function whyNoChoice(named: string | undefined, isSeveral: boolean): string {
  if (isSeveral) return "The synthesizer named several results.";
  return named ? `The synthesizer chose "${named}", which is no result.` : "The synthesizer named no result.";
}
