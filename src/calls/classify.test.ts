import {
  APICallError,
  InvalidPromptError,
  InvalidResponseDataError,
  JSONParseError,
  LoadAPIKeyError,
  NoSuchModelError,
  TypeValidationError,
  UnsupportedFunctionalityError,
} from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { DivvyError, errorCodes, type ErrorCode } from "../errors.ts";
import { classify } from "./classify.ts";

function apiError(statusCode: number | undefined, change: Partial<ConstructorParameters<typeof APICallError>[0]> = {}): APICallError {
  return new APICallError({
    message: "The provider's words.",
    url: "https://api.invalid/v1/x",
    requestBodyValues: {},
    ...(statusCode !== undefined && { statusCode }),
    ...change,
  });
}

function system(code: string, ErrorType: new (message: string) => Error = Error): Error {
  return Object.assign(new ErrorType(`it was ${code}`), { code });
}

const withCause = (cause: unknown): Error => new Error("outer", { cause });

describe("a status alone", () => {
  test.each<[number, ErrorCode]>([
    [400, "bad_request"],
    [401, "authentication"],
    [402, "quota_exhausted"],
    [403, "authentication"],
    [404, "not_found"],
    [405, "bad_request"],
    [408, "server_error"],
    [409, "server_error"],
    [413, "too_large"],
    [418, "bad_request"],
    [422, "bad_request"],
    [429, "rate_limited"],
    [500, "server_error"],
    [502, "server_error"],
    [503, "overloaded"],
    [504, "server_error"],
    [520, "server_error"],
    [529, "overloaded"],
  ])("%i is %s", (status, code) => {
    const error = classify(apiError(status), "p:m");
    expect([error.code, error.retryable, error.evidence]).toEqual([code, errorCodes[code].retryable, { status, providerMessage: "The provider's words." }]);
    expect(error.message).toMatch(new RegExp(`^p:m .*\\(HTTP ${status}\\): The provider's words\\.$`));
  });

  test("and of those exactly 408, 409, 429 and 500 to 599 are tried again", () => {
    const again = Array.from({ length: 200 }, (_, i) => 400 + i).filter((status) => classify(apiError(status), "p:m").retryable);
    expect(again).toEqual([408, 409, 429, ...Array.from({ length: 100 }, (_, i) => 500 + i)]);
  });
});

