import type { CallRequest } from "../calls/call.ts";
import { jsonSchemaOf, type OutputSchema } from "../output-schema.ts";

/** The form that a reply is to have: one JSON value of a schema. */
export interface Form {
  readonly responseFormat: NonNullable<CallRequest["responseFormat"]>;
  /** Decides what is valid, and makes the value. */
  readonly schema: OutputSchema;
  /** How often a reply that does not have the form is asked for again. */
  readonly repairs: number;
}

/** @throws DivvyError `invalid_option` where the schema has no JSON Schema */
export function formOf(schema: OutputSchema, name: "result" | "answer", repairs: number): Form {
  return { responseFormat: { type: "json", schema: jsonSchemaOf(schema, "output"), name }, schema, repairs };
}

/** What a call says of the form beside its messages. */
export function formatOf(form: Form | undefined): Pick<CallRequest, "responseFormat"> {
  return form === undefined ? {} : { responseFormat: form.responseFormat };
}
