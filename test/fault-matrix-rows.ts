import type { Json } from "../src/json.ts";
import type { ErrorCode } from "../src/errors.ts";
import type { Fault } from "../src/testing/index.ts";
import { mark, type Trouble, type Wire } from "./fault-matrix-fixture.ts";

/** What happens to a call, and what is to become of it. */
export interface Row {
  readonly trouble: Trouble | ((wire: Wire) => Trouble);
  readonly code: ErrorCode | Readonly<Record<Wire, ErrorCode>>;
  /** Tries that are made where it happens to each. */
  readonly tries: number | Readonly<Record<Wire, number>>;
  /** What the hint must tell people to look at. */
  readonly advice: RegExp;
  /** Sent back to the queue: further requests that are no tries. */
  readonly isRequeued?: true;
  /** How long a call may wait to be let out, in milliseconds. */
  readonly admissionMs?: number;
  /** Where the orchestrator is asked once more, for a plan rather than for a reply: how that ends. */
  readonly planning?: { readonly code: "plan_failed"; readonly tries: number; readonly failures: number; readonly wires?: readonly Wire[] };
}

const fault = (one: Fault): Trouble => ({ fault: one });
const status = (code: number, more: { readonly body?: string | Json; readonly headers?: Readonly<Record<string, string>> } = {}): Trouble =>
  fault({ kind: "status", status: code, ...more });
const saysError = (wire: Wire): Json =>
  wire === "anthropic" ? { type: "error", error: { type: "api_error", message: mark } } : { error: { message: mark, type: "server_error", code: null } };

const saysNoCredit = (wire: Wire, name: string): Json =>
  wire === "anthropic" ? { type: "error", error: { type: "billing_error", message: mark } } : { error: { message: mark, type: name, param: null, code: name } };

const inReply = 2;
const reasoning = { inputTokens: 50, outputTokens: 8_192, reasoningTokens: 8_192 };
/** A plan in which nothing stands is asked for four times; an empty reply to that is none that failed. */
const plansInVain = { code: "plan_failed", tries: 4, failures: 0 } as const;

