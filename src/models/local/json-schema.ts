import type { JSONSchema7, JSONSchema7Definition } from "@ai-sdk/provider";
import type { GbnfJsonSchema } from "node-llama-cpp";

/** Keywords that say nothing about the shape, or that a reply can follow without a grammar knowing of them. */
const withoutShape: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "$comment",
  "title",
  "description",
  "default",
  "examples",
  "readOnly",
  "writeOnly",
  "pattern",
  "format",
]);

const known: ReadonlySet<string> = new Set([
  ...["type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems"],
  ...["minLength", "maxLength", "enum", "const", "anyOf", "oneOf", ...withoutShape],
]);

/** The schema as the grammar's maker takes it; `undefined` where a grammar cannot say what it says (references, `allOf`, ranges). */
export function grammarSchema(schema: JSONSchema7Definition): GbnfJsonSchema | undefined {
  if (typeof schema === "boolean") return undefined;
  for (const key of Object.keys(schema)) if (!known.has(key)) return undefined;
  if (schema.const !== undefined) return isScalar(schema.const) ? { const: schema.const } : undefined;
  if (schema.enum) return schema.enum.every(isScalar) ? { enum: schema.enum } : undefined;
  const either = schema.anyOf ?? schema.oneOf;
  if (either) {
    const branches = all(either);
    return branches && { oneOf: branches };
  }
  switch (schema.type) {
    case "object":
      return objectSchema(schema);
    case "array":
      return arraySchema(schema);
    case "string":
      return {
        type: "string",
        ...(schema.minLength !== undefined && { minLength: schema.minLength }),
        ...(schema.maxLength !== undefined && { maxLength: schema.maxLength }),
      };
    case "number":
    case "integer":
    case "boolean":
    case "null":
      return { type: schema.type };
    default:
      return undefined;
  }
}

function objectSchema({ properties = {}, required, additionalProperties }: JSONSchema7): GbnfJsonSchema | undefined {
  const values = all(Object.values(properties));
  if (!values) return undefined;
  const open = Object.keys(properties).length === 0 && additionalProperties !== false;
  return {
    type: "object",
    properties: Object.fromEntries(Object.keys(properties).flatMap((key, i) => (values[i] ? [[key, values[i]]] : []))),
    ...(required && { required }),
    additionalProperties: open,
  };
}

function arraySchema({ items, minItems, maxItems }: JSONSchema7): GbnfJsonSchema | undefined {
  const item = items === undefined || Array.isArray(items) ? undefined : grammarSchema(items);
  if (!item) return undefined;
  return { type: "array", items: item, ...(minItems !== undefined && { minItems }), ...(maxItems !== undefined && { maxItems }) };
}

function all(schemas: readonly JSONSchema7Definition[]): readonly GbnfJsonSchema[] | undefined {
  const converted = schemas.map(grammarSchema).filter((one) => one !== undefined);
  return converted.length === schemas.length ? converted : undefined;
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}
