import { hash } from "node:crypto";
import type { Clock } from "../runtime.ts";
import type { Reply } from "./reply.ts";
import { records } from "./wire.ts";

export interface PromptCacheOptions {
  /** Prompts that are shorter up to their mark are not cached. In tokens, four characters each. @default 1024 */
  readonly leastTokens?: number | undefined;
  /** What the model takes to read a token that it does not have in its cache, in milliseconds; it comes on top of `firstMs`. @default 0 */
  readonly msPerToken?: number | undefined;
}

/** What became of a prompt. */
interface CacheReading {
  /** With what was written to the cache or read from it, and the time that reading took. */
  readonly reply: Reply;
  /** To be called when the reply begins: from then on others find the prompt. */
  readonly begun?: () => void;
}

interface PromptCache {
  read(body: Readonly<Record<string, unknown>>, reply: Reply): CacheReading;
}

/** After the last use, in milliseconds. */
const keptMs = 300_000;

/** A cache of prompts in the Messages API's manner: up to the last `cache_control`, byte by byte, for each model by itself. */
export function promptCache({ leastTokens = 1_024, msPerToken = 0 }: PromptCacheOptions, clock: Clock): PromptCache {
  const until = new Map<string, number>();
  return {
    read(body, reply) {
      if (reply.usage === "missing") return { reply };
      const { usage } = reply;
      const prefix = markedPart(body);
      const cachedTokens = Math.min(usage.inputTokens, Math.ceil(prefix.length / 4));
      const timed = (unread: number): number => reply.firstMs + unread * msPerToken;
      if (prefix === "" || cachedTokens < leastTokens) return { reply: { ...reply, firstMs: timed(usage.inputTokens) } };
      const key = hash("sha256", JSON.stringify([body["model"], prefix]), "base64");
      const keep = (): void => void until.set(key, clock.now() + keptMs);
      if ((until.get(key) ?? 0) > clock.now()) {
        keep();
        return { reply: { ...reply, firstMs: timed(usage.inputTokens - cachedTokens), usage: { ...usage, cacheReadTokens: cachedTokens } } };
      }
      return { reply: { ...reply, firstMs: timed(usage.inputTokens), usage: { ...usage, cacheWriteTokens: cachedTokens } }, begun: keep };
    },
  };
}

/** The texts up to the last mark, in the order in which the provider reads them; empty where there is no mark. */
function markedPart(body: Readonly<Record<string, unknown>>): string {
  const messages = records(body["messages"]).flatMap(({ content }) => (typeof content === "string" ? [{ text: content }] : records(content)));
  const blocks = [...records(body["tools"]), ...records(body["system"]), ...messages];
  const last = blocks.findLastIndex((block: Readonly<Record<string, unknown>>) => block["cache_control"] !== undefined);
  return blocks
    .slice(0, last + 1)
    .map((block: Readonly<Record<string, unknown>>) => (typeof block["text"] === "string" ? block["text"] : JSON.stringify(block)))
    .join("\n");
}
