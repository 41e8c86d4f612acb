import { hash } from "node:crypto";
import { isWordless } from "./fault.ts";
import { completeReply, type Reply } from "./reply.ts";
import { type DoubleCall, type Question, type Script, scriptFunction } from "./script.ts";
import { vary } from "./variation.ts";

export interface VariationOptions {
  /**
   * Answer the same question differently each time, as models do: the first answer is verbatim what the script says,
   * each further one is varied (see `vary`). Replies that a fault leaves without a word do not count. @default true
   */
  readonly vary?: boolean | undefined;
  /** Decides how answers are varied. @default 1 */
  readonly seed?: number | undefined;
}

/** Follows a script: counts calls and questions, finds the reply, varies it. */
export interface ScriptReader {
  /** Counts the call. At once, so that calls are numbered in the order in which they came. */
  ask(question: Question): DoubleCall;
  /** Rejects with what the script throws, an `UnscriptedCallError` above all. */
  answer(call: DoubleCall): Promise<Reply>;
}

export function scriptReader(script: Script, options: VariationOptions = {}): ScriptReader {
  const replyTo = scriptFunction(script);
  const asked = new Map<string, number>();
  const answered = new Map<string, number>();
  let calls = 0;
  return {
    ask(question: Question): DoubleCall {
      return { ...question, n: ++calls, asked: countUp(asked, keyOf(question)) };
    },
    async answer(call: DoubleCall): Promise<Reply> {
      const said = await replyTo(call);
      const reply = typeof said === "string" ? { text: said } : said;
      const isAnswer = reply.fault === undefined || !isWordless(reply.fault);
      if (options.vary === false || !isAnswer) return completeReply(reply, call);
      const text = vary(reply.text ?? "", countUp(answered, keyOf(call)), options.seed);
      return completeReply({ ...reply, text }, call);
    },
  };
}

function countUp(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

/** What makes two questions the same. A digest, so that a long run does not keep every prompt it was asked. */
function keyOf({ modelId, json, messages }: Question): string {
  return hash("sha256", JSON.stringify([modelId, json, messages]), "base64");
}
