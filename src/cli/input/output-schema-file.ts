import { roleSettings } from "../../assembly/role-settings.ts";
import { isRecord } from "../../json.ts";
import type { OrchestratorOptions } from "../../options.ts";
import type { OutputSchema } from "../../output-schema.ts";
import { readTextFile } from "./text-file.ts";
import { usageError } from "../flags/usage-error.ts";

/** The options with the form that the answer is to have, where a file with its JSON Schema was named. */
export async function withAnswerForm(options: OrchestratorOptions, file: string | undefined, cwd: string): Promise<OrchestratorOptions> {
  if (file === undefined) return options;
  return { ...options, synthesizer: { ...roleSettings(options.synthesizer), output: await schemaIn(file, cwd) } };
}

/** The model is shown the file's own words; what checks the answer is made of them. */
async function schemaIn(file: string, cwd: string): Promise<OutputSchema> {
  const text = await readTextFile(cwd, file);
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (thrown) {
    throw noSchema(file, thrown);
  }
  if (!isRecord(schema)) throw noSchema(file, new Error("it is no JSON object"));
  if (!Object.keys(schema).some((key) => asking.has(key))) throw noSchema(file, new Error("nothing in it says what an answer must be"));
  const own = schema;
  const { fromJSONSchema } = await import("zod");
  try {
    const { validate } = fromJSONSchema(own)["~standard"];
    return { "~standard": { version: 1, vendor: "divvy", validate, jsonSchema: { input: () => own, output: () => own } } };
  } catch (thrown) {
    throw noSchema(file, thrown);
  }
}

/** What asks for anything. A file without it, such as an example of an answer, would let any JSON pass for one. */
const asking: ReadonlySet<string> = new Set(
  "$ref $dynamicRef type enum const properties required additionalProperties patternProperties propertyNames minProperties maxProperties items prefixItems contains minItems maxItems uniqueItems minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf allOf anyOf oneOf not if dependentRequired dependentSchemas".split(
    " ",
  ),
);

function noSchema(file: string, thrown: unknown): Error {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return usageError(`${file} holds no JSON Schema that an answer can be checked by: ${message}`, 'Such as {"type": "object", "properties": {...}}.');
}
