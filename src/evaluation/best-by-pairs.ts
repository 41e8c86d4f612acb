import type { PairVerdict } from "./pairwise.ts";

/** The best of several, and what was said of it. */
export interface Best<T> {
  readonly best: T;
  /** Of the comparison that it won last; of the first one, where it won none. Empty where there was none. */
  readonly reasons: string;
  /** Later ones that were found as good. */
  readonly ties: readonly T[];
}

/**
 * Compares two at a time: the best so far with the next one, so that every comparison is known from those before it, and a resume
 * finds all that were made. A tie keeps the earlier one. Rejects as `compare` does.
 */
export async function bestByPairs<T>([first, ...others]: readonly [T, ...T[]], compare: (a: T, b: T) => Promise<PairVerdict>): Promise<Best<T>> {
  let best = first;
  let reasons = "";
  let ties: T[] = [];
  for (const next of others) {
    const verdict = await compare(best, next);
    if (verdict.winner === "tie") ties.push(next);
    if (verdict.winner === "b") [best, ties] = [next, []];
    if (verdict.winner === "b" || reasons === "") reasons = verdict.reasons;
  }
  return { best, reasons, ties };
}
