import type { LanguageModelV4Prompt } from "@ai-sdk/provider";

/**
 * Marks where what several calls share ends, for the providers that cache a prompt only up to a mark (Anthropic: cache
 * breakpoints). What calls share is the first of several parts of the first user message; see `PromptText.shared`. A prompt
 * shorter than the provider's least length is simply not cached. The mark is no part of the request: it decides no answer.
 */
export function withCacheMark(messages: LanguageModelV4Prompt): LanguageModelV4Prompt {
  const index = messages.findIndex(({ role }) => role === "user");
  const message = messages[index];
  if (message?.role !== "user" || message.content.length < 2) return messages;
  const [shared, ...own] = message.content;
  if (shared === undefined) return messages;
  const providerOptions = {
    ...shared.providerOptions,
    anthropic: { cacheControl: { type: "ephemeral" }, ...shared.providerOptions?.["anthropic"] },
  };
  return messages.with(index, { ...message, content: [{ ...shared, providerOptions }, ...own] });
}
