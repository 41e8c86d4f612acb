import { ranks } from "../calls/call.ts";
import { abortReason, type DivvyError, isStop, isStopped, toDivvyError } from "../errors.ts";
import { bestByPairs } from "../evaluation/best-by-pairs.ts";
import { comparePair, type PairJudge } from "../evaluation/pairwise.ts";
import type { Verdict } from "../evaluation/verdict.ts";
import type { RunRequest } from "../events.ts";
import type { SampleChoice } from "../sample-choice.ts";
import type { Author, Delivered } from "./author.ts";
import type { Job, WorkerDeps } from "./job.ts";
import type { SubtaskText } from "./subtask-text.ts";

/** Several tries of each subtask, of which the best is kept. */
export interface Sampling {
  /** Tries of one subtask, from 2 on. */
  readonly count: number;
  /** Who compares them. */
  readonly judge: PairJudge;
}

/** One of several tries that has come to something. */
interface Sample extends Delivered {
  /** From 1. */
  readonly number: number;
}

/**
 * Has a subtask carried out several times at once, and the best one chosen by comparing two at a time. Readers see the first while it
 * is written, and the chosen one in the end. Of tries that fail nothing is wanted, as long as one does not.
 */
export class SampledAuthor implements Author {
  readonly text: SubtaskText;
  chosen: SampleChoice | undefined;
  readonly #first: Author;
  readonly #others: readonly Author[];
  readonly #judge: PairJudge;
  readonly #job: Job;
  readonly #deps: WorkerDeps;

  /** @param authors one for each try; readers see what the first writes */
  constructor([first, ...others]: readonly [Author, ...Author[]], judge: PairJudge, job: Job, deps: WorkerDeps) {
    this.text = first.text;
    [this.#first, this.#others, this.#judge, this.#job, this.#deps] = [first, others, judge, job, deps];
  }

  get attempts(): number {
    return [this.#first, ...this.#others].reduce((sum, { attempts }) => sum + attempts, 0);
  }

  async write(before?: { readonly work: Delivered; readonly verdict: Verdict }): Promise<Delivered> {
    // One was chosen, and that is written again.
    if (before !== undefined) return await this.#first.write(before);
    const tries = await Promise.allSettled([this.#first, ...this.#others].map((author) => author.write()));
    const failures = tries.flatMap((tried) => (tried.status === "rejected" ? [toDivvyError(tried.reason)] : []));
    const [first, ...more] = tries.flatMap((tried, index): Sample[] => (tried.status === "fulfilled" ? [{ ...tried.value, number: index + 1 }] : []));
    // A run that is stopped tries the rest when it goes on, whatever else had failed by then.
    const stop = failures.find(isStop) ?? (failures.length > 0 && isStopped(this.#deps.signal) ? abortReason(this.#deps.signal) : undefined);
    if (stop !== undefined) throw stop;
    // One that the budget did not let begin says less than one that came to nothing: the subtask was begun.
    if (first === undefined) throw toDivvyError(failures.find(({ code }) => code !== "budget_exhausted") ?? failures[0]);
    this.#sayLeftOut(failures, tries.length);
    const kept = more.length === 0 ? first : await this.#choose([first, ...more]);
    if (kept.number !== 1) this.text.goBackTo(kept.result);
    const { number: _, ...delivered } = kept;
    return delivered;
  }

  /** What failed was tried to its end; what the budget or the run's time did not allow never was. */
  #sayLeftOut(failures: readonly DivvyError[], of: number): void {
    const { id } = this.#job.subtask;
    for (const [what, cause] of Object.entries({ budget: "budget_exhausted", "run's time": "run_timeout" })) {
      const count = failures.filter(({ code }) => code === cause).length;
      if (count === 0) continue;
      const message = `The ${what} did not allow ${count} of the ${of} tries of "${id}"; what came of the others stands.`;
      this.#deps.run.emit({ type: "run.noticed", notice: { code: "samples_left_out", message, subtaskIds: [id] } });
    }
  }

  async #choose(samples: readonly [Sample, ...Sample[]]): Promise<Sample> {
    const { subtask } = this.#job;
    const { run, signal } = this.#deps;
    const request = requestOf(this.#job);
    const deps = { ...this.#deps, rank: ranks.work, subtaskId: subtask.id };
    try {
      const { best, reasons, ties } = await bestByPairs(samples, (a, b) => comparePair({ request, a: a.result, b: b.result }, this.#judge, deps));
      this.chosen = { sample: best.number, of: samples.length, reason: reasons, ties: ties.map(({ number }) => number) };
      run.emit({ type: "subtask.chosen", subtaskId: subtask.id, ...this.chosen });
      return best;
    } catch (thrown) {
      if (isStopped(signal)) throw abortReason(signal);
      const error = toDivvyError(thrown);
      const [first] = samples;
      const message = `The ${samples.length} tries of "${subtask.id}" could not be compared, and number ${first.number} stands: ${error.message}`;
      run.emit({ type: "run.noticed", notice: { code: "samples_not_compared", message, subtaskIds: [subtask.id] } });
      return first;
    }
  }
}

/** The subtask as a request of its own: what it was part of is what it is about. */
function requestOf({ request: { task, context }, subtask }: Job): RunRequest {
  const about = typeof context === "string" ? (context === "" ? {} : { context }) : context;
  return { task: subtask.description, context: { ...about, part_of: task } };
}
