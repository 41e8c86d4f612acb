import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { CallPart, CallResult, Calls } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import { isShared, ranks, textOf } from "../calls/call.ts";
import { abortReason, type DivvyError, isStopped, toDivvyError } from "../errors.ts";
import { askedAgain } from "../evaluation/evaluator-prompt.ts";
import { improve } from "../evaluation/improve.ts";
import { type Evaluator, judge } from "../evaluation/judge.ts";
import type { PairJudge } from "../evaluation/pairwise.ts";
import type { Evaluation } from "../evaluation/verdict.ts";
import type { RunRequest } from "../events.ts";
import { type Form, formatOf } from "../output/form.ts";
import { askedForForm } from "../output/form-prompt.ts";
import type { Output } from "../output/read-output.ts";
import { writtenToForm } from "../output/written-to-form.ts";
import type { Fence } from "../prompt/fence.ts";
import { moreOfTry } from "../sample.ts";
import type { Combine } from "../subtask.ts";
import { type Choice, choiceIn, chooseByPairs } from "./choose.ts";
import { fitted, type Window } from "./fitted.ts";
import { layOut, notCovered } from "./layout.ts";
import { synthesizerMessages, type SynthesizerQuestion, type SynthesizerRole } from "./synthesizer-messages.ts";

/** Where the answer goes while it is written. */
export interface AnswerSink {
  write(delta: string): void;
  /** May what was written be taken back? Not where some of it has left through a door that cannot. */
  mayRestart(): boolean;
  /** Takes back what was written, if that may be. */
  restart(): boolean;
  /** From now on nothing leaves through a door that cannot take it back, until it is let go. */
  hold(): void;
  letGo(): void;
}

export interface SynthesisInput extends SynthesizerQuestion {
  readonly combine: Combine | "none";
  readonly planComplete: boolean;
  /** Subtasks over the limit. @default 0 */
  readonly dropped?: number;
}

export interface SynthesisDeps {
  readonly calls: Calls;
  readonly run: RunScope;
  readonly signal: AbortSignal;
  readonly fence: Fence;
  readonly role: SynthesizerRole;
  readonly sink: AnswerSink;
  /** Raised where the recorded answer to the same question was of no use. @default 0 */
  readonly sample?: number;
  /** What the results must fit. @default no bound */
  readonly window?: Window;
}

/** How the answer came about; `error` where it is not the answer that was asked for. */
export interface Synthesis {
  readonly mode: Combine | "none";
  /** Present where the answer was judged. */
  readonly evaluation?: Evaluation;
  /** What the schema of its form made of the answer. Absent where it has none. */
  readonly output?: Output;
  readonly error?: DivvyError;
}

/**
 * From results to one answer, written to the sink. If the synthesizer fails, the results themselves, laid out, are the answer.
 * Never rejects.
 */
export async function synthesize(input: SynthesisInput, deps: SynthesisDeps): Promise<Synthesis> {
  const { combine, results, missing, planComplete, dropped } = input;
  const { sink, signal, role } = deps;
  if (combine === "none" || results.length === 0) return { mode: "none" };
  if (isStopped(signal)) return { mode: "none", error: abortReason(signal) };

  const needsCall = combine !== "keep" && (results.length > 1 || role.form !== undefined);
  const { error, ...answer } = needsCall ? await askSynthesizer(combine, input, deps) : {};
  if (error !== undefined && isStopped(signal)) return { mode: "none", error };
  if (error !== undefined && !sink.restart()) {
    sink.write("\n\n**The text above broke off.** Here are the results from which it was being written.\n\n");
  }
  if (!needsCall || error !== undefined) sink.write(layOut(results));
  const gaps = notCovered(missing, planComplete, dropped);
  // After JSON nothing can stand: what is missing is in the coverage.
  if (gaps !== "" && answer.output === undefined) sink.write(`\n\n${gaps}`);
  return error === undefined ? { mode: combine, ...answer } : { mode: "keep", error };
}

/** Merges or chooses by calls; what went wrong with it, if anything did. */
async function askSynthesizer(combine: "merge" | "choose", input: SynthesisInput, deps: SynthesisDeps): Promise<Omit<Synthesis, "mode">> {
  const { run, signal, role } = deps;
  if (signal.aborted) return { error: abortReason(signal) };
  run.emit({ type: "synthesis.started", combine, model: role.model });
  try {
    if (combine === "choose") {
      await choose(input, deps);
      return {};
    }
    const { messages, maxOutputTokens } = await fitted(input, { ...deps, rank: ranks.answer });
    const writing = { ...deps, role: { ...role, settings: { ...role.settings, maxOutputTokens } } };
    if (role.evaluator !== undefined) return await writeUntilGood(role.evaluator, messages, input.request, writing);
    const { output } = await write(messages, writing);
    return output === undefined ? {} : { output };
  } catch (thrown) {
    const error = toDivvyError(thrown);
    run.emit({ type: "synthesis.failed", error: error.toJSON() });
    return { error };
  }
}

