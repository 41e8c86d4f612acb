import type { AnswerReserve, ReductionsNeed } from "../../calls/run-budget.ts";
import { callsAPair } from "../../evaluation/pairwise.ts";
import { pairwiseFormat, pairwiseMessages } from "../../evaluation/pairwise-prompt.ts";
import { formatOf } from "../../output/form.ts";
import { fencing } from "../../prompt/fence.ts";
import type { Combine, Subtask } from "../../subtask.ts";
import { fully, type LevelAhead, levelsAhead } from "../../synthesis/rooms.ts";
import { synthesizerMessages, type SynthesizerRole } from "../../synthesis/synthesizer-messages.ts";
import { costAtMost } from "../../usage.ts";
import { reductionRooms } from "./reductions.ts";
import type { RunSetup } from "../run-setup.ts";

/** What the answer of a run may take, to be kept back for it; nothing where none is written by a call. */
export async function answerReserve(setup: RunSetup): Promise<AnswerReserve | undefined> {
  const { roles, options, costs, start } = setup;
  const { plan, past } = start;
  if (options.combine === "keep" || options.combine === "none") return undefined;
  const role = roles.synthesizer;
  const priceOf = await costs.priceOf(role);
  const usd = (inputTokens: number, outputTokens: number): number => costAtMost(priceOf, { inputTokens, outputTokens }) ?? 0;
  // Of a plan that is still to be written, what it may say is kept back while it is.
  const analysis = plan?.analysis ?? past?.given?.analysis ?? past?.analysis ?? "";
  const inputTokens = inputWith(setup, analysis, 1);
  const callOf = (input: number, output: number): AnswerReserve["call"] => ({ usd: usd(input, output), tokens: input + output });
  const { comparing } = role;
  const rooms = options.combine === "choose" ? undefined : await reductionRooms(setup, analysis);
  return {
    call: callOf(inputTokens, role.settings.maxOutputTokens),
    ...(comparing && { comparison: callOf(comparisonInput(setup), comparing.settings.maxOutputTokens) }),
    perToken: { usd: usd(1e6, 0) / 1e6 },
    ...(rooms && { reductions: (toRead: number) => reductionsNeed(levelsAhead(rooms, toRead, fully), usd) }),
  };
}

/** Calls that the answer of so many subtasks takes, beside those that shorten what it reads. A result that is alone is the answer. */
export function answerCalls({ comparing, form }: SynthesizerRole, combine: Combine | "none", subtasks: number): number {
  if (combine === "keep" || combine === "none" || (subtasks < 2 && form === undefined)) return 0;
  return combine === "choose" && comparing !== undefined ? callsAPair * Math.max(1, subtasks - 1) : 1;
}

/** Input tokens of a call that compares two results that say nothing. */
export function comparisonInput({ request, costs }: RunSetup): number {
  return costs.inputTokens({ messages: pairwiseMessages({ request, first: "", second: "" }, fencing()), ...pairwiseFormat }) + rounding;
}

/** What reductions may take; nothing where all can be read as it is. */
function reductionsNeed(levels: readonly LevelAhead[], usd: (inputTokens: number, outputTokens: number) => number): ReductionsNeed | undefined {
  const last = levels.at(-1);
  if (last === undefined) return undefined;
  const sum = { usd: 0, tokens: 0, calls: 0, leaves: last.leaves };
  for (const { calls, inputTokens, outputTokens } of levels) {
    sum.usd += usd(inputTokens, outputTokens);
    sum.tokens += inputTokens + outputTokens;
    sum.calls += calls;
  }
  return sum;
}

/** Sums of estimates fall short of the estimate of the whole by a little. */
const rounding = 4;

/** Tokens that the answer has to read of a subtask beside its result: what was asked for, in its frame. What is missing and why takes less. */
export function framesOf(setup: RunSetup): (subtask: Subtask) => number {
  const frame = inputWith(setup, "", 2) - inputWith(setup, "", 1) + rounding;
  const { textTokens } = setup.costs;
  return ({ id, type, description }) => frame + textTokens(id) + textTokens(type) + textTokens(description);
}

/** Input tokens of the call for the answer, with so many results that say nothing. */
function inputWith({ request, roles, costs }: RunSetup, analysis: string, count: number): number {
  const results = Array.from({ length: count }, (_, index) => ({ id: `${index}`, type: "", description: "", dependsOn: [], result: "" }));
  const input = { request, analysis, results, missing: [{ id: "0", type: "", why: "" }] };
  return costs.inputTokens({
    messages: synthesizerMessages("merge", input, { role: roles.synthesizer, fence: fencing() }),
    ...formatOf(roles.synthesizer.form),
  });
}
