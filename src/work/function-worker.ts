import { abortReason, DivvyError } from "../errors.ts";
import type { Evaluator } from "../evaluation/judge.ts";
import type { Verdict } from "../evaluation/verdict.ts";
import type { RunRequest } from "../events.ts";
import type { Form } from "../output/form.ts";
import { notOfForm, readOutput } from "../output/read-output.ts";
import type { Subtask } from "../subtask.ts";
import { unlessAborted } from "../unless-aborted.ts";
import type { Author, Delivered } from "./author.ts";
import { SubtaskText } from "./subtask-text.ts";
import type { Job, WorkerDeps } from "./job.ts";
import type { Upstream } from "./worker-prompt.ts";

/** What a worker that is a function may use. */
export interface FunctionTools {
  readonly request: RunRequest;
  /** Results that the subtask builds on. */
  readonly upstream: readonly Upstream[];
  /** Aborts when the run is stopped or the worker's time is up: nobody waits for it from then on. */
  readonly signal: AbortSignal;
  /** Shows text while the result is made, as a model's is shown while it is written. Once it is there, nothing more is shown. */
  readonly emit: (text: string) => void;
  /** Its last result and what was said of that, where it is judged and has fallen short. */
  readonly before?: { readonly result: string; readonly verdict: Verdict };
}

/**
 * A worker of one's own, in place of a model: code, a database, another agent. The text that it gives is the result, and may be empty: the
 * subtask is done then, too. What it throws fails its subtask.
 */
export type WorkerFunction = (subtask: Subtask, tools: FunctionTools) => string | Promise<string>;

/** One whose kind has an `output`: it gives a JSON value, or a promise of one, which the schema is to find valid. */
export type OutputWorkerFunction = (subtask: Subtask, tools: FunctionTools) => unknown;

/** A kind of worker that is a function. */
export interface FunctionKind {
  /** As the options name it. */
  readonly name: string;
  readonly run: WorkerFunction | OutputWorkerFunction;
  /** May it be run again where it had begun before, and nobody knows how far it came? */
  readonly idempotent: boolean;
  readonly totalMs: number;
  /** Absent where it gives text. */
  readonly form?: Form;
  readonly evaluator?: Evaluator;
}

/** The runs of one function for one subtask. */
export class FunctionAuthor implements Author {
  readonly text: SubtaskText;
  readonly attempts = 0;
  readonly #kind: FunctionKind;
  readonly #job: Job;
  readonly #deps: WorkerDeps;
  /** Of an earlier life, and not given yet. */
  readonly #kept: string[];

  constructor(kind: FunctionKind, job: Job, deps: WorkerDeps) {
    [this.#kind, this.#job, this.#deps] = [kind, job, deps];
    this.#kept = [...(job.before?.results ?? [])];
    this.text = new SubtaskText(deps.run.emit, job.subtask.id);
  }

  async write(before?: { readonly work: Delivered; readonly verdict: Verdict }): Promise<Delivered> {
    const { request, subtask, upstream } = this.#job;
    const { run, signal, clock } = this.#deps;
    const kept = this.#kept.shift();
    if (kept !== undefined) return await this.#given(kept);
    if (this.#job.before?.mayHaveBegun === true && !this.#kind.idempotent) throw notRepeated(subtask);
    const over = run.budget?.outOfTime;
    if (before !== undefined && over !== undefined) throw over;
    // It may act outside: who comes after a crash must know that it had begun.
    await run.committed();
    if (signal.aborted) throw abortReason(signal);
    const time = new AbortController();
    const cancel = clock.setTimer(this.#kind.totalMs, () => time.abort(outOfTime(subtask, this.#kind.totalMs)));
    const either = AbortSignal.any([signal, time.signal]);
    this.text.begin();
    let isOver = false;
    try {
      const emit = (text: string): void => {
        if (!isOver && !either.aborted) this.text.add({ type: "text", delta: text });
      };
      const tools = { request, upstream, signal: either, emit, ...(before && { before: { result: before.work.result, verdict: before.verdict } }) };
      const given: unknown = await unlessAborted(called(this.#kind.run, subtask, tools), either);
      const delivered = await this.#delivered(given);
      this.text.goBackTo(delivered.result);
      if (this.#kind.evaluator !== undefined) {
        run.emit({ type: "subtask.delivered", subtaskId: subtask.id, result: delivered.result });
        await run.committed();
      }
      return delivered;
    } catch (thrown) {
      if (either.aborted) throw abortReason(either);
      throw failed(subtask, thrown);
    } finally {
      isOver = true;
      cancel();
    }
  }

  async #given(kept: string): Promise<Delivered> {
    const delivered = await this.#read(kept);
    this.text.goBackTo(delivered.result);
    return delivered;
  }

  /** Its JSON is read as it will be read from the log: what does not survive that is lost now, and not only there. */
  async #delivered(given: unknown): Promise<Delivered> {
    const { form } = this.#kind;
    const { id } = this.#job.subtask;
    const result = form === undefined ? given : jsonOf(given);
    if (typeof result !== "string") {
      throw new DivvyError("worker_failed", `The function for "${id}" gave no ${form === undefined ? "text" : "JSON value"}, but ${typeof given}.`);
    }
    return await this.#read(result);
  }

  async #read(result: string): Promise<Delivered> {
    const { form } = this.#kind;
    const { id } = this.#job.subtask;
    if (form === undefined) return { result, truncated: false };
    const read = await readOutput(form, result);
    if (!("issues" in read)) return { result, truncated: false, output: read.output };
    this.#deps.run.emit({ type: "output.rejected", subtaskId: id, try: 1, issues: read.issues });
    throw notOfForm(result, read.issues, 1);
  }
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** What it throws at once is a rejection too. */
async function called(run: FunctionKind["run"], subtask: Subtask, tools: FunctionTools): Promise<unknown> {
  return await run(subtask, tools);
}

function failed({ id }: Subtask, thrown: unknown): DivvyError {
  // One that carries out a run of its own may have used up that one's budget: that says nothing of this run's.
  if (thrown instanceof DivvyError && thrown.code !== "budget_exhausted") return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new DivvyError("worker_failed", `The function for "${id}" threw: ${message}`, { cause: thrown });
}

function outOfTime({ id }: Subtask, totalMs: number): DivvyError {
  return new DivvyError("total_timeout", `The function for "${id}" took longer than ${Math.round(totalMs / 1_000)} s.`);
}

/** Why one that must not run twice is not run again. */
function notRepeated({ id }: Subtask): DivvyError {
  return new DivvyError("not_repeatable", `The function for "${id}" had begun before, and must not run twice.`);
}
