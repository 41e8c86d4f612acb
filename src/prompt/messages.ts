import type { LanguageModelV4Prompt, LanguageModelV4TextPart } from "@ai-sdk/provider";

/**
 * What a prompt function returns: a plain string becomes the user's message. `shared` is what all workers of a run have in
 * common; it comes first and unchanged, so that providers can cache it.
 */
export type PromptText = string | { readonly system?: string; readonly shared?: string; readonly prompt: string };

export function toMessages(text: PromptText): LanguageModelV4Prompt {
  if (typeof text === "string") return [{ role: "user", content: [textPart(text)] }];
  const parts = text.shared === undefined ? [text.prompt] : [text.shared, text.prompt];
  return [
    ...(text.system === undefined ? [] : [{ role: "system" as const, content: text.system.toWellFormed() }]),
    { role: "user", content: parts.map(textPart) },
  ];
}

/** Half of a character has no UTF-8: providers refuse it, and no call key can be made of it. */
export function textPart(text: string): LanguageModelV4TextPart {
  return { type: "text", text: text.toWellFormed() };
}
