import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { type CalledModel, isShared, ranks, textOf } from "../calls/call.ts";
import { DivvyError, toDivvyError } from "../errors.ts";
import { askedAgain } from "../evaluation/evaluator-prompt.ts";
import { improve } from "../evaluation/improve.ts";
import { type Evaluator, judge } from "../evaluation/judge.ts";
import type { Evaluation, Verdict } from "../evaluation/verdict.ts";
import { type Form, formatOf } from "../output/form.ts";
import { askedForForm, withForm } from "../output/form-prompt.ts";
import { writtenToForm } from "../output/written-to-form.ts";
import { type RolePrompt, renderPrompt } from "../prompt/role-prompt.ts";
import type { Fence } from "../prompt/fence.ts";
import { moreOfTry, sampleOfSeveral } from "../sample.ts";
import type { SampleChoice } from "../sample-choice.ts";
import { contextText, contextVariables, variablesOf } from "../prompt/template.ts";
import type { Author, Delivered } from "./author.ts";
import { FunctionAuthor, type FunctionKind } from "./function-worker.ts";
import type { Job, WorkerDeps } from "./job.ts";
import { isFunctionKind } from "../role.ts";
import { responseText, unableReason } from "./response-text.ts";
import { SampledAuthor, type Sampling } from "./sampled-author.ts";
import { SubtaskText } from "./subtask-text.ts";
import { upstreamText, type WorkerPromptInput } from "./worker-prompt.ts";

/** A kind of worker that is a model: which, how it is asked, and what holds for its calls. */
export interface WorkerKind extends CalledModel {
  /** As the options name it; `default` for the general one. */
  readonly name: string;
  readonly prompt: RolePrompt<WorkerPromptInput>;
  /** Absent where results are text. */
  readonly form?: Form;
  /** Absent where results are taken as they come. */
  readonly evaluator?: Evaluator;
  /** Absent where each subtask is carried out once. */
  readonly sampling?: Sampling;
}

export type JobEnd =
  | (Delivered & { readonly status: "done"; readonly attempts: number; readonly evaluation?: Evaluation; readonly chosen?: SampleChoice })
  | { readonly status: "failed"; readonly error: DivvyError; readonly attempts: number };

/** The names that a worker's template can use besides the context's own keys. */
export const workerVariables: readonly string[] = ["task", "original_task", "context", "task_type", "task_description", "upstream"];

/** One worker, alone: has the subtask carried out by its model or function, and where it is judged, until it is good enough. Never rejects. */
export async function carryOutSubtask(kind: WorkerKind | FunctionKind, job: Job, deps: WorkerDeps): Promise<JobEnd> {
  const author = isFunctionKind(kind) ? new FunctionAuthor(kind, job, deps) : modelAuthor(kind, job, deps);
  try {
    if (kind.evaluator === undefined) return { status: "done", ...(await author.write()), ...endOf(author) };
    return { status: "done", ...(await improved(kind.evaluator, author, job, deps)), ...endOf(author) };
  } catch (thrown) {
    return { status: "failed", error: toDivvyError(thrown), attempts: author.attempts };
  }
}

function endOf({ attempts, chosen }: Author): { readonly attempts: number; readonly chosen?: SampleChoice } {
  return { attempts, ...(chosen && { chosen }) };
}

/** Of a kind with several tries one for each, under numbers that no other subtask of the same words has. */
function modelAuthor(kind: WorkerKind, job: Job, deps: WorkerDeps): Author {
  const { sampling } = kind;
  if (sampling === undefined) return new ModelAuthor(kind, job, deps);
  const { count, judge } = sampling;
  const author = (index: number): ModelAuthor => new ModelAuthor(kind, { ...job, sample: sampleOfSeveral(job.sample, count, index) }, deps, index);
  const others = Array.from({ length: count - 1 }, (_, index) => author(index + 1));
  return new SampledAuthor([author(0), ...others], judge, job, deps);
}

/** Asks a model to carry out a subtask, and takes its reply apart. */
class ModelAuthor implements Author {
  readonly text: SubtaskText;
  attempts = 0;
  #tries = 0;
  /** May the last reply be another run's? */
  #isShared = false;
  readonly #kind: WorkerKind;
  readonly #job: Job;
  readonly #deps: WorkerDeps;
  readonly #part: string | undefined;

