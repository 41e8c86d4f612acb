import { APICallError, InvalidResponseDataError, TypeValidationError } from "@ai-sdk/provider";
import { DivvyError, type ErrorCode, type Evidence } from "../errors.ts";
import { spentLimitMs } from "../governor/rate-limits.ts";
import { isRecord } from "../json.ts";
import type { CredentialMask } from "../models/credential-mask.ts";
import { codeOf, codeOfData, statusInData } from "./error-kind.ts";
import { keptCause } from "./kept-cause.ts";
import { masked } from "./masked.ts";
import { retryAfterMs, retryInfoMs } from "./retry-after.ts";
import { isTlsCode, systemCodeOf } from "../system-code.ts";
import { shortened } from "../shortened.ts";

export interface Circumstances {
  /** Had a response begun? @default true */
  readonly opened?: boolean;
  /** Hides the model's own credentials, whatever they look like. By default nothing is hidden but what looks like one. */
  readonly mask?: CredentialMask | undefined;
  /** When it was thrown, in epoch milliseconds: dates in a response without one of its own count from there; without it they say nothing. */
  readonly now?: number;
}

/**
 * What a provider's failure is. Judged by error data, system codes and status together, never by status alone (a stream that
 * is reset half way carries 200) and never by the words of a message. Whatever is repeated of it has its credentials masked.
 *
 * @param thrown what `doStream` threw, what its stream threw, or the `error` of an error part
 */
export function classify(thrown: unknown, model: string, circumstances: Circumstances = {}): DivvyError {
  const { opened = true, mask = asItIs, now = Number.NaN } = circumstances;
  if (thrown instanceof DivvyError) return thrown;
  const fail = (code: ErrorCode, evidence: Evidence = {}, hint?: string): DivvyError => failure(code, model, evidence, { thrown, mask }, hint);

  const systemCode = systemCodeOf(thrown);
  if (APICallError.isInstance(thrown)) {
    const { statusCode: status, responseHeaders: headers } = thrown;
    const retryAfter = retryAfterMs(headers, now) ?? retryInfoMs(bodyOf(thrown)) ?? (status === 429 ? spentLimitMs(headers, now) : undefined);
    const evidence = { ...(status !== undefined && { status }), ...(retryAfter !== undefined && { retryAfterMs: retryAfter }) };
    if (systemCode !== undefined) return fail(codeOfSystem(systemCode), { systemCode, ...evidence });
    if (status === undefined) return fail("connection_failed", evidence);
    if (status < 300) return fail(isCut(thrown) ? "stream_broken" : "invalid_response", evidence);
    return fail(codeOf(dataOf(thrown), status), evidence);
  }
  if (systemCode !== undefined) return fail(codeOfSystem(systemCode), { systemCode });
  if (isUnknownShape(thrown)) return classify(thrown.value, model, circumstances);
  const named = codeOfData(thrown);
  if (named !== undefined) return fail(named);

  if (thrown instanceof Error) {
    if (thrown instanceof TypeError && thrown.cause !== undefined) return fail("connection_failed");
    // Nothing had left: no address, header or body could be made of what was given.
    if (thrown instanceof TypeError && !opened) return fail("bad_request", {}, "Check the API key and the base URL for characters that do not belong there.");
    if (thrown.name === "TimeoutError" || thrown.name === "AbortError") return fail("connection_failed");
    if (InvalidResponseDataError.isInstance(thrown) && thrown.data === undefined) return fail("stream_broken");
    // The provider's package: it could not send what was asked for, or made no sense of what came.
    return fail(packageErrors[thrown.name] ?? "invalid_response");
  }
  // What the provider itself says in its stream, in a shape of its own.
  const status = statusInData(thrown);
  return status === undefined ? fail("server_error") : fail(codeOf(thrown, status), { status });
}

/** Is it what the provider itself says in its stream, as opposed to what went wrong with reading that? */
export function isProvidersWord(error: unknown): boolean {
  return !(error instanceof Error) || isUnknownShape(error);
}

/** What a provider's package took for no reply, and is an error in a shape of the provider's own. */
function isUnknownShape(thrown: unknown): thrown is TypeValidationError {
  return TypeValidationError.isInstance(thrown) && saysError(thrown.value);
}

function saysError(value: unknown): boolean {
  return typeof value === "string" || (isRecord(value) && value["error"] !== undefined && value["error"] !== null);
}

function asItIs(text: string): string {
  return text;
}

/** Errors that the AI SDK raises by itself, by name. */
const packageErrors: Readonly<Record<string, ErrorCode>> = {
  AI_LoadAPIKeyError: "missing_key",
  AI_LoadSettingError: "missing_key",
  AI_NoSuchModelError: "not_found",
  AI_UnsupportedFunctionalityError: "bad_request",
  AI_InvalidPromptError: "bad_request",
  AI_InvalidArgumentError: "bad_request",
};

function codeOfSystem(code: string): ErrorCode {
  if (code === "ENOTFOUND") return "host_not_found";
  if (code === "ERR_INVALID_URL") return "not_found";
  return isTlsCode(code) ? "tls" : "connection_failed";
}

/** A reset body, as opposed to one that arrived whole and makes no sense. */
function isCut(error: APICallError): boolean {
  return error.isRetryable || error.cause instanceof TypeError;
}

/** The error's data; where the provider's package did not understand the body, the body. */
function dataOf(error: APICallError): unknown {
  return error.data ?? bodyOf(error);
}

/** The body itself: of what a package does not know, its data holds nothing. */
function bodyOf({ responseBody }: APICallError): unknown {
  if (responseBody === undefined || !responseBody.trimStart().startsWith("{")) return undefined;
  try {
    return JSON.parse(responseBody);
  } catch {
    return undefined;
  }
}

const longestMessage = 2000;
const longestBody = 16_384;

/** The provider's own words, if it has any. */
function wordsOf(thrown: unknown, depth = 0): string {
  if (typeof thrown === "string") return thrown;
  if (APICallError.isInstance(thrown) && thrown.data === undefined) {
    const data = dataOf(thrown);
    if (data !== undefined) return wordsOf(data);
  }
  if (thrown instanceof Error) return thrown.message;
  if (!isRecord(thrown)) return String(thrown);
  if (typeof thrown["message"] === "string") return thrown["message"];
  if ("error" in thrown && depth < 4) return wordsOf(thrown["error"], depth + 1);
  try {
    return JSON.stringify(thrown) ?? "";
  } catch {
    return "";
  }
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

interface Told {
  readonly thrown: unknown;
  readonly mask: CredentialMask;
}

function failure(code: ErrorCode, model: string, seen: Evidence, { thrown, mask }: Told, hint: string | undefined): DivvyError {
  // Cut only when the credentials are out of it: half of one has no shape.
  const shown = masked(mask(wordsOf(thrown)).slice(0, longestBody));
  const providerMessage = shortened(shown, longestMessage);
  const status = seen.status === undefined || seen.status < 300 ? "" : ` (HTTP ${seen.status})`;
  const system = seen.systemCode === undefined ? "" : ` (${seen.systemCode})`;
  const message = `${model} ${sentences[code] ?? "failed"}${status}${system}${providerMessage ? `: ${providerMessage}` : "."}`;
  return new DivvyError(code, message, {
    evidence: { ...seen, providerMessage },
    ...(hint !== undefined && { hint }),
    ...keptCause(thrown, (text) => masked(mask(text))),
  });
}