describe("a status and the provider's data", () => {
  const anthropic = (type: string) => ({ type: "error", error: { type, message: "m" } });
  const openai = (type: string | null, code: string | number | null = null) => ({ error: { message: "m", type, param: null, code } });
  const google = (code: number, status: string, details: unknown[] = []) => ({ error: { code, message: "m", status, details } });

  test.each<[string, number, unknown, ErrorCode]>([
    ["Anthropic, wrong key", 401, anthropic("authentication_error"), "authentication"],
    ["Anthropic, no permission", 403, anthropic("permission_error"), "authentication"],
    ["Anthropic, no credit", 400, anthropic("billing_error"), "quota_exhausted"],
    ["Anthropic, bad request", 400, anthropic("invalid_request_error"), "bad_request"],
    ["Anthropic, no such model", 404, anthropic("not_found_error"), "not_found"],
    ["Anthropic, too large", 413, anthropic("request_too_large"), "too_large"],
    ["Anthropic, too many", 429, anthropic("rate_limit_error"), "rate_limited"],
    ["Anthropic, its fault", 500, anthropic("api_error"), "server_error"],
    ["Anthropic, overloaded", 529, anthropic("overloaded_error"), "overloaded"],
    ["Anthropic, overloaded under another status", 500, anthropic("overloaded_error"), "overloaded"],
    ["OpenAI, wrong key", 401, openai("invalid_request_error", "invalid_api_key"), "authentication"],
    ["OpenAI, no key at all", 401, openai("invalid_request_error"), "authentication"],
    ["OpenAI, no such model", 404, openai("invalid_request_error", "model_not_found"), "not_found"],
    ["OpenAI, no such path", 404, openai("invalid_request_error"), "not_found"],
    ["OpenAI, too long", 400, openai("invalid_request_error", "context_length_exceeded"), "too_large"],
    ["OpenAI, too many", 429, openai("requests", "rate_limit_exceeded"), "rate_limited"],
    ["OpenAI, too many by kind only", 429, openai("tokens"), "rate_limited"],
    ["OpenAI, no credit", 429, openai("insufficient_quota", "insufficient_quota"), "quota_exhausted"],
    ["OpenAI, spending cap", 429, openai("invalid_request_error", "billing_hard_limit_reached"), "quota_exhausted"],
    ["OpenAI, account not paid for", 429, openai("billing_not_active", "billing_not_active"), "quota_exhausted"],
    ["OpenAI, account not paid for, by kind only", 429, openai("billing_not_active"), "quota_exhausted"],
    ["Moonshot, no credit", 429, openai("exceeded_current_quota_error"), "quota_exhausted"],
    ["Alibaba, in debt", 400, openai("Arrearage", "Arrearage"), "quota_exhausted"],
    ["New API, no credit", 403, openai("new_api_error", "insufficient_user_quota"), "quota_exhausted"],
    ["OpenAI, filtered (Azure)", 400, openai(null, "content_filter"), "content_filter"],
    ["OpenAI, its fault", 500, openai("server_error"), "server_error"],
    ["OpenAI, its fault that calls itself ours", 500, openai("invalid_request_error"), "server_error"],
    ["OpenAI, unavailable", 503, openai("server_error"), "overloaded"],
    ["Ollama, refused under its catch-all name", 401, openai("api_error"), "authentication"],
    ["Ollama, no such model", 404, openai("not_found_error"), "not_found"],
    ["OpenRouter, its code is the status", 402, openai(null, 402), "quota_exhausted"],
    [
      "Google, wrong key",
      400,
      google(400, "INVALID_ARGUMENT", [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }]),
      "authentication",
    ],
    [
      "Google, account not paid for",
      403,
      google(403, "PERMISSION_DENIED", [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "BILLING_DISABLED" }]),
      "quota_exhausted",
    ],
    ["Google, bad request", 400, google(400, "INVALID_ARGUMENT"), "bad_request"],
    ["Google, no permission", 403, google(403, "PERMISSION_DENIED"), "authentication"],
    ["Google, no such model", 404, google(404, "NOT_FOUND"), "not_found"],
    ["Google, too many", 429, google(429, "RESOURCE_EXHAUSTED"), "rate_limited"],
    ["Google, its fault", 500, google(500, "INTERNAL"), "server_error"],
    ["Google, overloaded", 503, google(503, "UNAVAILABLE"), "overloaded"],
    ["Google, too late", 504, google(504, "DEADLINE_EXCEEDED"), "server_error"],
    ["an unknown name says nothing", 400, openai("brand_new_error"), "bad_request"],
    ["a name of an object's own methods says nothing", 400, openai("constructor", "toString"), "bad_request"],
  ])("%s", (_, status, data, code) => {
    expect(classify(apiError(status, { data }), "p:m").code).toBe(code);
    // Where the provider's package does not understand its body, the body is read all the same.
    expect(classify(apiError(status, { responseBody: JSON.stringify(data) }), "p:m").code).toBe(code);
  });

  test("a body in words of its own is quoted", () => {
    expect(classify(apiError(404, { message: "Not Found", responseBody: '{"error":"model \\"x\\" not found"}' }), "p:m").evidence?.providerMessage).toBe(
      'model "x" not found',
    );
    expect(classify(apiError(502, { message: "Bad Gateway", responseBody: "<html>{</html>" }), "p:m")).toMatchObject({
      code: "server_error",
      evidence: { providerMessage: "Bad Gateway" },
    });
    expect(classify(apiError(502, { message: "Bad Gateway", responseBody: "{ cut off" }), "p:m")).toMatchObject({
      code: "server_error",
      evidence: { providerMessage: "Bad Gateway" },
    });
  });

  test("how long to wait is taken from the limit that is used up, where nobody says it", () => {
    const spent = { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s" };
    expect(classify(apiError(429, { responseHeaders: spent }), "p:m").evidence).toMatchObject({ retryAfterMs: 20_000 });
    expect(classify(apiError(429, { responseHeaders: { ...spent, "retry-after": "7" } }), "p:m").evidence).toMatchObject({ retryAfterMs: 7_000 });
    const google = { error: { code: 429, status: "RESOURCE_EXHAUSTED", details: [{ retryDelay: "34s" }] } };
    expect(classify(apiError(429, { responseHeaders: spent, data: google, responseBody: JSON.stringify(google) }), "p:m").evidence).toMatchObject({
      retryAfterMs: 34_000,
    });
    expect(classify(apiError(503, { responseHeaders: spent }), "p:m").evidence).not.toHaveProperty("retryAfterMs");
  });

  test("how long to wait is taken from the headers", () => {
    expect(classify(apiError(429, { responseHeaders: { "retry-after": "7" } }), "p:m").evidence).toMatchObject({ status: 429, retryAfterMs: 7_000 });
    const google = { error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "Slow down.", details: [{ retryDelay: "34s" }] } };
    const data = { error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "Slow down." } };
    expect(classify(apiError(429, { data, responseBody: JSON.stringify(google) }), "p:m").evidence).toMatchObject({ retryAfterMs: 34_000 });
  });
});

