import { describe, expect, test } from "vitest";
import { abortReason, DivvyError, type ErrorData, errorCodes, type ErrorCode, toDivvyError } from "./errors.ts";

const isCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code);
const codes = Object.keys(errorCodes).filter(isCode);

describe.each(codes)("%s", (code) => {
  test("says what to do, in one or two whole sentences", () => {
    const { hint } = new DivvyError(code, "It happened.");
    expect(hint).toMatch(/^[A-Z].{15,160}\.$/);
    expect(hint).not.toMatch(/\n|undefined|TODO/);
  });

  test("is the same after JSON", () => {
    const error = new DivvyError(code, "It happened.", { evidence: { status: 500, subtaskIds: ["a"] } });
    const data: ErrorData = JSON.parse(JSON.stringify(error));
    expect(data).toEqual({
      code,
      message: "It happened.",
      hint: errorCodes[code].hint,
      retryable: errorCodes[code].retryable,
      evidence: { status: 500, subtaskIds: ["a"] },
    });
    expect(data).toEqual(error.toJSON());
  });
});

test("no two codes give the same advice", () => {
  expect(new Set(codes.map((code) => errorCodes[code].hint)).size).toBe(codes.length);
});

describe("an error", () => {
  const cause = new Error("inner");
  const error = new DivvyError("server_error", "It failed.", { hint: "Do this.", retryable: false, evidence: { status: 500, providerMessage: "no" }, cause });

  test("can differ from its code's rule, in its hint and in whether it may be tried again", () => {
    expect([error.hint, error.retryable]).toEqual(["Do this.", false]);
  });

  test("with more to see is the same error, and the one before is as it was", () => {
    const more = error.with({ status: 503, attempts: 3 });
    expect(more.toJSON()).toEqual({ ...error.toJSON(), evidence: { status: 503, providerMessage: "no", attempts: 3 } });
    expect([more.cause, more instanceof DivvyError, more.name]).toEqual([cause, true, "DivvyError"]);
    expect(error.evidence).toEqual({ status: 500, providerMessage: "no" });
  });

  test("keeps its cause out of its JSON", () => {
    expect(JSON.stringify(error)).not.toContain("inner");
    expect(JSON.stringify({ error })).toContain('"code":"server_error"');
  });

  test("has no evidence where nothing was seen", () => {
    const plain = new DivvyError("aborted", "Stopped.");
    expect(plain.toJSON()).not.toHaveProperty("evidence");
    expect("cause" in plain).toBe(false);
  });
});

describe("whatever is thrown", () => {
  test("is an error of ours, which stays itself", () => {
    const own = new DivvyError("refused", "No.");
    expect(toDivvyError(own)).toBe(own);
  });

  test.each([
    [new TypeError("x is undefined"), "x is undefined"],
    ["words", "words"],
    [undefined, "undefined"],
    [{ a: 1 }, "object"],
    [null, "null"],
  ])("or a fault of ours that says what it was: %s", (thrown, words) => {
    const error = toDivvyError(thrown);
    expect(error).toMatchObject({ code: "internal", retryable: false, message: expect.stringContaining(words) });
  });
});

test("the reason of an abort is the one that was given where it is ours, else `aborted`", () => {
  const own = new DivvyError("run_timeout", "Over.");
  expect(abortReason(AbortSignal.abort(own))).toBe(own);
  const other = abortReason(AbortSignal.abort("enough"));
  expect(other).toMatchObject({ code: "aborted", cause: "enough", message: "The call was stopped: enough." });
  expect(abortReason(AbortSignal.abort(new Error("The tab was closed.")))).toMatchObject({ message: "The call was stopped: The tab was closed." });
  expect(abortReason(AbortSignal.abort())).toMatchObject({ code: "aborted", retryable: false, message: "The call was stopped." });
  expect(abortReason(AbortSignal.abort({ some: "thing" }))).toMatchObject({ message: "The call was stopped." });
});
