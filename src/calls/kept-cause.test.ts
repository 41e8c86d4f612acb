import { APICallError } from "@ai-sdk/provider";
import { expect, test } from "vitest";
import { keptCause } from "./kept-cause.ts";

const hide = (text: string): string => text.replaceAll("canary", "*");
const api = new APICallError({ message: "no", url: "http://host.invalid", requestBodyValues: { user: "somebody" } });

test("what holds no secret is kept, whatever it is", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  for (const cause of [new TypeError("no"), new Error("no", { cause: circle }), { message: "no" }, "no", 5, null, [undefined, "x"]]) {
    expect(keptCause(cause, hide)).toEqual({ cause });
  }
});

test.each<[string, unknown]>([
  ["its message", new Error("a canary")],
  ["its stack", Object.assign(new Error("x"), { stack: "a canary" })],
  ["an error below it", new Error("x", { cause: new AggregateError([new Error("a canary")]) })],
  ["what it carries", Object.assign(new TypeError("Invalid URL"), { input: "http://canary@host" })],
  ["a list in it", { errors: ["x", undefined, ["a canary"]] }],
  ["a name in it", { canary: 1 }],
])("a secret in %s keeps nothing of it", (_, thrown) => {
  expect(keptCause(thrown, hide)).toEqual({});
});

test("nor is one kept that holds the whole request, or is too large to be looked through", () => {
  expect(keptCause(api, hide)).toEqual({});
  expect(keptCause(new Error("x", { cause: api }), hide)).toEqual({});
  expect(keptCause("x".repeat(20_000), hide)).toEqual({});
  expect(
    keptCause(
      Array.from({ length: 600 }, () => ({})),
      hide,
    ),
  ).toEqual({});
});
