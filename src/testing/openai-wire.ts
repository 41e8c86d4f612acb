import { isRecord, type Json, type JsonRecord } from "../json.ts";
import type { Reply } from "./reply.ts";
import { type DoubleFinish, spoken } from "./script.ts";
import { contentText, type Exchange, type Frames, records, roleOf, type Wire } from "./wire.ts";

const finishReasons: Readonly<Record<DoubleFinish, string | null>> = {
  stop: "stop",
  refusal: "stop",
  length: "length",
  "content-filter": "content_filter",
  error: "error",
  other: "other",
  interrupted: null,
  none: null,
};

const errorKinds: Readonly<Record<number, { readonly type: string; readonly code: string }>> = {
  401: { type: "invalid_request_error", code: "invalid_api_key" },
  404: { type: "invalid_request_error", code: "model_not_found" },
  429: { type: "requests", code: "rate_limit_exceeded" },
};

function openaiError(status: number, message: string): JsonRecord {
  const { type, code } = errorKinds[status] ?? { type: status >= 500 ? "server_error" : "invalid_request_error", code: null };
  return { error: { message, type, param: null, code } };
}

/** OpenAI chat completions, as everything that calls itself compatible speaks them. Reasoning goes in `reasoning_content`. */
export const openaiWire: Wire = {
  name: "openai",
  path: "/v1/chat/completions",
  ping: ": ping\n\n",
  overloaded: openaiError(503, "Overloaded"),
  errorBody: openaiError,
  errorEvent: (data) => frame(data),

  read(body) {
    const format = body["response_format"];
    const maxTokens = body["max_completion_tokens"] ?? body["max_tokens"];
    const messages = records(body["messages"]).map((message) => ({
      role: roleOf(message["role"]),
      text: [contentText(message["content"]), ...records(message["tool_calls"]).map((call) => JSON.stringify(call["function"]))].join("\n").trimEnd(),
    }));
    return {
      question: {
        modelId: String(body["model"]),
        ...spoken(messages),
        json: isRecord(format) && format["type"] !== "text",
        ...(typeof maxTokens === "number" && { maxOutputTokens: maxTokens }),
      },
      stream: body["stream"] === true,
    };
  },

  frames: (exchange) => openaiFrames(exchange),

  whole(exchange, finished) {
    const { reply } = exchange;
    const said = reply.finish === "refusal" ? { content: null, refusal: reply.text } : { content: reply.text };
    const message = { role: "assistant", ...said, ...(reply.reasoning !== "" && { reasoning_content: reply.reasoning }) };
    return {
      ...head(exchange, "chat.completion"),
      choices: [{ index: 0, message, finish_reason: finished ? finishReasons[reply.finish] : null }],
      ...(reply.usage !== "missing" && { usage: usageOf(reply.usage) }),
    };
  },

  noChoices: (exchange) => ({ ...head(exchange, "chat.completion"), choices: [] }),
};

function openaiFrames(exchange: Exchange): Frames {
  const { reply, body } = exchange;
  const chunk = (delta: JsonRecord, reason: string | null = null): string =>
    frame({ ...head(exchange, "chat.completion.chunk"), choices: [{ index: 0, delta, finish_reason: reason }] });
  const options = body["stream_options"];
  const wantsUsage = isRecord(options) && options["include_usage"] === true;
  return {
    start: () => chunk({ role: "assistant", content: "" }),
    delta: ({ type, delta }) => chunk({ [type === "reasoning" ? "reasoning_content" : reply.finish === "refusal" ? "refusal" : "content"]: delta }),
    noChoices: () => `${frame({ ...head(exchange, "chat.completion.chunk"), choices: [] })}data: [DONE]\n\n`,
    finish() {
      const reason = finishReasons[reply.finish];
      if (reason === null) return "";
      const usage =
        wantsUsage && reply.usage !== "missing" ? frame({ ...head(exchange, "chat.completion.chunk"), choices: [], usage: usageOf(reply.usage) }) : "";
      return `${chunk({}, reason)}${usage}data: [DONE]\n\n`;
    },
  };
}

function frame(data: Json): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function head({ call, at }: Exchange, object: string): JsonRecord {
  return { id: `chatcmpl-${call.n}`, object, created: Math.floor(at / 1000), model: call.modelId };
}

/** What is written to the cache is told by newer models only. */
function usageOf({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, reasoningTokens }: Exclude<Reply["usage"], "missing">): JsonRecord {
  const cached = {
    ...(cacheReadTokens !== undefined && { cached_tokens: cacheReadTokens }),
    ...(cacheWriteTokens !== undefined && { cache_write_tokens: cacheWriteTokens }),
  };
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(Object.keys(cached).length > 0 && { prompt_tokens_details: cached }),
    ...(reasoningTokens !== undefined && { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
  };
}