describe("a status of success", () => {
  test("of a reset stream is a broken connection", () => {
    const reset = apiError(200, { isRetryable: true, cause: new TypeError("terminated", { cause: system("UND_ERR_SOCKET") }) });
    expect(classify(reset, "p:m")).toMatchObject({ code: "connection_failed", retryable: true, evidence: { status: 200, systemCode: "UND_ERR_SOCKET" } });
  });

  test("of a stream that broke without a code is a broken stream", () => {
    expect(classify(apiError(200, { cause: new TypeError("terminated") }), "p:m")).toMatchObject({ code: "stream_broken", retryable: true });
  });

  test("of a body that makes no sense is no protocol", () => {
    expect(classify(apiError(200, { cause: new JSONParseError({ text: "<", cause: new Error("x") }) }), "p:m")).toMatchObject({
      code: "invalid_response",
      retryable: true,
    });
  });
});

describe("a system's code", () => {
  const table: readonly [string, ErrorCode][] = [
    ["ECONNREFUSED", "connection_failed"],
    ["ECONNRESET", "connection_failed"],
    ["EPIPE", "connection_failed"],
    ["ETIMEDOUT", "connection_failed"],
    ["EHOSTUNREACH", "connection_failed"],
    ["ENETUNREACH", "connection_failed"],
    ["EAI_AGAIN", "connection_failed"],
    ["UND_ERR_SOCKET", "connection_failed"],
    ["UND_ERR_CONNECT_TIMEOUT", "connection_failed"],
    ["UND_ERR_HEADERS_TIMEOUT", "connection_failed"],
    ["UND_ERR_BODY_TIMEOUT", "connection_failed"],
    ["ENOTFOUND", "host_not_found"],
    ["ERR_INVALID_URL", "not_found"],
    ["CERT_HAS_EXPIRED", "tls"],
    ["CERT_NOT_YET_VALID", "tls"],
    ["CERT_REVOKED", "tls"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "tls"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "tls"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "tls"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "tls"],
    ["EPROTO", "tls"],
  ];

  test.each(table)("%s is %s, wherever it stands", (systemCode, code) => {
    const error = system(systemCode);
    const shapes: readonly unknown[] = [
      error,
      withCause(error),
      withCause(withCause(withCause(error))),
      new TypeError("fetch failed", { cause: error }),
      new AggregateError([error, system("ECONNREFUSED")]),
      new AggregateError([new Error("without a code"), withCause(error)]),
      apiError(undefined, { cause: error, isRetryable: true }),
      apiError(undefined, { cause: new AggregateError([error]) }),
    ];
    for (const shape of shapes) {
      expect(classify(shape, "p:m")).toMatchObject({
        code,
        retryable: code === "connection_failed",
        evidence: { systemCode },
        message: expect.stringContaining(`(${systemCode})`),
      });
    }
  });

  test("is told from a code that a library gives", () => {
    const error = classify(system("RESOURCE_EXHAUSTED"), "p:m");
    expect(error.evidence).not.toHaveProperty("systemCode");
  });

  test("is not looked for without end", () => {
    const circle = new Error("round");
    circle.cause = circle;
    expect(classify(circle, "p:m").code).toBe("invalid_response");
  });

  test("is missing where a connection cannot be made for a reason of fetch's own", () => {
    expect(classify(apiError(undefined, { cause: new Error("bad port") }), "p:m").code).toBe("connection_failed");
  });
});

