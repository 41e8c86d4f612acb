import { estimateTokenCount } from "tokenx";
import type { CallRequest } from "./call.ts";

/** Tokens of a text, roughly (tokenx). */
export function estimateText(text: string): number {
  return text === "" ? 0 : estimateTokenCount(text);
}

/** Input tokens of a request, roughly: its texts, and a few for each message's frame. */
export function estimateInput(request: CallRequest): number {
  let tokens = 0;
  for (const message of request.messages) {
    tokens += 4;
    if (message.role === "system") tokens += estimateText(message.content);
    else for (const part of message.content) if (part.type === "text" || part.type === "reasoning") tokens += estimateText(part.text);
  }
  return tokens;
}
