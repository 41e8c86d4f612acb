import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { CallContext, CallPart, CallResult, Calls, CallSettings, RunScope } from "../calls/call.ts";
import { textOf } from "../calls/call.ts";
import { abortReason, DivvyError, isStop, toDivvyError } from "../errors.ts";
import { askedAgain } from "../evaluation/evaluator-prompt.ts";
import { improve } from "../evaluation/improve.ts";
import { type Evaluator, judge } from "../evaluation/judge.ts";
import type { Evaluation } from "../evaluation/verdict.ts";
import type { Request } from "../events.ts";
import { keyOf } from "../names.ts";
import { extractXml } from "../plan/extract-xml.ts";
import type { Fence } from "../prompt/fence.ts";
import { type RolePrompt, renderPrompt } from "../prompt/role-prompt.ts";
import { contextText, contextVariables } from "../prompt/template.ts";
import type { Combine } from "../subtask.ts";
import { type DoneResult, layOut, type MissingResult, notCovered } from "./layout.ts";
import { resultsText, type SynthesizerPromptInput } from "./synthesizer-prompt.ts";

export interface SynthesizerRole {
  readonly model: string;
  readonly settings: CallSettings;
  readonly rules: CallContext["rules"];
  readonly prompt: RolePrompt<SynthesizerPromptInput>;
  /** Absent where the answer is taken as it comes. */
  readonly evaluator?: Evaluator;
}

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

export interface SynthesisInput {
  readonly request: Request;
  readonly analysis: string;
  readonly combine: Combine | "none";
  readonly results: readonly DoneResult[];
  readonly missing: readonly MissingResult[];
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
}

/** How the answer came about; `error` where it is not the answer that was asked for. */
export interface Synthesis {
  readonly mode: Combine | "none";
  /** Present where the answer was judged. */
  readonly evaluation?: Evaluation;
  readonly error?: DivvyError;
}

/** The names that a synthesizer's template can use besides the context's own keys. */
export const synthesizerVariables: readonly string[] = ["task", "context", "analysis", "results", "missing"];

/** Goes before workers of its own run that still wait, and after its planner. */
const synthesizerRank = 1;

/**
 * From results to one answer, written to the sink. If the synthesizer fails, the results themselves, laid out, are the answer.
 * Never rejects.
 */
export async function synthesize(input: SynthesisInput, deps: SynthesisDeps): Promise<Synthesis> {
  const { combine, results, missing, planComplete, dropped } = input;
  const { sink, signal } = deps;
  if (combine === "none" || results.length === 0) return { mode: "none" };
  if (isStopped(signal)) return { mode: "none", error: abortReason(signal) };

  const needsCall = combine !== "keep" && results.length > 1;
  const { error, evaluation } = needsCall ? await askSynthesizer(combine, input, deps) : {};
  if (error !== undefined && isStopped(signal)) return { mode: "none", error };
  if (error !== undefined && !sink.restart()) {
    sink.write("\n\n**The text above broke off.** Here are the results from which it was being written.\n\n");
  }
  if (!needsCall || error !== undefined) sink.write(layOut(results));
  const gaps = notCovered(missing, planComplete, dropped);
  if (gaps !== "") sink.write(`\n\n${gaps}`);
  return error === undefined ? { mode: combine, ...(evaluation && { evaluation }) } : { mode: "keep", error };
}

function isStopped(signal: AbortSignal): boolean {
  return signal.aborted && isStop(abortReason(signal));
}

