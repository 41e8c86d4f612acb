import type { ErrorCode } from "../errors.ts";
import { isRecord } from "../json.ts";

/**
 * The providers' own names for errors: Anthropic's `error.type`, OpenAI's `code` or `type`, Google's `status` and `reason`; and what
 * servers that speak OpenAI's format call an account in debt: Moonshot, Alibaba, New API.
 */
const codes: Readonly<Record<string, ErrorCode>> = {
  overloaded_error: "overloaded",
  api_error: "server_error",
  server_error: "server_error",
  timeout_error: "server_error",
  rate_limit_error: "rate_limited",
  rate_limit_exceeded: "rate_limited",
  insufficient_quota: "quota_exhausted",
  billing_error: "quota_exhausted",
  billing_hard_limit_reached: "quota_exhausted",
  billing_not_active: "quota_exhausted",
  exceeded_current_quota_error: "quota_exhausted",
  Arrearage: "quota_exhausted",
  insufficient_user_quota: "quota_exhausted",
  authentication_error: "authentication",
  invalid_api_key: "authentication",
  permission_error: "authentication",
  not_found_error: "not_found",
  model_not_found: "not_found",
  request_too_large: "too_large",
  context_length_exceeded: "too_large",
  invalid_request_error: "bad_request",
  invalid_prompt: "bad_request",
  content_filter: "content_filter",
  API_KEY_INVALID: "authentication",
  BILLING_DISABLED: "quota_exhausted",
  UNAVAILABLE: "overloaded",
  RESOURCE_EXHAUSTED: "rate_limited",
  INTERNAL: "server_error",
  DEADLINE_EXCEEDED: "server_error",
  UNAUTHENTICATED: "authentication",
  PERMISSION_DENIED: "authentication",
  NOT_FOUND: "not_found",
  INVALID_ARGUMENT: "bad_request",
  FAILED_PRECONDITION: "bad_request",
};

/** Errors within errors that are looked into. */
const deepest = 4;

/**
 * What an error's data says that it is, by a name that we know; nothing where it names none. Within the data the inner `error`
 * comes first, and in it the more particular name.
 */
export function codeOfData(data: unknown, depth = 0): ErrorCode | undefined {
  if (!isRecord(data) || depth > deepest) return undefined;
  const inner = codeOfData(data["error"], depth + 1);
  if (inner !== undefined) return inner;
  const details: unknown[] = Array.isArray(data["details"]) ? data["details"] : [];
  const reasons = details.map((detail) => (isRecord(detail) ? detail["reason"] : undefined));
  const names = [...reasons, data["code"], data["type"], data["status"]];
  for (const name of names) if (typeof name === "string" && Object.hasOwn(codes, name)) return codes[name];
  return undefined;
}

/** The HTTP status that error data speaks of (OpenRouter's `code`, the AI SDK's `statusCode`): inside a stream there is no other. */
export function statusInData(data: unknown, depth = 0): number | undefined {
  if (!isRecord(data) || depth > deepest) return undefined;
  const status = [data["statusCode"], data["code"], data["status"]].find((value) => typeof value === "number" && value >= 400 && value < 600);
  return typeof status === "number" ? status : statusInData(data["error"], depth + 1);
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

/**
 * Data and status together. A name says more than its status only on the same side of 500: a 500 that calls itself an invalid
 * request is still the provider's fault, and a 401 of the kind `api_error` still ours. "Invalid request" says less than any
 * status, and so does "server error": a 503 of that kind is an overload all the same.
 */
export function codeOf(data: unknown, status: number): ErrorCode {
  const named = codeOfData(data);
  if (named === undefined || named === "bad_request" || named === "server_error") return codeOfStatus(status);
  return (named === "overloaded") === status >= 500 ? named : codeOfStatus(status);
}
