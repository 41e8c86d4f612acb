import type { LanguageModelV4 } from "@ai-sdk/provider";
import { isRecord } from "../json.ts";
import type { CallSettings } from "./call.ts";

/** The least that Anthropic takes as a budget, and what its package takes where none is named. */
const leastBudget = 1_024;

/** Of the output cap; the AI SDK takes the same shares of what a model can write at most, whatever the cap. */
const shares: Readonly<Record<string, number>> = { minimal: 0.02, low: 0.1, medium: 0.3, high: 0.6, xhigh: 0.9, max: 0.95 };

/** Claude models that think within a budget of tokens. Later ones decide by themselves how much they think within their cap. */
const budgeted = /claude-(?:instant|v?2|3|(?:opus|sonnet|haiku)-4(?![-.][678](?!\d)))/;

/**
 * Settings as a model is to be given them. `@ai-sdk/anthropic` adds what a model may think to its output cap, where it thinks within a
 * budget of tokens; here the cap covers both, as it does with other providers: what is reserved is what can be billed.
 */
export function withThinkingInCap(settings: CallSettings, model: Pick<LanguageModelV4, "provider" | "modelId">): CallSettings {
  if (!isAnthropic(model.provider) && !isAnthropicBehindGateway(model)) return settings;
  const { maxOutputTokens, reasoning, providerOptions } = settings;
  const named = namedBudget(settings);
  if (named !== undefined) return { ...settings, maxOutputTokens: Math.max(1, maxOutputTokens - named) };
  const options = providerOptions?.["anthropic"];
  const share = shares[reasoning ?? ""];
  if (share === undefined || options?.["thinking"] !== undefined || options?.["effort"] !== undefined || !thinksWithinBudget(model)) return settings;
  // At least as much as the least budget is left for the reply; where that cannot be, the reply comes before the thinking.
  const most = maxOutputTokens - leastBudget;
  const budgetTokens = most < leastBudget ? 0 : Math.max(leastBudget, Math.min(Math.round(maxOutputTokens * share), most));
  const thinking = budgetTokens === 0 ? { type: "disabled" } : { type: "enabled", budgetTokens };
  return { ...settings, maxOutputTokens: maxOutputTokens - budgetTokens, providerOptions: { ...providerOptions, anthropic: { ...options, thinking } } };
}

/** The budget for thinking that a role's provider options name; nothing where they name none. */
export function namedBudget({ providerOptions }: { readonly providerOptions?: CallSettings["providerOptions"] | undefined }): number | undefined {
  const thinking = providerOptions?.["anthropic"]?.["thinking"];
  if (!isRecord(thinking) || thinking["type"] !== "enabled") return undefined;
  const { budgetTokens } = thinking;
  return typeof budgetTokens === "number" ? budgetTokens : leastBudget;
}

/** Anthropic's own service, or its models elsewhere (`vertex.anthropic.messages`, for example): they take the same options. */
export function isAnthropic(provider: string): boolean {
  return provider.split(".").includes("anthropic");
}

/** The AI Gateway hands options on to the same package. */
function isAnthropicBehindGateway({ provider, modelId }: Pick<LanguageModelV4, "provider" | "modelId">): boolean {
  return provider === "gateway" && modelId.startsWith("anthropic/");
}

/** What goes by another name at Anthropic's interface is taken for an old model by the package. */
function thinksWithinBudget({ modelId }: Pick<LanguageModelV4, "modelId">): boolean {
  return budgeted.test(modelId) || !modelId.includes("claude-");
}