describe("an error part", () => {
  test.each<[string, unknown, ErrorCode]>([
    ["Anthropic's", { message: "Overloaded", type: "overloaded_error", statusCode: 529, isRetryable: true, data: {} }, "overloaded"],
    ["Anthropic's of a kind that is not known, with its status", { message: "m", type: "new_error", statusCode: 400 }, "bad_request"],
    ["OpenAI's", { message: "m", type: "server_error", param: null, code: null }, "server_error"],
    ["OpenAI's, out of credit", { message: "m", type: "insufficient_quota", code: "insufficient_quota", statusCode: 429 }, "quota_exhausted"],
    ["Google's", { message: "m", type: "RESOURCE_EXHAUSTED", code: 429, statusCode: 429 }, "rate_limited"],
    ["OpenRouter's, whose code is a status", { error: { message: "m", code: 502 } }, "server_error"],
    ["OpenRouter's, out of credit", { code: 402, message: "m" }, "quota_exhausted"],
    ["of a shape that nobody knows", { oops: true }, "server_error"],
    ["that is words", "Overloaded", "server_error"],
    ["that is nothing", undefined, "server_error"],
  ])("%s", (_, thrown, code) => {
    expect(classify(thrown, "p:m").code).toBe(code);
  });

  test("is quoted as far as it can be", () => {
    expect(classify({ error: { error: { message: "deep" } } }, "p:m").evidence?.providerMessage).toBe("deep");
    expect(classify({ odd: [1] }, "p:m").evidence?.providerMessage).toBe('{"odd":[1]}');
    const circle: Record<string, unknown> = {};
    circle["error"] = circle;
    expect(classify(circle, "p:m").code).toBe("server_error");
    expect(classify({ n: 1n }, "p:m").code).toBe("server_error");
  });
});

describe("a chunk that the provider's package does not understand", () => {
  const chunk = (value: unknown): TypeValidationError => new TypeValidationError({ value, cause: new Error("expected object") });

  test.each<[string, unknown, ErrorCode, string]>([
    ["with an error in plain words", { error: "the model crashed" }, "server_error", "the model crashed"],
    ["with Anthropic's frame around words", { type: "error", error: "the model crashed" }, "server_error", "the model crashed"],
    ["of nothing but words", "the model crashed", "server_error", "the model crashed"],
    ["with a known name", { error: { type: "insufficient_quota" } }, "quota_exhausted", "insufficient_quota"],
    ["with a status", { error: { code: 429, text: "slow down" } }, "rate_limited", "slow down"],
  ])("%s says what the provider said", (_, value, code, words) => {
    const error = classify(chunk(value), "p:m");
    expect([error.code, error.evidence?.providerMessage]).toEqual([code, expect.stringContaining(words)]);
    expect(error.message).not.toContain("expected object");
  });

  test.each<[string, unknown]>([
    ["without an error", { choices: 1 }],
    ["with an error that is none", { choices: 1, error: null }],
  ])("%s is no reply", (_, value) => {
    expect(classify(chunk(value), "p:m").code).toBe("invalid_response");
  });
});