function ask(
  messages: LanguageModelV4Prompt,
  { calls, run, signal, role, sink, sample = 0 }: SynthesisDeps,
  onPart: (part: CallPart) => void,
  { form, more = 0 }: { readonly form?: Form | undefined; readonly more?: number } = {},
): Promise<CallResult> {
  const request = { model: role.model, messages, settings: role.settings, ...formatOf(form), sample: sample + more };
  return calls(request, { run, role: "synthesizer", rank: ranks.answer, signal, rules: role.rules, mayRestart: () => sink.mayRestart(), onPart });
}

/** An answer that was written. */
interface Written {
  readonly text: string;
  readonly output?: Output;
}

/** Writes the answer to the sink, in its form where it has one, and gives it back. */
async function write(messages: LanguageModelV4Prompt, deps: SynthesisDeps): Promise<Written> {
  const { sink, run, fence, role } = deps;
  const { form } = role;
  let isOthers = false;
  const asked = async (messages: LanguageModelV4Prompt, more = 0): Promise<string> => {
    const onPart = (part: CallPart): void => {
      if (part.type === "attempt") sink.restart();
      else if (part.type === "text") sink.write(part.delta);
    };
    const reply = await ask(messages, deps, onPart, { form, more });
    isOthers = isShared(reply, run);
    return textOf(reply);
  };
  const reply = await asked(messages);
  if (form === undefined) return { text: reply };
  const { draft, text, output } = await writtenToForm(reply, {
    form,
    textOf: (draft) => draft,
    isShared: () => isOthers,
    again: async (draft, issues, more) => {
      sink.restart();
      return await asked(askedForForm(messages, draft, issues, fence), more);
    },
    onRejected: (rejected) => run.emit({ type: "output.rejected", ...rejected }),
    // What was read as JSON cannot be followed by other JSON.
    mayRepair: () => sink.mayRestart(),
  });
  if (text !== draft && sink.restart()) sink.write(text);
  return { text, output };
}

/** Only the best try leaves for those who cannot take anything back; all others see each try while it is written. */
async function writeUntilGood(
  evaluator: Evaluator,
  messages: LanguageModelV4Prompt,
  request: RunRequest,
  deps: SynthesisDeps,
): Promise<Pick<Synthesis, "evaluation" | "output">> {
  const { sink, run, fence } = deps;
  let last: Written | undefined;
  let tries = 0;
  sink.hold();
  try {
    const { work, evaluation } = await improve<Written>({
      ...evaluator,
      write: async (before) => {
        sink.restart();
        last = undefined;
        const asked = before === undefined ? messages : askedAgain(messages, before.work.text, before.verdict.reasons, fence);
        last = await write(asked, { ...deps, sample: (deps.sample ?? 0) + moreOfTry(++tries) });
        return last;
      },
      judge: ({ text }) => judge(evaluator, { request, text }, { ...deps, rank: ranks.answer }),
      onVerdict: (verdict) => run.emit({ type: "answer.evaluated", ...verdict }),
    });
    if (work !== last) {
      sink.restart();
      sink.write(work.text);
    }
    return { evaluation, ...(work.output && { output: work.output }) };
  } catch (thrown) {
    // As long as it is held: what is let go leaves at once.
    sink.restart();
    throw thrown;
  } finally {
    sink.letGo();
  }
}

/** By comparing two at a time; where a prompt of the user's own asks for the choice, by its one reply. */
async function choose(input: SynthesisInput, deps: SynthesisDeps): Promise<void> {
  const { role, run, sink, sample = 0 } = deps;
  const { result, reason, ties } = await chosen(input, role.comparing, { ...deps, sample });
  run.emit({ type: "synthesis.chosen", subtaskId: result.id, reason, ...(ties && { ties }) });
  sink.write(result.result);
}

async function chosen(input: SynthesisInput, judge: PairJudge | undefined, deps: SynthesisDeps & { readonly sample: number }): Promise<Choice> {
  const { request, results } = input;
  const [first, ...others] = results;
  if (judge !== undefined && first !== undefined) return await chooseByPairs([first, ...others], request, judge, { ...deps, rank: ranks.answer });
  return choiceIn(await ask(synthesizerMessages("choose", input, deps), deps, () => undefined), results);
}
