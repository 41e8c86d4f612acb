import { isStop, toDivvyError } from "../errors.ts";
import type { Evaluation, TryVerdict, Verdict } from "./verdict.ts";

/** What is written, judged, and written again. */
export interface Improving<Work> {
  readonly threshold: number;
  readonly maxAttempts: number;
  /** Writes one try. `before` is the last one and what was said of it; nothing for the first. Rejects with a `DivvyError`. */
  readonly write: (before: { readonly work: Work; readonly verdict: Verdict } | undefined) => Promise<Work>;
  /** Rejects with a `DivvyError`. */
  readonly judge: (work: Work) => Promise<Verdict>;
  /** A try was judged. */
  readonly onVerdict: (verdict: TryVerdict) => void;
}

/** The best try, and how it stands. */
export interface Improved<Work> {
  readonly work: Work;
  readonly evaluation: Evaluation;
}

interface Judged<Work> {
  readonly work: Work;
  readonly verdict: Verdict;
}

/**
 * Writes until a try is good enough, at most so often, and keeps the best: of several with one score, the later, which answers what
 * was said of the earlier. What goes wrong after the first try is no reason to lose it.
 *
 * Rejects with a `DivvyError` where the first try fails, and where the run is stopped.
 */
export async function improve<Work>({ threshold, maxAttempts, write, judge, onVerdict }: Improving<Work>): Promise<Improved<Work>> {
  let best: Judged<Work> | undefined;
  let before: Judged<Work> | undefined;
  for (let number = 1; ; number++) {
    let work: Work;
    try {
      work = await write(before);
    } catch (thrown) {
      const error = toDivvyError(thrown);
      if (best === undefined || isStop(error)) throw error;
      return { work: best.work, evaluation: { ...best.verdict, passed: false, tries: number - 1, error: error.toJSON() } };
    }
    let verdict: Verdict;
    try {
      verdict = await judge(work);
    } catch (thrown) {
      const error = toDivvyError(thrown);
      if (isStop(error)) throw error;
      const { work: kept, verdict } = best ?? { work, verdict: { reasons: error.message } };
      return { work: kept, evaluation: { ...verdict, passed: false, tries: number, error: error.toJSON() } };
    }
    const passed = verdict.score >= threshold;
    onVerdict({ ...verdict, try: number, passed });
    before = { work, verdict };
    if (best === undefined || verdict.score >= best.verdict.score) best = before;
    if (passed || number >= maxAttempts) return { work: best.work, evaluation: { ...best.verdict, passed, tries: number } };
  }
}
