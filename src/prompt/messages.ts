import type { LanguageModelV4Prompt } from "@ai-sdk/provider";

/**
 * What a prompt function returns: a plain string becomes the user's message. `shared` is what all workers of a run have in
 * common; it comes first and unchanged, so that providers can cache it.
 */
export type PromptText = string | { readonly system?: string; readonly shared?: string; readonly prompt: string };

export function toMessages(text: PromptText): LanguageModelV4Prompt {
  if (typeof text === "string") return [{ role: "user", content: [{ type: "text", text }] }];
  const parts = text.shared === undefined ? [text.prompt] : [text.shared, text.prompt];
  return [
    ...(text.system === undefined ? [] : [{ role: "system" as const, content: text.system }]),
    { role: "user", content: parts.map((part) => ({ type: "text" as const, text: part })) },
  ];
}