describe("what the AI SDK throws by itself", () => {
  test.each<[string, unknown, ErrorCode]>([
    ["no key", new LoadAPIKeyError({ message: "ANTHROPIC_API_KEY is missing" }), "missing_key"],
    ["no such model", new NoSuchModelError({ modelId: "m", modelType: "languageModel" }), "not_found"],
    ["what the model cannot do", new UnsupportedFunctionalityError({ functionality: "json" }), "bad_request"],
    ["a prompt that makes no sense", new InvalidPromptError({ prompt: [], message: "m" }), "bad_request"],
    ["a chunk that is no JSON", new JSONParseError({ text: "<", cause: new Error("x") }), "invalid_response"],
    ["a stream without a finish reason", new InvalidResponseDataError({ data: undefined, message: "ended" }), "stream_broken"],
    ["data of another shape", new InvalidResponseDataError({ data: { a: 1 } }), "invalid_response"],
    ["a time limit of the provider's own fetch", new DOMException("The operation timed out.", "TimeoutError"), "connection_failed"],
  ])("%s", (_, thrown, code) => {
    expect(classify(thrown, "p:m").code).toBe(code);
  });

  test("a request that could not be made is not made again, unlike one that broke off", () => {
    expect(classify(new TypeError("Headers.append: …"), "p:m", { opened: false })).toMatchObject({
      code: "bad_request",
      retryable: false,
      hint: expect.stringContaining("API key"),
    });
    expect(classify(new TypeError("x of undefined"), "p:m", { opened: true })).toMatchObject({ code: "invalid_response" });
  });
});

test("the words of a message decide nothing", () => {
  for (const words of [
    "429 Too Many Requests",
    "ECONNREFUSED",
    "overloaded_error",
    "context_length_exceeded",
    "Invalid API key",
    "getaddrinfo ENOTFOUND host",
  ]) {
    expect(classify(new Error(words), "p:m").code).toBe("invalid_response");
    expect(classify(apiError(400, { message: words }), "p:m").code).toBe("bad_request");
    expect(classify({ message: words }, "p:m").code).toBe("server_error");
    expect(classify(words, "p:m").code).toBe("server_error");
  }
});

test("an error of ours passes as it is", () => {
  const error = new DivvyError("local_model", "No weights.");
  expect(classify(error, "p:m")).toBe(error);
});

test("long words are cut", () => {
  const { evidence, message } = classify(apiError(500, { message: "ab ".repeat(10_000) }), "p:m");
  expect(evidence?.providerMessage?.length).toBe(2_001);
  expect(message.length).toBeLessThan(2_200);
});

describe("a credential that the provider quotes", () => {
  const key = "sk-ant-api03-CANARY0123456789";

  test.each<[string, unknown]>([
    ["in its message", apiError(401, { message: `invalid x-api-key: ${key}`, data: { error: { message: `invalid x-api-key: ${key}` } } })],
    ["in a body that its package does not understand", apiError(401, { message: "Unauthorized", responseBody: JSON.stringify({ detail: { api_key: key } }) })],
    ["in an error part", { type: "authentication_error", message: `Bearer ${key} is unknown` }],
    ["in plain words", `api key ${key} is unknown`],
    ["in fetch's complaint about a header", new TypeError(`Headers.append: "Bearer ${key}\nx" is an invalid header value.`)],
    ["at the place where the words are cut", apiError(401, { message: `${"a ".repeat(995)}${key}` })],
  ])("%s is neither in the error nor in what loggers print of it", (_, thrown) => {
    const error = classify(thrown, "p:m", { opened: false });
    expect(JSON.stringify(error)).not.toContain("CANARY");
    expect(error.stack).not.toContain("CANARY");
    expect(JSON.stringify(error.cause ?? null)).not.toContain("CANARY");
  });

  test("takes the cause with it; without one the cause is kept, unless it holds the whole request", () => {
    expect(classify(new TypeError("no", { cause: new Error(`Bearer ${key}`) }), "p:m").cause).toBeUndefined();
    expect(classify(apiError(401), "p:m").cause).toBeUndefined();
    const plain = new TypeError("no");
    expect(classify(plain, "p:m").cause).toBe(plain);
  });

  test("is hidden before the words are cut, however often they hold it, and whatever it looks like", () => {
    const shapeless = "canary tell nobody";
    const mask = (text: string): string => text.replaceAll(shapeless, "*");
    const error = classify(apiError(401, { message: `${shapeless} `.repeat(3000) }), "p:m", { mask });
    expect(`${error.message}${JSON.stringify(error)}`).not.toMatch(/canary|tell|nobody/);
  });
});
