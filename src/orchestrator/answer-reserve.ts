import type { AnswerReserve } from "../calls/call.ts";
import { fencing } from "../prompt/fence.ts";
import { synthesizerMessages } from "../synthesis/synthesize.ts";
import { costAtMost } from "../usage.ts";
import type { RunSetup } from "./run-setup.ts";

/** What the answer of a run may take, to be kept back for it; nothing where none is written by a call. */
export async function answerReserve({ request, roles, options, costs }: RunSetup): Promise<AnswerReserve | undefined> {
  if (options.combine === "keep" || options.combine === "none") return undefined;
  const role = roles.synthesizer;
  const priceOf = await costs.priceOf(role);
  const usd = (inputTokens: number, outputTokens: number): number => costAtMost(priceOf, { inputTokens, outputTokens }) ?? 0;
  const inputTokens = costs.inputTokens({
    messages: synthesizerMessages("merge", { request, analysis: "", results: [], missing: [] }, { role, fence: fencing() }),
  });
  const { maxOutputTokens } = role.settings;
  return { call: { usd: usd(inputTokens, maxOutputTokens), tokens: inputTokens + maxOutputTokens }, perToken: { usd: usd(1e6, 0) / 1e6 } };
}
