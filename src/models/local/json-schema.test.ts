import { expect, test } from "vitest";
import { grammarSchema } from "./json-schema.ts";

test("says what a grammar can say", () => {
  const schema = grammarSchema({
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: {
      kind: { enum: ["a", "b"], description: "which" },
      name: { type: "string", maxLength: 20 },
      sizes: { type: "array", items: { anyOf: [{ type: "integer" }, { type: "null" }] }, minItems: 1 },
    },
    required: ["kind"],
    additionalProperties: false,
  });
  expect(schema).toEqual({
    type: "object",
    properties: {
      kind: { enum: ["a", "b"] },
      name: { type: "string", maxLength: 20 },
      sizes: { type: "array", items: { oneOf: [{ type: "integer" }, { type: "null" }] }, minItems: 1 },
    },
    required: ["kind"],
    additionalProperties: false,
  });
});

test("gives up on the rest, however deep it stands", () => {
  for (const part of [true, { $ref: "#/x" }, { allOf: [{ type: "string" as const }] }, { type: "integer" as const, minimum: 1 }, {}]) {
    expect(grammarSchema(part)).toBeUndefined();
    expect(grammarSchema({ type: "array", items: part })).toBeUndefined();
    expect(grammarSchema({ type: "object", properties: { a: part } })).toBeUndefined();
  }
});