/** Merges or chooses by calls; what went wrong with it, if anything did. */
async function askSynthesizer(combine: "merge" | "choose", input: SynthesisInput, deps: SynthesisDeps): Promise<Omit<Synthesis, "mode">> {
  const { run, signal, role } = deps;
  if (signal.aborted) return { error: abortReason(signal) };
  run.emit({ type: "synthesis.started", combine, model: role.model });
  try {
    const messages = synthesizerMessages(combine, input, deps);
    if (combine === "choose") await choose(messages, input, deps);
    else if (role.evaluator === undefined) await write(messages, deps);
    else return { evaluation: await writeUntilGood(role.evaluator, messages, input.request, deps) };
    return {};
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
): Promise<CallResult> {
  const request = { model: role.model, messages, settings: role.settings, sample };
  return calls(request, { run, role: "synthesizer", rank: synthesizerRank, signal, rules: role.rules, mayRestart: () => sink.mayRestart(), onPart });
}

/** Writes the answer to the sink, and gives it back. */
async function write(messages: LanguageModelV4Prompt, deps: SynthesisDeps): Promise<string> {
  const { sink } = deps;
  const reply = await ask(messages, deps, (part) => {
    if (part.type === "attempt") sink.restart();
    else if (part.type === "text") sink.write(part.delta);
  });
  return textOf(reply);
}

/** Only the best try leaves for those who cannot take anything back; all others see each try while it is written. */
async function writeUntilGood(evaluator: Evaluator, messages: LanguageModelV4Prompt, request: Request, deps: SynthesisDeps): Promise<Evaluation> {
  const { sink, run, fence } = deps;
  let last: string | undefined;
  sink.hold();
  try {
    const { work, evaluation } = await improve<string>({
      ...evaluator,
      write: async (before) => {
        sink.restart();
        last = undefined;
        last = await write(before === undefined ? messages : askedAgain(messages, before.work, before.verdict.reasons, fence), deps);
        return last;
      },
      judge: (text) => judge(evaluator, { request, text }, { ...deps, rank: synthesizerRank }),
      onVerdict: (verdict) => run.emit({ type: "answer.evaluated", ...verdict }),
    });
    if (work !== last) {
      sink.restart();
      sink.write(work);
    }
    return evaluation;
  } finally {
    sink.letGo();
  }
}

async function choose(messages: LanguageModelV4Prompt, { results }: SynthesisInput, deps: SynthesisDeps): Promise<void> {
  const reply = textOf(await ask(messages, deps, () => undefined));
  const { id, result } = chosen(reply, results);
  deps.run.emit({ type: "synthesis.chosen", subtaskId: id, reason: extractXml(reply, "reason").trim() });
  deps.sink.write(result);
}

/**
 * The result that the synthesizer named; its own words are never put in a result's place. A reply may quote a result that holds
 * `<choice>` itself: where it names several results, no one can tell which of them the synthesizer means.
 */
function chosen(reply: string, results: readonly DoneResult[]): DoneResult {
  const named = [...reply.matchAll(/<choice(?:\s[^<>]*)?>([^<]*)<\/choice\s*>/gi)].map(([, name = ""]) => name.trim());
  const keys = new Set(named.map(keyOf));
  const [result, other] = results.filter(({ id }) => keys.has(keyOf(id)));
  if (result !== undefined && other === undefined) return result;
  throw new DivvyError("choice_failed", whyNoChoice(named[0], other !== undefined), {
    evidence: { partialText: reply, known: results.map(({ id }) => id) },
  });
}

function whyNoChoice(named: string | undefined, isSeveral: boolean): string {
  if (isSeveral) return "The synthesizer named several results.";
  return named ? `The synthesizer chose "${named}", which is no result.` : "The synthesizer named no result.";
}

/** What the synthesizer is asked. */
export function synthesizerMessages(
  combine: "merge" | "choose",
  input: Pick<SynthesisInput, "request" | "analysis" | "results" | "missing">,
  { role, fence }: Pick<SynthesisDeps, "role" | "fence">,
): ReturnType<typeof renderPrompt> {
  const { request, analysis, results, missing } = input;
  const { task, context } = request;
  const promptInput: SynthesizerPromptInput = { combine, task, context, analysis, results, missing, fence };
  const values = new Map([
    ...contextVariables(context),
    ["task", task],
    ["context", contextText(context)],
    ["analysis", analysis],
    ["results", resultsText(promptInput)],
    ["missing", missing.map(({ id, why }) => `${id}: ${why}`).join("\n")],
  ]);
  return renderPrompt("synthesizer", role.prompt, promptInput, values);
}
