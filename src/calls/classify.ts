import { APICallError } from "@ai-sdk/provider";
import { DivvyError, type ErrorCode, type Evidence } from "../errors.ts";
import { isRecord } from "../json.ts";
import { retryAfterMs } from "./retry-after.ts";

/**
 * What a provider's failure is. Judged by error data, system codes and status together, never by status alone (a stream that
 * is reset half way carries 200) and never by the words of a message.
 *
 * @param thrown what `doStream` threw, what its stream threw, or the `error` of an error part
 */
export function classify(thrown: unknown, model: string): DivvyError {
  if (thrown instanceof DivvyError) return thrown;
  if (APICallError.isInstance(thrown)) return fromApiCall(thrown, model);
  const systemCode = systemCodeOf(thrown);
  if (systemCode !== undefined) return fromSystem(systemCode, thrown, model);
  const kind = errorKind(thrown);
  if (kind !== undefined) return make(kindCodes[kind] ?? "server_error", model, { providerMessage: providerMessage(thrown) }, thrown);
  if (thrown instanceof TypeError) return make("connection_failed", model, { providerMessage: providerMessage(thrown) }, thrown);
  if (isNamed(thrown, "AI_LoadAPIKeyError")) return make("missing_key", model, { providerMessage: providerMessage(thrown) }, thrown);
  // The provider's package could not make sense of what came: JSON or types that do not fit its protocol.
  return make("invalid_response", model, { providerMessage: providerMessage(thrown) }, thrown);
}

function fromApiCall(error: APICallError, model: string): DivvyError {
  const { statusCode: status } = error;
  const systemCode = systemCodeOf(error);
  if (systemCode !== undefined) return fromSystem(systemCode, error, model, status);
  const retryAfter = retryAfterMs(error.responseHeaders);
  const evidence: Evidence = {
    ...(status !== undefined && { status }),
    ...(retryAfter !== undefined && { retryAfterMs: retryAfter }),
    providerMessage: providerMessage(error),
  };
  if (status === undefined) return make("connection_failed", model, evidence, error);
  if (status < 300) return make(isCut(error) ? "stream_broken" : "invalid_response", model, evidence, error);
  const kind = errorKind(error.data);
  const byKind = kind === undefined ? undefined : kindCodes[kind];
  return make(byKind !== undefined && fitsStatus(byKind, status) ? byKind : codeOfStatus(status), model, evidence, error);
}

/** A reset body, as opposed to one that arrived whole and makes no sense. */
function isCut(error: APICallError): boolean {
  return error.isRetryable || error.cause instanceof TypeError;
}

/** A 5xx that calls itself an invalid request is still the provider's fault; data decides among the 4xx. */
function fitsStatus(code: ErrorCode, status: number): boolean {
  return status >= 500 ? code === "overloaded" || code === "server_error" : true;
}

function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
    case 403:
      return "authentication";
    case 402:
      return "quota_exhausted";
    case 404:
      return "not_found";
    case 408:
    case 409:
      return "server_error";
    case 413:
      return "too_large";
    case 429:
      return "rate_limited";
    case 503:
    case 529:
      return "overloaded";
    default:
      return status >= 500 ? "server_error" : "bad_request";
  }
}

/** The providers' own names for errors: Anthropic's `error.type`, OpenAI's `code` or `type`, Google's `status`. */
const kindCodes: Readonly<Record<string, ErrorCode>> = {
  overloaded_error: "overloaded",
  api_error: "server_error",
  server_error: "server_error",
  timeout_error: "server_error",
  rate_limit_error: "rate_limited",
  rate_limit_exceeded: "rate_limited",
  insufficient_quota: "quota_exhausted",
  billing_error: "quota_exhausted",
  billing_hard_limit_reached: "quota_exhausted",
  authentication_error: "authentication",
  invalid_api_key: "authentication",
  permission_error: "authentication",
  not_found_error: "not_found",
  model_not_found: "not_found",
  request_too_large: "too_large",
  context_length_exceeded: "too_large",
  invalid_request_error: "bad_request",
  content_filter: "content_filter",
  UNAVAILABLE: "overloaded",
  INTERNAL: "server_error",
  UNAUTHENTICATED: "authentication",
  PERMISSION_DENIED: "authentication",
  NOT_FOUND: "not_found",
  INVALID_ARGUMENT: "bad_request",
};

/** The first known name in the error's data, in its inner `error` first. */
function errorKind(data: unknown): string | undefined {
  if (!isRecord(data)) return undefined;
  const inner = errorKind(data["error"]);
  if (inner !== undefined) return inner;
  const names = [data["code"], data["type"], data["status"]].filter((name) => typeof name === "string");
  return names.find((name) => Object.hasOwn(kindCodes, name));
}

const tlsCodes: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "EPROTO",
]);

function fromSystem(systemCode: string, thrown: unknown, model: string, status?: number): DivvyError {
  const evidence: Evidence = { systemCode, ...(status !== undefined && { status }), providerMessage: providerMessage(thrown) };
  if (systemCode === "ENOTFOUND") return make("host_not_found", model, evidence, thrown);
  if (tlsCodes.has(systemCode) || systemCode.startsWith("ERR_SSL_") || systemCode.startsWith("ERR_TLS_")) return make("tls", model, evidence, thrown);
  return make("connection_failed", model, evidence, thrown);
}

/** The operating system's or the HTTP client's code, wherever in the chain of causes it stands. */
function systemCodeOf(thrown: unknown): string | undefined {
  let at: unknown = thrown;
  for (let depth = 0; depth < 8 && at instanceof Error; depth++) {
    if ("code" in at && typeof at.code === "string" && /^[A-Z][A-Z0-9_]+$/.test(at.code)) return at.code;
    at = at instanceof AggregateError && at.errors.length > 0 ? at.errors[0] : at.cause;
  }
  return undefined;
}

const longestMessage = 2000;

function providerMessage(thrown: unknown): string {
  const text = wordsOf(thrown);
  return text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text;
}

function wordsOf(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  if (thrown instanceof Error) return thrown.message;
  if (!isRecord(thrown)) return String(thrown);
  if (typeof thrown["message"] === "string") return thrown["message"];
  return "error" in thrown ? wordsOf(thrown["error"]) : JSON.stringify(thrown);
}

function isNamed(thrown: unknown, name: string): boolean {
  return thrown instanceof Error && thrown.name === name;
}

const sentences: Partial<Readonly<Record<ErrorCode, string>>> = {
  authentication: "refused the credentials",
  not_found: "was not found at its provider",
  bad_request: "rejected the request",
  too_large: "cannot take a request of this size",
  quota_exhausted: "is not available: the account's credit or spending cap is used up",
  rate_limited: "is limiting requests",
  overloaded: "is overloaded",
  server_error: "failed on the provider's side",
  connection_failed: "could not be reached, or the connection broke",
  host_not_found: "could not be reached: its host name has no address",
  tls: "could not be reached securely",
  stream_broken: "broke off its reply",
  invalid_response: "answered something that is not its protocol",
  content_filter: "was stopped by the provider's content filter",
  missing_key: "has no API key",
};

function make(code: ErrorCode, model: string, evidence: Evidence, cause: unknown): DivvyError {
  const words = evidence.providerMessage;
  const status = evidence.status === undefined || evidence.status < 300 ? "" : ` (HTTP ${evidence.status})`;
  const system = evidence.systemCode === undefined ? "" : ` (${evidence.systemCode})`;
  const message = `${model} ${sentences[code] ?? "failed"}${status}${system}${words ? `: ${words}` : "."}`;
  return new DivvyError(code, message, { evidence, cause });
}