export const rows: Readonly<Record<string, Row>> = {
  "400": { trouble: status(400), code: "bad_request", tries: 1, advice: /setting/ },
  "401": { trouble: status(401), code: "authentication", tries: 1, advice: /API key/ },
  "403": { trouble: status(403), code: "authentication", tries: 1, advice: /access/ },
  "404": { trouble: status(404), code: "not_found", tries: 1, advice: /model's name/ },
  "408": { trouble: status(408), code: "server_error", tries: 3, advice: /later/ },
  "409": { trouble: status(409), code: "server_error", tries: 3, advice: /later/ },
  "413": { trouble: status(413), code: "too_large", tries: 1, advice: /[Ss]horten/ },
  "422": { trouble: status(422), code: "bad_request", tries: 1, advice: /setting/ },
  "429 without Retry-After": { trouble: status(429), code: "rate_limited", tries: 1, advice: /concurrency/, isRequeued: true, admissionMs: 150_000 },
  "429 with Retry-After": {
    trouble: status(429, { headers: { "retry-after": "40" } }),
    code: "rate_limited",
    tries: 1,
    advice: /concurrency/,
    isRequeued: true,
    admissionMs: 150_000,
  },
  "429 with a Retry-After that is too long": {
    trouble: status(429, { headers: { "retry-after": "3600" } }),
    code: "rate_limited",
    tries: 1,
    advice: /concurrency/,
  },
  "429 of a quota that is used up": {
    trouble: (wire) => status(429, { body: saysNoCredit(wire, "insufficient_quota") }),
    code: "quota_exhausted",
    tries: 1,
    advice: /credit/,
  },
  "429 of an account that is not paid for": {
    trouble: (wire) => status(429, { body: saysNoCredit(wire, "billing_not_active"), headers: { "retry-after": "1" } }),
    code: "quota_exhausted",
    tries: 1,
    advice: /credit/,
  },
  "429 with the reset of a limit that is used up": {
    trouble: status(429, { headers: { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "40s" } }),
    code: "rate_limited",
    tries: 1,
    advice: /concurrency/,
    isRequeued: true,
    admissionMs: 150_000,
  },
  "500": { trouble: status(500), code: "server_error", tries: 3, advice: /later/ },
  "502": { trouble: status(502), code: "server_error", tries: 3, advice: /later/ },
  "503": { trouble: status(503), code: "overloaded", tries: 3, advice: /few minutes/, isRequeued: true },
  "529": { trouble: status(529), code: "overloaded", tries: 3, advice: /few minutes/, isRequeued: true },
  "connection refused": { trouble: { unreachable: "refused" }, code: "connection_failed", tries: 3, advice: /server is running/ },
  "unknown host": { trouble: { unreachable: "unknown-host" }, code: "host_not_found", tries: 1, advice: /base URL/ },
  "TLS failure": { trouble: { unreachable: "tls" }, code: "tls", tries: 1, advice: /certificates/ },
  "reset before headers": { trouble: fault({ kind: "reset", afterChunks: 0 }), code: "connection_failed", tries: 3, advice: /network/ },
  "reset mid-stream": { trouble: fault({ kind: "reset", afterChunks: inReply }), code: "stream_broken", tries: 3, advice: /proxy/ },
  "no headers ever": { trouble: fault({ kind: "silence", afterChunks: -1 }), code: "idle_timeout", tries: 3, advice: /idleMs/ },
  "headers then silence": { trouble: fault({ kind: "silence", afterChunks: 0 }), code: "idle_timeout", tries: 3, advice: /idleMs/ },
  "silence mid-stream": { trouble: fault({ kind: "silence", afterChunks: inReply }), code: "idle_timeout", tries: 3, advice: /idleMs/ },
  "pings only": { trouble: fault({ kind: "pings" }), code: "idle_timeout", tries: 3, advice: /idleMs/ },
  "pings mid-stream": {
    trouble: fault({ kind: "pings", afterChunks: inReply }),
    code: { anthropic: "total_timeout", openai: "idle_timeout" },
    tries: { anthropic: 1, openai: 3 },
    advice: /timeout/,
  },
  "empty deltas only": {
    trouble: fault({ kind: "empty-deltas" }),
    code: { anthropic: "total_timeout", openai: "idle_timeout" },
    tries: { anthropic: 1, openai: 3 },
    advice: /timeout/,
  },
  "an error event mid-stream": {
    trouble: (wire) => fault({ kind: "error-event", afterChunks: inReply, data: saysError(wire) }),
    code: "server_error",
    tries: 3,
    advice: /later/,
  },
  "an error event mid-stream, a string in place of its object": {
    trouble: (wire) => fault({ kind: "error-event", afterChunks: inReply, data: wire === "anthropic" ? { type: "error", error: mark } : { error: mark } }),
    code: "server_error",
    tries: 3,
    advice: /later/,
  },
  "an error event mid-stream, a bare string": {
    trouble: fault({ kind: "error-event", afterChunks: inReply, data: mark }),
    code: "server_error",
    tries: 3,
    advice: /later/,
  },
  "a clean end without a finish reason": { trouble: fault({ kind: "cut", afterChunks: inReply }), code: "stream_broken", tries: 3, advice: /[Tt]ry again/ },
  "a clean end before anything": { trouble: fault({ kind: "cut", afterChunks: 0 }), code: "stream_broken", tries: 3, advice: /[Tt]ry again/ },
  "200 with HTML": {
    trouble: fault({ kind: "body", body: `<html>${mark}</html>`, contentType: "text/html" }),
    code: "invalid_response",
    tries: 3,
    advice: /base URL/,
  },
  "200 with an error body": {
    trouble: (wire) => fault({ kind: "body", body: JSON.stringify(saysError(wire)), contentType: "application/json" }),
    code: "invalid_response",
    tries: 3,
    advice: /base URL/,
  },
  "empty choices": {
    trouble: fault({ kind: "no-choices" }),
    code: { anthropic: "empty_response", openai: "stream_broken" },
    tries: 3,
    advice: /[Tt]ry again|other words/,
    planning: { ...plansInVain, wires: ["anthropic"] },
  },
  "empty text": { trouble: { text: "" }, code: "empty_response", tries: 3, advice: /other words/, planning: plansInVain },
  refusal: { trouble: { text: `${mark}: I will not.`, finish: "refusal" }, code: "refused", tries: 1, advice: /Rephrase/ },
  "content filter": {
    trouble: { finish: "content-filter" },
    code: { anthropic: "refused", openai: "content_filter" },
    tries: 1,
    advice: /Rephrase/,
  },
  "length cut": {
    trouble: { finish: "length" },
    code: "output_truncated",
    tries: 2,
    advice: /maxOutputTokens/,
    planning: { code: "plan_failed", tries: 8, failures: 8 },
  },
  "all tokens spent on reasoning": {
    trouble: { text: "", reasoning: `${mark} `.repeat(20), finish: "length", usage: reasoning },
    code: "output_truncated",
    tries: 2,
    advice: /maxOutputTokens/,
  },
};
