import { describe, expect, test } from "vitest";
import { z } from "zod";
import { jsonSchemaOf } from "./output-schema.ts";

describe("the JSON Schema that a model is shown", () => {
  test("is that of the input, and its objects have no other keys, wherever they stand", () => {
    const point = z.object({ x: z.number() });
    const schema = z.object({ at: z.array(point), either: z.union([point, z.string()]), by: z.record(z.string(), point), day: z.string().transform(Number) });
    const closed = { type: "object", properties: { x: { type: "number" } }, required: ["x"], additionalProperties: false };
    expect(jsonSchemaOf(schema, "output")).toMatchObject({
      additionalProperties: false,
      properties: { at: { items: closed }, either: { anyOf: [closed, { type: "string" }] }, by: { additionalProperties: closed }, day: { type: "string" } },
    });
  });

  test("leaves open what is said to be open, and parts of which each knows only its own keys", () => {
    expect(jsonSchemaOf(z.looseObject({ a: z.string() }), "output").additionalProperties).toEqual({});
    const both = z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() }));
    for (const part of jsonSchemaOf(both, "output").allOf ?? []) expect(part).not.toHaveProperty("additionalProperties");
  });

  test.each<[string, unknown, string]>([
    ["no object", 3, "must be a schema"],
    ["a JSON Schema", { type: "object" }, "must be a schema"],
    ["a Standard Schema without JSON Schema", { "~standard": { version: 1, vendor: "x", validate: () => ({ value: 1 }) } }, "must be a schema"],
    ["a schema that JSON cannot say", z.object({ day: z.date() }), "Date cannot be represented in JSON Schema"],
  ])("is refused with what to do: %s", (_, schema, message) => {
    expect(() => jsonSchemaOf(schema, "options.worker.output")).toThrow(
      expect.objectContaining({ code: "invalid_option", message: expect.stringMatching(new RegExp(`^options.worker.output: .*${message}`)) }),
    );
  });
});
