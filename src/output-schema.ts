import type { JSONSchema7, JSONSchema7Definition } from "@ai-sdk/provider";
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { DivvyError } from "./errors.ts";
import { isRecord } from "./json.ts";

/**
 * What a reply is to be, in place of text: any schema that speaks Standard Schema and Standard JSON Schema, as Zod's do from 4.2 on. The
 * model is shown its JSON Schema, and its own `validate` decides what is valid, and makes the value.
 */
export type OutputSchema<Value = unknown> = StandardSchemaV1<unknown, Value> & StandardJSONSchemaV1<unknown, Value>;

const known = "Any schema with Standard Schema and Standard JSON Schema will do, such as z.object({ ... }) of Zod 4.2 or later.";

/**
 * The JSON Schema of what a model is to write: of the schema's input, before its transforms and defaults.
 *
 * @param path of the option, for messages
 * @throws DivvyError `invalid_option` where it is no such schema, or has no JSON Schema
 */
export function jsonSchemaOf(schema: unknown, path: string): JSONSchema7 {
  if (!isOutputSchema(schema)) {
    throw new DivvyError("invalid_option", `${path}: must be a schema that can be shown to a model as JSON Schema.`, { hint: known });
  }
  let made: unknown;
  try {
    made = JSON.parse(JSON.stringify(schema["~standard"].jsonSchema.input({ target: "draft-07" })));
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new DivvyError("invalid_option", `${path}: cannot be shown to a model as JSON Schema: ${message}`, {
      hint: "Let it take in what JSON can say, and make of it what you need: z.iso.date().transform((day) => new Date(day)).",
      cause: thrown,
    });
  }
  if (!isJsonSchema(made)) throw new DivvyError("invalid_option", `${path}: gives no JSON Schema.`, { hint: known });
  const { $schema: _$schema, ...rest } = made;
  return closed(rest);
}

/** It says two things of itself, and schemas of some libraries are functions. */
function isOutputSchema(value: unknown): value is OutputSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null || !("~standard" in value)) return false;
  const standard = value["~standard"];
  if (!isRecord(standard) || typeof standard["validate"] !== "function") return false;
  return isRecord(standard["jsonSchema"]) && typeof standard["jsonSchema"]["input"] === "function";
}

function isJsonSchema(value: unknown): value is JSONSchema7 {
  return isRecord(value);
}

/**
 * Providers that hold a model to a schema want objects to say that they have no other keys. Parts of an `allOf` say it of each other, so
 * that nothing would be left: they stay as they are.
 */
function closed(schema: JSONSchema7): JSONSchema7 {
  const { properties, items, anyOf, oneOf, definitions, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties && { properties: closedEach(properties) }),
    ...(properties && additionalProperties === undefined && { additionalProperties: false }),
    ...(isJsonSchema(additionalProperties) && { additionalProperties: closed(additionalProperties) }),
    ...(items !== undefined && { items: Array.isArray(items) ? items.map(closedOne) : closedOne(items) }),
    ...(anyOf && { anyOf: anyOf.map(closedOne) }),
    ...(oneOf && { oneOf: oneOf.map(closedOne) }),
    ...(definitions && { definitions: closedEach(definitions) }),
  };
}

function closedOne(schema: JSONSchema7Definition): JSONSchema7Definition {
  return typeof schema === "boolean" ? schema : closed(schema);
}

function closedEach(schemas: Readonly<Record<string, JSONSchema7Definition>>): Record<string, JSONSchema7Definition> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, closedOne(schema)]));
}
