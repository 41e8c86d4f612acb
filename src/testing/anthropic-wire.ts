import { isRecord, type Json, type JsonRecord } from "../json.ts";
import type { Reply, ReplyDelta } from "./reply.ts";
import { type DoubleFinish, spoken } from "./script.ts";
import { contentText, type Exchange, type Frames, records, roleOf, type Wire } from "./wire.ts";

const stopReasons: Readonly<Record<DoubleFinish, string | null>> = {
  stop: "end_turn",
  refusal: "refusal",
  length: "max_tokens",
  "content-filter": "refusal",
  error: "error",
  other: "other",
  interrupted: null,
  none: null,
};

const errorTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error",
};

/** The error object of the Messages API. */
export function anthropicError(status: number, message: string): JsonRecord {
  return { type: "error", error: { type: errorTypes[status] ?? "api_error", message } };
}

/** The Anthropic Messages API: https://platform.claude.com/docs/en/build-with-claude/streaming */
export const anthropicWire: Wire = {
  name: "anthropic",
  path: "/v1/messages",
  ping: frame({ type: "ping" }),
  overloaded: anthropicError(529, "Overloaded"),
  errorBody: anthropicError,
  errorEvent: (data) => frame(data),

  read(body) {
    const system = body["system"] === undefined ? [] : [{ role: "system" as const, text: contentText(body["system"]) }];
    const messages = records(body["messages"]).map((message) => ({ role: roleOf(message["role"]), text: contentText(message["content"]) }));
    const maxTokens = body["max_tokens"];
    return {
      question: {
        modelId: String(body["model"]),
        ...spoken([...system, ...messages]),
        json: hasOutputFormat(body) || wantsJsonTool(body),
        ...(typeof maxTokens === "number" && { maxOutputTokens: maxTokens }),
      },
      stream: body["stream"] === true,
    };
  },

  frames: (exchange) => anthropicFrames(exchange),

  whole({ call, reply, body }, finished) {
    const asTool = answersByTool(body, reply);
    return {
      ...messageHead(call.n, call.modelId),
      content: [
        ...(reply.reasoning === "" ? [] : [{ type: "thinking", thinking: reply.reasoning, signature: SIGNATURE }]),
        ...(reply.text === ""
          ? []
          : [asTool ? { type: "tool_use", id: `toolu_${call.n}`, name: "json", input: jsonOf(reply.text) } : { type: "text", text: reply.text }]),
      ],
      stop_reason: finished ? stopReason(reply, asTool) : null,
      stop_sequence: null,
      usage: { ...inputUsage(reply), ...outputUsage(reply) },
    };
  },

  noChoices({ call, reply }) {
    return {
      ...messageHead(call.n, call.modelId),
      content: [],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { ...inputUsage(reply), output_tokens: 0 },
    };
  },
};

/** What ends a thinking block; clients hand it back unread. */
const SIGNATURE = "c2NyaXB0ZWQ=";

function anthropicFrames({ call, reply, body }: Exchange): Frames {
  const asTool = answersByTool(body, reply);
  let index = -1;
  let open: ReplyDelta["type"] | undefined;
  const close = (): string => {
    if (open === undefined) return "";
    const signed = open === "reasoning" ? frame({ type: "content_block_delta", index, delta: { type: "signature_delta", signature: SIGNATURE } }) : "";
    return signed + frame({ type: "content_block_stop", index });
  };
  const blockStart = (type: ReplyDelta["type"]): JsonRecord => {
    if (type === "reasoning") return { type: "thinking", thinking: "", signature: "" };
    return asTool ? { type: "tool_use", id: `toolu_${call.n}`, name: "json", input: {} } : { type: "text", text: "" };
  };
  const blockDelta = ({ type, delta }: ReplyDelta): JsonRecord => {
    if (type === "reasoning") return { type: "thinking_delta", thinking: delta };
    return asTool ? { type: "input_json_delta", partial_json: delta } : { type: "text_delta", text: delta };
  };
  const start = (): string =>
    frame({
      type: "message_start",
      message: {
        ...messageHead(call.n, call.modelId),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...inputUsage(reply), output_tokens: 0 },
      },
    });
  const end = (reason: string, usage: JsonRecord): string =>
    frame({ type: "message_delta", delta: { stop_reason: reason, stop_sequence: null }, usage }) + frame({ type: "message_stop" });
  return {
    start,
    noChoices: () => start() + end("end_turn", { output_tokens: 0 }),
    delta(delta) {
      let frames = "";
      if (open !== delta.type) {
        frames = close();
        open = delta.type;
        frames += frame({ type: "content_block_start", index: ++index, content_block: blockStart(delta.type) });
      }
      return frames + frame({ type: "content_block_delta", index, delta: blockDelta(delta) });
    },
    finish() {
      const reason = stopReason(reply, asTool);
      return reason === null ? "" : close() + end(reason, outputUsage(reply));
    },
  };
}

function frame(data: Json): string {
  const event = isRecord(data) && typeof data["type"] === "string" ? data["type"] : "error";
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function messageHead(n: number, model: string): JsonRecord {
  return { id: `msg_${n}`, type: "message", role: "assistant", model };
}

function stopReason(reply: Reply, asTool: boolean): string | null {
  return asTool && reply.finish === "stop" ? "tool_use" : stopReasons[reply.finish];
}

/** What is written to the cache or read from it is counted apart. */
function inputUsage({ usage }: Reply): JsonRecord {
  if (usage === "missing") return { input_tokens: 0 };
  const { inputTokens, cacheWriteTokens = 0, cacheReadTokens = 0 } = usage;
  return {
    input_tokens: inputTokens - cacheWriteTokens - cacheReadTokens,
    ...(cacheWriteTokens > 0 && { cache_creation_input_tokens: cacheWriteTokens }),
    ...(cacheReadTokens > 0 && { cache_read_input_tokens: cacheReadTokens }),
  };
}

function outputUsage({ usage }: Reply): JsonRecord {
  if (usage === "missing") return { output_tokens: 0 };
  const { outputTokens, reasoningTokens } = usage;
  return { output_tokens: outputTokens, ...(reasoningTokens !== undefined && { output_tokens_details: { thinking_tokens: reasoningTokens } }) };
}

function hasOutputFormat(body: Record<string, unknown>): boolean {
  const config = body["output_config"];
  return body["output_format"] !== undefined || (isRecord(config) && config["format"] !== undefined);
}

/** Where a model has no output format of its own, the AI SDK forces a tool named `json` instead. */
function wantsJsonTool(body: Record<string, unknown>): boolean {
  return records(body["tools"]).some((tool) => tool["name"] === "json");
}

function answersByTool(body: Record<string, unknown>, reply: Reply): boolean {
  return wantsJsonTool(body) && jsonOf(reply.text) !== undefined;
}

function jsonOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
