import type { Fault } from "./fault.ts";
import type { DoubleFinish, DoubleReply, DoubleUsage, Question } from "./script.ts";

/** A piece of a reply as it is streamed. */
export interface ReplyDelta {
  readonly type: "reasoning" | "text";
  readonly delta: string;
}

/** A reply with nothing left to decide. */
export interface Reply {
  readonly text: string;
  readonly reasoning: string;
  readonly deltas: readonly ReplyDelta[];
  readonly finish: DoubleFinish;
  readonly usage: DoubleUsage | "missing";
  readonly headers: Readonly<Record<string, string>>;
  readonly firstMs: number;
  readonly chunkMs: number;
  readonly fault?: Fault;
}

/** Fills in the defaults. Throws a `RangeError` for numbers that make no sense. */
export function completeReply(reply: DoubleReply, question: Question): Reply {
  const options = typeof reply === "string" ? { text: reply } : reply;
  const { text = "", reasoning = "", finish = "stop", chunkSize = 16, firstMs = 0, chunkMs = 0, headers = {}, fault } = options;
  if (!Number.isInteger(chunkSize) || chunkSize < 1) throw new RangeError(`chunkSize must be a whole number from 1, not ${chunkSize}.`);
  if (!(firstMs >= 0) || !(chunkMs >= 0)) throw new RangeError(`firstMs and chunkMs must be 0 or more, not ${firstMs} and ${chunkMs}.`);
  return {
    text,
    reasoning,
    deltas: [...deltasOf("reasoning", reasoning, chunkSize), ...deltasOf("text", text, chunkSize)],
    finish,
    usage: options.usage ?? defaultUsage(question, text, reasoning),
    headers,
    firstMs,
    chunkMs,
    ...(fault && { fault }),
  };
}

/** About what tokenizers make of English: four characters to a token. */
function tokensIn(text: string): number {
  return Math.ceil(text.length / 4);
}

function defaultUsage(question: Question, text: string, reasoning: string): DoubleUsage {
  const reasoningTokens = tokensIn(reasoning);
  return {
    inputTokens: question.messages.reduce((sum, message) => sum + tokensIn(message.text), 0),
    outputTokens: tokensIn(text) + reasoningTokens,
    ...(reasoning !== "" && { reasoningTokens }),
  };
}

function deltasOf(type: ReplyDelta["type"], text: string, size: number): ReplyDelta[] {
  const deltas: ReplyDelta[] = [];
  for (let from = 0; from < text.length;) {
    let to = from + size;
    // A character outside the basic plane is two units long; half of it is no text.
    if (/[\uD800-\uDBFF]/.test(text.charAt(to - 1))) to++;
    deltas.push({ type, delta: text.slice(from, to) });
    from = to;
  }
  return deltas;
}
