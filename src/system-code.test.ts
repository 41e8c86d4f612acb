import { stat } from "node:fs/promises";
import { expect, test } from "vitest";
import { DivvyError } from "./errors.ts";
import { isTlsCode, systemCodeOf } from "./system-code.ts";

const coded = (code: unknown, options?: ErrorOptions): Error => Object.assign(new Error("It failed.", options), { code });

test("the system's own code is found", async () => {
  const thrown = await stat("/no/such/file").catch((error: unknown) => error);
  expect(systemCodeOf(thrown)).toBe("ENOENT");
});

test("it is found in causes, and among the tries of several addresses", () => {
  expect(systemCodeOf(new TypeError("fetch failed", { cause: coded("ENOSPC") }))).toBe("ENOSPC");
  const tries = new AggregateError([coded("nothing"), coded("ECONNREFUSED")]);
  expect(systemCodeOf(new Error("outer", { cause: new Error("inner", { cause: tries }) }))).toBe("ECONNREFUSED");
});

test("an outer code says more than an inner one", () => {
  expect(systemCodeOf(coded("UND_ERR_SOCKET", { cause: coded("ECONNRESET") }))).toBe("UND_ERR_SOCKET");
});

test.each([
  ["a library's own kind", coded("RESOURCE_EXHAUSTED")],
  ["an error of ours", new DivvyError("invalid_option", "No.")],
  ["a number", coded(42)],
  ["no error", { code: "ENOENT" }],
  ["nothing", undefined],
])("%s is no code of the system", (_, thrown) => {
  expect(systemCodeOf(thrown)).toBeUndefined();
});

test("an error that is its own cause is looked through once", () => {
  const circle = new Error("again");
  circle.cause = circle;
  expect(systemCodeOf(circle)).toBeUndefined();
});

test.each([
  ["CERT_HAS_EXPIRED", true],
  ["EPROTO", true],
  ["ECONNRESET", false],
])("%s: a matter of certificates and handshakes? %s", (code, answer) => {
  expect(isTlsCode(code)).toBe(answer);
});
