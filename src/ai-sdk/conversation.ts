import type { LanguageModelV4FilePart, LanguageModelV4Prompt } from "@ai-sdk/provider";
import { DivvyError } from "../errors.ts";
import { isRecord, type JsonRecord } from "../json.ts";

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
 * The request in what a chat posts, `{ messages }`: the user's last message is the task, what else was said the context. Of the
 * assistant's messages the text counts; of the user's also attached files that are text.
 *
 * @param posted as it came: the body of `useChat`'s request, parsed
 * @throws DivvyError `invalid_option` for what is no such body, where the user has said nothing, or attached what is no text
 */
export function toRequest(posted: unknown): TaskAndContext {
  const messages = isRecord(posted) ? posted["messages"] : undefined;
  if (!Array.isArray(messages)) throw notPosted();
  return requestOf(messages.map(saidIn));
}

/** One of the AI SDK's `UIMessage`s. */
function saidIn(message: unknown): Said {
  if (!isRecord(message) || !Array.isArray(message["parts"])) throw notPosted();
  const { role, parts } = message;
  if (role !== "system" && role !== "user" && role !== "assistant") throw notPosted();
  const texts = parts.flatMap((part: unknown) => {
    if (!isRecord(part)) throw notPosted();
    const { type, text, url, mediaType } = part;
    if (type === "text" && typeof text === "string") return text;
    return type === "file" && role === "user" ? attached(String(url), String(mediaType)) : [];
  });
  return { role, text: paragraphs(texts) };
}

function notPosted(): DivvyError {
  return new DivvyError("invalid_option", "This is not what a chat posts: it has no list of messages with role and parts.", {
    hint: "Pass the parsed body of the request, or `{ messages }` with messages of the AI SDK's `UIMessage` type.",
  });
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

function attached(url: string, mediaType: string): string {
  const [, base64, data] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url) ?? [];
  if (data === undefined || !isText(mediaType)) throw notText(mediaType);
  return base64 === undefined ? unescaped(data, mediaType) : decoded(data);
}

function unescaped(data: string, mediaType: string): string {
  try {
    return decodeURIComponent(data);
  } catch {
    throw notText(mediaType);
  }
}

const isText = (mediaType: string): boolean => mediaType.startsWith("text/") || mediaType === "text" || mediaType === "application/json";
const decoded = (base64: string): string => Buffer.from(base64, "base64").toString();

function notText(mediaType: string): DivvyError {
  return new DivvyError("invalid_option", `A message holds a file that cannot be given to workers: ${mediaType}.`, {
    hint: "Send text, or a text file with its content; what a picture shows has to be said in words.",
  });
}
