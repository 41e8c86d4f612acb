import { expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { renderPrompt } from "./role-prompt.ts";

// Callers without types return anything; this is how the tests do.
function errorOf(prompt: () => unknown): DivvyError {
  try {
    Reflect.apply(renderPrompt, undefined, ["synthesizer", prompt, {}, new Map()]);
  } catch (thrown) {
    if (thrown instanceof DivvyError) return thrown;
    throw thrown;
  }
  throw new Error("It did not throw.");
}

function throwing(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}

test("a prompt function that throws is a template that cannot be used: the error names the role, and what was thrown", () => {
  const thrown = new TypeError("no such thing");
  expect(errorOf(throwing(thrown))).toMatchObject({
    code: "invalid_template",
    message: "The synthesizer's prompt function threw: no such thing",
    cause: thrown,
  });
  expect(errorOf(throwing("just words")).message).toContain("just words");
});

test("a DivvyError that a prompt function throws passes through", () => {
  const own = new DivvyError("too_large", "More than I take.");
  expect(errorOf(throwing(own))).toBe(own);
});

test.each<[unknown, string]>([
  [undefined, "undefined"],
  [null, "null"],
  [5, "5"],
  [["Do it."], "a list"],
  [{}, "{  }"],
  [{ system: "S", text: "Do it." }, "{ system, text }"],
  [{ prompt: 5 }, "{ prompt }"],
  [{ prompt: "Do it.", system: null }, "{ prompt, system }"],
  [{ prompt: "Do it.", shared: ["x"] }, "{ prompt, shared }"],
])("a prompt function that returns %o gives no prompt, and the error says what it gave", (returned, said) => {
  const error = errorOf(() => returned);
  expect(error).toMatchObject({ code: "invalid_template", message: `The synthesizer's prompt function returned no prompt, but ${said}.` });
  expect(error.hint).toContain("{ system?, shared?, prompt }");
});

test("an async prompt function is refused, and what it rejects with ends nothing", async () => {
  expect(errorOf(() => Promise.reject(new Error("later"))).message).toContain("a promise");
  // An unhandled rejection would fail the test run here.
  await new Promise((resolve) => setImmediate(resolve));
});
