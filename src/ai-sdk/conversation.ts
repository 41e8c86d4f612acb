import type { LanguageModelV4FilePart, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { UIMessage } from "ai";
import { DivvyError } from "../errors.ts";
import type { JsonRecord } from "../json.ts";

/** What a run is started with: `start(task, context)`. */
export interface TaskAndContext {
  /** The last message of the user. */
  readonly task: string;
  /** `instructions`: the system's messages. `conversation`: who said what before and since. Empty text where there is neither. */
  readonly context: string | JsonRecord;
}

/** One message, as text. */
interface Said {
  readonly role: "system" | "user" | "assistant";
  readonly text: string;
}

/**
 * The request in a chat's messages: the user's last one is the task, what was said before it the context. Of the assistant's messages
 * the text counts; of the user's also attached files that are text.
 *
 * @throws DivvyError `invalid_option` where the user has said nothing, or attached what is no text
 */
export function toRequest(messages: readonly Pick<UIMessage, "role" | "parts">[]): TaskAndContext {
  return requestOf(
    messages.map(({ role, parts }) => ({
      role,
      text: paragraphs(parts.flatMap((part) => (part.type === "text" ? part.text : part.type === "file" && role === "user" ? attached(part) : []))),
    })),
  );
}

/** The same of a prompt as a model gets it, with the names of what was left out. */
export function requestOfPrompt(prompt: LanguageModelV4Prompt): TaskAndContext & { readonly leftOut: readonly string[] } {
  const leftOut = new Set<string>();
  const said = prompt.flatMap((message): Said[] => {
    if (message.role === "system") return [{ role: "system", text: message.content }];
    if (message.role === "tool") {
      leftOut.add("tool results");
      return [];
    }
    const { role } = message;
    const texts = message.content.flatMap((part) => {
      if (part.type === "text") return part.text;
      if (part.type === "file" && role === "user") return fileText(part);
      // What a model thought is not what it said.
      if (part.type !== "reasoning") leftOut.add(part.type === "tool-call" ? "tool calls" : `${part.type} parts`);
      return [];
    });
    return [{ role, text: paragraphs(texts) }];
  });
  return { ...requestOf(said), leftOut: [...leftOut] };
}

function requestOf(said: readonly Said[]): TaskAndContext {
  const last = said.findLastIndex(({ role }) => role === "user");
  const task = said[last]?.text ?? "";
  if (task.trim() === "") {
    throw new DivvyError("invalid_option", "There is no task: the user's last message has no text.", {
      hint: "Send a message of the user's with text; it is the task, and what stands before it the context.",
    });
  }
  const instructions = paragraphs(said.filter(({ role }) => role === "system").map(({ text }) => text));
  const others = said.filter(({ role, text }, index) => role !== "system" && index !== last && text !== "");
  const conversation = paragraphs(others.map(({ role, text }) => `${role}: ${text}`));
  const context = { ...(instructions !== "" && { instructions }), ...(conversation !== "" && { conversation }) };
  return { task, context: Object.keys(context).length === 0 ? "" : context };
}

const paragraphs = (texts: readonly string[]): string => texts.join("\n\n");

function fileText({ data, mediaType }: LanguageModelV4FilePart): string {
  if (data.type === "text") return data.text;
  if (data.type !== "data" || !isText(mediaType)) throw notText(mediaType);
  return typeof data.data === "string" ? decoded(data.data) : new TextDecoder().decode(data.data);
}

function attached({ url, mediaType }: { readonly url: string; readonly mediaType: string }): string {
  const [, base64, data] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url) ?? [];
  if (data === undefined || !isText(mediaType)) throw notText(mediaType);
  return base64 === undefined ? decodeURIComponent(data) : decoded(data);
}

const isText = (mediaType: string): boolean => mediaType.startsWith("text/") || mediaType === "text" || mediaType === "application/json";
const decoded = (base64: string): string => Buffer.from(base64, "base64").toString();

function notText(mediaType: string): DivvyError {
  return new DivvyError("invalid_option", `A message holds a file that cannot be given to workers: ${mediaType}.`, {
    hint: "Send text, or a text file with its content; what a picture shows has to be said in words.",
  });
}
