import type { LanguageModelV4CallOptions, LanguageModelV4Message } from "@ai-sdk/provider";
import { type Question, spoken } from "./script.ts";

/** What a model's call options ask. */
export function questionOf(modelId: string, options: LanguageModelV4CallOptions, signal: AbortSignal): Question {
  return {
    modelId,
    ...spoken(options.prompt.map((message) => ({ role: message.role, text: textOf(message) }))),
    json: options.responseFormat?.type === "json",
    ...(options.maxOutputTokens !== undefined && { maxOutputTokens: options.maxOutputTokens }),
    signal,
  };
}

function textOf(message: LanguageModelV4Message): string {
  if (message.role === "system") return message.content;
  const texts: string[] = [];
  for (const part of message.content) {
    if (part.type === "text") texts.push(part.text);
    if (part.type === "tool-call") texts.push(`${part.toolName}(${JSON.stringify(part.input)})`);
    if (part.type === "tool-result") texts.push(JSON.stringify(part.output));
  }
  return texts.join("\n");
}