  /** @param aside which one it is beside the first, of several at once: readers do not see what it writes */
  constructor(kind: WorkerKind, job: Job, deps: WorkerDeps, aside = 0) {
    [this.#kind, this.#job, this.#deps] = [kind, job, deps];
    this.#part = aside === 0 ? undefined : String(aside + 1);
    this.text = new SubtaskText(aside === 0 ? deps.run.emit : () => undefined, job.subtask.id);
  }

  async write(before?: { readonly work: Delivered; readonly verdict: Verdict }): Promise<Delivered> {
    const { form } = this.#kind;
    const { run, fence } = this.#deps;
    const first = workerMessages(this.#kind, this.#job, fence);
    const messages = before === undefined ? first : askedAgain(first, before.work.result, before.verdict.reasons, fence);
    const moreOf = moreOfTry(++this.#tries);
    const reply = await this.#ask(messages, moreOf);
    if (form === undefined) return reply;
    const { draft, text, output } = await writtenToForm(reply, {
      form,
      textOf: ({ result }) => result,
      isShared: () => this.#isShared,
      again: (draft, issues, more) => this.#ask(askedForForm(messages, draft.result, issues, fence), moreOf + more),
      onRejected: (rejected) =>
        run.emit({ type: "output.rejected", subtaskId: this.#job.subtask.id, ...(this.#part !== undefined && { part: this.#part }), ...rejected }),
    });
    if (text !== draft.result) this.text.goBackTo(text);
    return { ...draft, result: text, output };
  }

  /**
   * One call.
   *
   * @param more added to its sample
   */
  async #ask(messages: LanguageModelV4Prompt, more: number): Promise<Delivered> {
    const { model, settings, rules, form } = this.#kind;
    const { calls, run, signal } = this.#deps;
    this.text.begin();
    try {
      const reply = await calls(
        { model, messages, settings, ...formatOf(form), sample: this.#job.sample + more },
        {
          run,
          role: "worker",
          subtaskId: this.#job.subtask.id,
          ...(this.#part !== undefined && { part: this.#part }),
          rank: ranks.work,
          signal,
          // A wrapper around nothing is nothing, and asked for again as such.
          rules: { ...rules, isEmpty: (text) => responseText(text) === "" },
          onPart: (part) => this.text.add(part),
        },
      );
      this.text.end();
      this.attempts += reply.attempts;
      this.#isShared = isShared(reply, run);
      return delivered(textOf(reply), reply.finishReason.unified === "length");
    } catch (thrown) {
      const error = toDivvyError(thrown);
      if (error.code !== "unable") this.attempts += error.evidence?.attempts ?? 0;
      throw error;
    }
  }
}

async function improved(
  evaluator: Evaluator,
  author: Author,
  { request, subtask }: Job,
  deps: WorkerDeps,
): Promise<Delivered & { readonly evaluation: Evaluation }> {
  let last: Delivered | undefined;
  const { work, evaluation } = await improve<Delivered>({
    ...evaluator,
    write: async (before) => {
      // One that breaks off half way has been seen, too.
      last = undefined;
      last = await author.write(before);
      return last;
    },
    judge: ({ result }) => judge(evaluator, { request, subtask, text: result }, { ...deps, rank: ranks.work }),
    onVerdict: (verdict) => deps.run.emit({ type: "subtask.evaluated", subtaskId: subtask.id, ...verdict }),
  });
  if (work !== last) author.text.goBackTo(work.result);
  return { ...work, evaluation };
}

/** @throws DivvyError `unable` where the worker says that it cannot do it */
function delivered(reply: string, truncated: boolean): Delivered {
  const result = responseText(reply);
  const missing = unableReason(result);
  if (missing === undefined) return { result, truncated };
  throw new DivvyError("unable", `The worker says that it cannot do this: ${missing}`);
}

/** What a worker is asked. The form of its result is said last: what workers share stays the same to the byte. */
export function workerMessages(kind: Pick<WorkerKind, "prompt" | "form">, job: Job, fence: Fence): LanguageModelV4Prompt {
  return withForm(promptMessages(kind.prompt, job, fence), kind.form, unlessUnable);
}

const unlessUnable = " Only <unable>what is missing</unable> may stand in its place, where something indispensable is missing.";

function promptMessages(prompt: WorkerKind["prompt"], { request, subtask, upstream }: Job, fence: Fence): LanguageModelV4Prompt {
  const { task, context } = request;
  const { type, description } = subtask;
  const input: WorkerPromptInput = { task, context, type, description, upstream, fence };
  if (typeof prompt !== "string") return renderPrompt("worker", prompt, input, new Map());

  const upstreamPart = upstreamText(upstream, fence);
  const named = upstream.length === 0 || variablesOf(prompt).includes("upstream");
  const template = named ? prompt : `${prompt}\n\n{upstream}`;
  const values = new Map([
    ...contextVariables(context),
    ["task", task],
    ["original_task", task],
    ["context", contextText(context)],
    ["task_type", type],
    ["task_description", description],
    ["upstream", upstreamPart],
  ]);
  return renderPrompt("worker", template, input, values);
}
