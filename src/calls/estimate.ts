import { estimateTokenCount } from "tokenx";
import type { LanguageModelV4Prompt } from "@ai-sdk/provider";

/** Tokens of a text, roughly (tokenx). */
export function estimateText(text: string): number {
  return text === "" ? 0 : estimateTokenCount(text);
}

/** Input tokens of a call with these messages, roughly: their texts, and a few for each one's frame. */
export function estimateInput(messages: LanguageModelV4Prompt): number {
  let tokens = 0;
  for (const message of messages) {
    tokens += 4;
    if (message.role === "system") tokens += estimateText(message.content);
    else for (const part of message.content) if (part.type === "text" || part.type === "reasoning") tokens += estimateText(part.text);
  }
  return tokens;
}
