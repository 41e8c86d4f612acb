import { estimateTokenCount } from "tokenx";
import { type CallContext, type CallRequest, type CallResult, textOf } from "./call.ts";

/** Tokens of a text, roughly (tokenx). */
export function estimateText(text: string): number {
  return text === "" ? 0 : estimateTokenCount(text);
}

/** Input tokens of a call, roughly: the texts of its messages, and a few for each one's frame; its tools and the form of its reply. */
export function estimateInput({ messages, tools, responseFormat }: Pick<CallRequest, "messages" | "tools" | "responseFormat">): number {
  let tokens = [tools, responseFormat].reduce((sum, sent) => sum + (sent === undefined ? 0 : estimateText(JSON.stringify(sent))), 0);
  for (const message of messages) {
    tokens += 4;
    if (message.role === "system") tokens += estimateText(message.content);
    else for (const part of message.content) if (part.type === "text" || part.type === "reasoning") tokens += estimateText(part.text);
  }
  return tokens;
}

/** Tokens that whoever reads a reply has to read: as they were counted where it was written, if that is more; reasoning is not read. */
function readOf({ content, usage }: Pick<CallResult, "content" | "usage">): number {
  const { outputTokens = 0, outputTokenDetails } = usage;
  return Math.max(estimateText(textOf({ content })), outputTokens - (outputTokenDetails.reasoningTokens ?? 0));
}

/** Tokens that its run's answer has to read of a reply. */
export function answerReadingOf(result: Pick<CallResult, "content" | "usage">, { role }: Pick<CallContext, "role">): number {
  return role === "orchestrator" || role === "worker" ? readOf(result) : 0;
}
