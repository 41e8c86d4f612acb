import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { CalledModel } from "../calls/call.ts";
import type { Evaluator } from "../evaluation/judge.ts";
import type { PairJudge } from "../evaluation/pairwise.ts";
import type { RunRequest } from "../events.ts";
import type { Fence } from "../prompt/fence.ts";
import type { Form } from "../output/form.ts";
import { withForm } from "../output/form-prompt.ts";
import { type RolePrompt, renderPrompt } from "../prompt/role-prompt.ts";
import { contextText, contextVariables } from "../prompt/template.ts";
import type { DoneResult, MissingResult } from "./layout.ts";
import { resultsText, type SynthesizerPromptInput } from "./synthesizer-prompt.ts";

export interface SynthesizerRole extends CalledModel {
  readonly prompt: RolePrompt<SynthesizerPromptInput>;
  /** Compares results, two at a time, where the best one is the answer. Absent where a prompt of the user's own asks which that is. */
  readonly comparing?: PairJudge;
  /** Absent where the answer is text. */
  readonly form?: Form;
  /** Absent where the answer is taken as it comes. */
  readonly evaluator?: Evaluator;
  /** Tokens of the model's window, where they are stated. */
  readonly contextTokens?: number;
  /** Of the cap, for thinking, where the model's options name it. @default 0 */
  readonly thinkingTokens?: number;
}

/** What an answer is made from. */
export interface SynthesizerQuestion {
  readonly request: RunRequest;
  readonly analysis: string;
  readonly results: readonly DoneResult[];
  readonly missing: readonly MissingResult[];
}

/** The names that a synthesizer's template can use besides the context's own keys. */
export const synthesizerVariables: readonly string[] = ["task", "context", "analysis", "results", "missing"];

/** What the synthesizer is asked. */
export function synthesizerMessages(
  combine: "merge" | "choose",
  { request, analysis, results, missing }: SynthesizerQuestion,
  { role, fence }: { readonly role: Pick<SynthesizerRole, "prompt" | "form">; readonly fence: Fence },
): LanguageModelV4Prompt {
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
  const messages = renderPrompt("synthesizer", role.prompt, promptInput, values);
  return combine === "merge" ? withForm(messages, role.form) : messages;
}
