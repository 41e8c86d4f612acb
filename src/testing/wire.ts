import { isRecord, type Json } from "../json.ts";
import type { Reply, ReplyDelta } from "./reply.ts";
import type { DoubleCall, DoubleMessage, Question } from "./script.ts";

/** A request as a protocol words it. */
export interface WireRequest {
  readonly question: Question;
  /** False where the reply is wanted whole. */
  readonly stream: boolean;
}

/** One reply on its way out. */
export interface Exchange {
  readonly call: DoubleCall;
  readonly reply: Reply;
  readonly body: Record<string, unknown>;
  /** When it began, in milliseconds since the Unix epoch. */
  readonly at: number;
}

/** The server-sent events of one reply, in its protocol's words. */
export interface Frames {
  start(): string;
  delta(delta: ReplyDelta): string;
  /** A reply with nothing in it, from its start to its end. */
  noChoices(): string;
  /** Why it ended, its usage, and that it is over. */
  finish(): string;
}

/** A protocol that the provider server speaks. */
export interface Wire {
  readonly name: "anthropic" | "openai";
  readonly path: string;
  /** A sign of life. */
  readonly ping: string;
  /** What an error event carries where the fault does not say. */
  readonly overloaded: Json;
  read(body: Record<string, unknown>): WireRequest;
  frames(exchange: Exchange): Frames;
  errorEvent(data: Json): string;
  /** The reply as one object; with no finish reason where it did not get that far. */
  whole(exchange: Exchange, finished: boolean): Record<string, unknown>;
  /** The same, with nothing to choose from. */
  noChoices(exchange: Exchange): Record<string, unknown>;
  errorBody(status: number, message: string): Json;
}

/** A list from a request's body; empty where there is none. */
export function records(value: unknown): Record<string, unknown>[] {
  const items: unknown[] = Array.isArray(value) ? value : [];
  return items.filter(isRecord);
}

/** The text of a message's content: itself, or its text parts. */
export function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  const texts = records(content).map((part) => (typeof part["text"] === "string" ? part["text"] : JSON.stringify(part["content"] ?? part["input"] ?? "")));
  return texts.join("\n");
}

export function roleOf(value: unknown): DoubleMessage["role"] {
  if (value === "developer") return "system";
  return value === "system" || value === "assistant" || value === "tool" ? value : "user";
}
