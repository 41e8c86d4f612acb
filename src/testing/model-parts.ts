import {
  APICallError,
  type LanguageModelV4Content,
  type LanguageModelV4GenerateResult,
  type LanguageModelV4StreamPart,
  type LanguageModelV4Usage,
} from "@ai-sdk/provider";
import type { Json } from "../json.ts";
import { anthropicError } from "./anthropic-wire.ts";
import type { Fault } from "./fault.ts";
import type { Beat } from "./playback.ts";
import type { Reply } from "./reply.ts";
import type { DoubleCall } from "./script.ts";

/** The beats of a reply as the parts of a stream. */
export async function* streamParts(beats: AsyncIterable<Beat>, reply: Reply, call: DoubleCall): AsyncGenerator<LanguageModelV4StreamPart, void> {
  let started = false;
  let open: { readonly type: "text" | "reasoning"; readonly id: string } | undefined;
  for await (const beat of beats) {
    if (!started) yield { type: "stream-start", warnings: [] };
    started = true;
    switch (beat.kind) {
      case "ping":
        yield { type: "ping" };
        break;
      case "start":
        yield { type: "response-metadata", id: responseId(call), modelId: call.modelId };
        break;
      case "bad-byte":
      case "delta": {
        // What decoders make of a byte that is no text.
        const { type, delta } = beat.kind === "delta" ? beat : { type: "text" as const, delta: "\uFFFD" };
        if (open?.type !== type) {
          if (open !== undefined) yield { type: `${open.type}-end`, id: open.id };
          open = { type, id: `${type}-0` };
          yield { type: `${open.type}-start`, id: open.id };
        }
        yield { type: `${open.type}-delta`, id: open.id, delta };
        break;
      }
      case "no-choices":
        yield { type: "response-metadata", id: responseId(call), modelId: call.modelId };
        yield finishPart({ ...reply, finish: "stop" });
        break;
      case "error":
        yield { type: "error", error: beat.data ?? overloaded };
        if (beat.finish) yield { type: "finish", finishReason: { unified: "error", raw: undefined }, usage: usageOf("missing") };
        break;
      case "reset":
        throw connectionReset(call, 200);
      case "finish":
        if (open !== undefined) yield { type: `${open.type}-end`, id: open.id };
        yield finishPart(reply);
        break;
      case "status":
      case "headers":
      case "body":
        // There is no wire here; `begin` has thrown what these are about.
        break;
    }
  }
  if (!started) yield { type: "stream-start", warnings: [] };
}

function finishPart({ finish, usage }: Reply): LanguageModelV4StreamPart {
  const unified = finish === "none" ? "other" : finish;
  // An interrupted stream never got as far as its usage.
  if (unified === "interrupted") return { type: "finish", finishReason: { unified, raw: undefined }, usage: usageOf("missing") };
  if (unified === "refusal") return { type: "finish", finishReason: { unified: "content-filter", raw: unified }, usage: usageOf(usage) };
  return { type: "finish", finishReason: { unified, raw: unified }, usage: usageOf(usage) };
}

function responseId(call: DoubleCall): string {
  return `scripted-${call.n}`;
}

function usageOf(usage: Reply["usage"]): LanguageModelV4Usage {
  if (usage === "missing") {
    return {
      inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: undefined, text: undefined, reasoning: undefined },
    };
  }
  const { inputTokens, cacheWriteTokens = 0, cacheReadTokens = 0, outputTokens, reasoningTokens } = usage;
  const noCache = inputTokens - cacheWriteTokens - cacheReadTokens;
  return {
    inputTokens: { total: inputTokens, noCache, cacheRead: cacheReadTokens, cacheWrite: cacheWriteTokens },
    outputTokens: { total: outputTokens, text: outputTokens - (reasoningTokens ?? 0), reasoning: reasoningTokens },
  };
}

/** The plain object that Anthropic's provider puts into an error part. */
const overloaded: Json = {
  message: "Overloaded",
  type: "overloaded_error",
  statusCode: 529,
  isRetryable: true,
  data: { type: "overloaded_error", message: "Overloaded" },
};

/** Providers tell where a request went; there is no such place. */
function urlOf(call: DoubleCall): string {
  return `https://scripted.invalid/${call.modelId}`;
}

/** An HTTP error as providers raise it. */
export function statusError(fault: Extract<Fault, { kind: "status" }>, reply: Reply, call: DoubleCall): APICallError {
  const message = `Scripted status ${fault.status}`;
  const body = fault.body ?? anthropicError(fault.status, message);
  const isText = typeof body === "string";
  return new APICallError({
    message,
    url: urlOf(call),
    requestBodyValues: {},
    statusCode: fault.status,
    responseHeaders: { "content-type": fault.contentType ?? "application/json", ...reply.headers, ...fault.headers },
    responseBody: isText ? body : JSON.stringify(body),
    ...(!isText && { data: body }),
  });
}

/** A broken connection as providers raise it: without a status before the headers, with that of the headers after them. */
export function connectionReset(call: DoubleCall, status?: 200): APICallError {
  const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  return new APICallError({
    message: status === undefined ? `Cannot connect to API: ${cause.message}` : "Failed to process successful response",
    url: urlOf(call),
    requestBodyValues: {},
    cause: status === undefined ? cause : new TypeError("terminated", { cause }),
    isRetryable: true,
    ...(status !== undefined && { statusCode: status, responseHeaders: {} }),
  });
}

/** A 200 whose body is not a reply, as providers raise it where they do not stream. */
function invalidResponse(call: DoubleCall, body: unknown): APICallError {
  return new APICallError({
    message: "Invalid JSON response",
    url: urlOf(call),
    requestBodyValues: {},
    statusCode: 200,
    responseHeaders: {},
    responseBody: typeof body === "string" ? body : JSON.stringify(body ?? ""),
  });
}

/** The parts of a stream as one result. */
export async function gatherParts(
  parts: AsyncIterable<LanguageModelV4StreamPart>,
  headers: Record<string, string>,
  call: DoubleCall,
): Promise<LanguageModelV4GenerateResult> {
  const texts = { reasoning: "", text: "" };
  let begun = false;
  let end: Pick<LanguageModelV4GenerateResult, "finishReason" | "usage"> = { finishReason: { unified: "other", raw: undefined }, usage: usageOf("missing") };
  for await (const part of parts) {
    if (part.type === "response-metadata") begun = true;
    if (part.type === "text-delta") texts.text += part.delta;
    if (part.type === "reasoning-delta") texts.reasoning += part.delta;
    if (part.type === "error") throw invalidResponse(call, part.error);
    if (part.type === "finish") end = { finishReason: part.finishReason, usage: part.usage };
  }
  if (!begun) throw invalidResponse(call, "");
  const content: LanguageModelV4Content[] = [];
  if (texts.reasoning !== "") content.push({ type: "reasoning", text: texts.reasoning });
  if (texts.text !== "") content.push({ type: "text", text: texts.text });
  return { content, ...end, warnings: [], response: { id: responseId(call), modelId: call.modelId, headers } };
}
