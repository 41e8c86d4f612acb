import { describe, expect, expectTypeOf, test } from "vitest";
import { type ContextInput, readContext } from "./context-input.ts";

describe("a context", () => {
  test("is text, or a copy of an object of JSON values", () => {
    expect(readContext("about")).toBe("about");
    const given = { a: [1, { b: null }], c: true };
    expect(readContext(given)).toEqual(given);
    expect(readContext(given)).not.toBe(given);
    expect(readContext(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 });
  });

  test("leaves out what is undefined, at any depth", () => {
    expect(Object.keys(readContext({ a: undefined, b: { c: undefined, d: 1 } }))).toEqual(["b"]);
    expect(readContext({ b: { c: undefined, d: 1 } })).toStrictEqual({ b: { d: 1 } });
  });

  test.each<[unknown, string]>([
    [new Map([["k", "v"]]), "context: must be a text or a plain object of JSON values, and is an instance of Map."],
    [["a"], "and is a list."],
    [null, "and is null."],
    [3, "and is 3."],
    [{ due: new Date(0) }, "context.due: must be a JSON value, and is an instance of Date."],
    [{ a: { b: [1, Number.NaN] } }, "context.a.b[1]: must be a JSON value, and is NaN."],
    [{ a: [undefined] }, "context.a[0]: must be a JSON value, and is undefined."],
    [{ run: () => 1 }, "context.run: must be a JSON value, and is a function."],
    [{ n: 1n }, "context.n: must be a JSON value, and is a bigint."],
  ])("is refused where it is %o", (context, message) => {
    expect(() => readContext(context)).toThrow(message);
  });

  test("is refused where it holds itself", () => {
    const circle: Record<string, unknown> = {};
    circle["again"] = circle;
    expect(() => readContext(circle)).toThrow("is too deep.");
  });

  test("may have a type of any make, and is no list or map", () => {
    interface Audience {
      readonly who: string;
      readonly tags: readonly string[];
      readonly note?: string | undefined;
    }
    expectTypeOf<Audience>().toExtend<ContextInput>();
    expectTypeOf<{ who: string; note?: string }>().toExtend<ContextInput>();
    expectTypeOf<string[]>().not.toExtend<ContextInput>();
    expectTypeOf<Map<string, string>>().not.toExtend<ContextInput>();
  });
});
