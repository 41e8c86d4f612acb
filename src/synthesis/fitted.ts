import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { CallRequest, Calls, Rank } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import { modelJudge } from "../evaluation/judge.ts";
import { formatOf } from "../output/form.ts";
import { mostIssuesTokens } from "../output/read-output.ts";
import type { Fence } from "../prompt/fence.ts";
import type { DoneResult } from "./layout.ts";
import { reduceToFit } from "./reduce.ts";
import { reductionMessages } from "./reduction-prompt.ts";
import { fitsAsItIs, type Rooms, type RoomsInput, roomsOf } from "./rooms.ts";
import { synthesizerMessages, type SynthesizerQuestion, type SynthesizerRole } from "./synthesizer-messages.ts";

/** What the results must fit, and how it is measured. */
export interface Window {
  /** Tokens of the synthesizer's window, prompt and reply together. */
  readonly contextTokens: () => Promise<number>;
  /** Tokens of a text, roughly. */
  readonly textTokens: (text: string) => number;
  /** Input tokens of a call, roughly. */
  readonly inputTokens: (request: Pick<CallRequest, "messages" | "responseFormat">) => number;
}

export interface FittedDeps {
  readonly calls: Calls;
  readonly run: RunScope;
  readonly signal: AbortSignal;
  readonly fence: Fence;
  readonly role: SynthesizerRole;
  readonly rank: Rank;
  readonly window?: Window;
}

/** The call for the answer. */
export interface Fitted {
  readonly messages: LanguageModelV4Prompt;
  readonly maxOutputTokens: number;
}

/** What the synthesizer is asked for an answer that merges, its results reduced where they would not fit. Rejects as `reduceToFit` does. */
export async function fitted(question: SynthesizerQuestion, deps: FittedDeps): Promise<Fitted> {
  const { role, window } = deps;
  const messagesWith = (results: readonly DoneResult[]): LanguageModelV4Prompt => synthesizerMessages("merge", { ...question, results }, deps);
  const messages = messagesWith(question.results);
  const asItIs = { messages, maxOutputTokens: role.settings.maxOutputTokens };
  if (window === undefined) return asItIs;
  const room = roomsInput(question, deps, window, await window.contextTokens());
  const format = formatOf(role.form);
  if (fitsAsItIs(room, window.inputTokens({ messages, ...format }))) return asItIs;
  const rooms = roomsOf(room);
  // What is too long is not the results. The window may be larger than we know: whether it is, the provider says.
  if (rooms === undefined) return asItIs;
  const mostInput = rooms.answerReads + room.answerFrame;
  const results = await reduceToFit(question.results, {
    ...deps,
    task: question.request.task,
    rooms,
    textTokens: window.textTokens,
    fits: (shown) => window.inputTokens({ messages: messagesWith(shown), ...format }) <= mostInput,
  });
  return { messages: messagesWith(results), maxOutputTokens: rooms.answerCap };
}

/** How a window is shared out between what must be read in any case and the results; nothing where it is too small for that. */
export function roomsFor(question: SynthesizerQuestion, deps: Pick<FittedDeps, "role" | "fence">, window: Window, contextTokens: number): Rooms | undefined {
  return roomsOf(roomsInput(question, deps, window, contextTokens));
}

function roomsInput(
  question: SynthesizerQuestion,
  { role, fence }: Pick<FittedDeps, "role" | "fence">,
  { inputTokens }: Pick<Window, "inputTokens">,
  contextTokens: number,
): RoomsInput {
  const { settings, evaluator, form, thinkingTokens = 0 } = role;
  const judges = evaluator !== undefined && evaluator.maxAttempts > 1;
  // One that says nothing, since a prompt function may count on there being some.
  const empty = question.results.slice(0, 1).map((result) => ({ ...result, result: "" }));
  return {
    contextTokens,
    maxOutputTokens: settings.maxOutputTokens,
    thinking: thinkingTokens,
    remarks: [
      ...(judges ? [modelJudge(evaluator)?.settings.maxOutputTokens ?? codeVerdict] : []),
      ...(form !== undefined && form.repairs > 0 ? [mostIssuesTokens] : []),
    ],
    answerFrame: inputTokens({ messages: synthesizerMessages("merge", { ...question, results: empty }, { role, fence }), ...formatOf(form) }),
    frame: inputTokens({ messages: reductionMessages(question.request.task, [], longestWords) }),
  };
}

/** Of what a function says of an answer, in tokens. */
const codeVerdict = 1_024;
/** For the longest prompt. */
const longestWords = 1_000_000;
