import { hash } from "node:crypto";
import type { LanguageModelV4, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { CallRequest } from "./call.ts";
import { isAnthropic } from "./thinking.ts";

/**
 * Marks where what several calls share ends, for the providers that cache a prompt only up to a mark (Anthropic: cache
 * breakpoints). What calls share is the first of several parts of the first user message; see `PromptText.shared`. A prompt
 * shorter than the provider's least length is simply not cached. The mark is no part of the request: it decides no answer.
 */
export function withCacheMark(messages: LanguageModelV4Prompt): LanguageModelV4Prompt {
  const index = sharedIndex(messages);
  const message = messages[index];
  if (message?.role !== "user") return messages;
  const [shared, ...own] = message.content;
  if (shared === undefined) return messages;
  const providerOptions = {
    ...shared.providerOptions,
    anthropic: { cacheControl: { type: "ephemeral" }, ...shared.providerOptions?.["anthropic"] },
  };
  return messages.with(index, { ...message, content: [{ ...shared, providerOptions }, ...own] });
}

/** The message whose first part is shared; -1 where there is none. */
function sharedIndex(messages: LanguageModelV4Prompt): number {
  const index = messages.findIndex(({ role }) => role === "user");
  const message = messages[index];
  return message?.role === "user" && message.content.length > 1 ? index : -1;
}

/**
 * What the start of a request goes by, up to its mark, where its provider is known to cache that. OpenAI and Google, which cache
 * by themselves, say neither from when on a start can be found nor that it will be: waiting for it might be for nothing.
 *
 * @param inputTokens of the whole request
 * @returns nothing where the start is too short to be cached
 */
export function cachedPrefix(
  { messages, settings, tools, responseFormat }: CallRequest,
  { provider, modelId }: Pick<LanguageModelV4, "provider" | "modelId">,
  inputTokens: number,
): string | undefined {
  const least = leastTokens(modelId);
  if (!isAnthropic(provider) || inputTokens < least) return undefined;
  const index = sharedIndex(messages);
  const message = messages[index];
  if (message?.role !== "user") return undefined;
  // Whatever changes one of these has another entry in the provider's cache.
  const head = [tools, responseFormat, settings.reasoning, settings.providerOptions, messages.slice(0, index), message.content[0]];
  const prefix = JSON.stringify(head);
  // By its part of the text: to count its tokens apart would cost as much as all of them have.
  const tokens = inputTokens * Math.min(1, prefix.length / JSON.stringify([tools, responseFormat, messages]).length);
  return tokens < least ? undefined : hash("sha256", prefix, "hex");
}

/** Claude models that cache shorter prompts than others: https://platform.claude.com/docs/en/build-with-claude/prompt-caching */
const shorter: readonly (readonly [model: RegExp, tokens: number])[] = [
  [/claude-(?:3(?:-[57])?-(?:sonnet|opus)|sonnet-4-5|opus-4-[18](?!\d)|(?:sonnet|opus)-[45](?:-0)?(?:[-@]\d{8}|$))/, 1_024],
  [/claude-(?:3(?:-5)?-haiku|sonnet-4-6)/, 2_048],
];

/** The least that is cached, in tokens; of a model that is not known, the most that any asks for. */
function leastTokens(modelId: string): number {
  return shorter.find(([model]) => model.test(modelId))?.[1] ?? 4_096;
}
