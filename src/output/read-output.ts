import type { StandardSchemaV1 } from "@standard-schema/spec";
import { DivvyError } from "../errors.ts";
import type { Form } from "./form.ts";
import { jsonIn } from "./json-in.ts";
import { shortLine } from "../shortened.ts";

/** What a schema made of a reply. In an object, since a schema may make anything, nothing included. */
export interface Output {
  readonly value: unknown;
}

/** A reply that has its form: its JSON, as the model wrote it, and what the schema made of it. */
export interface ValidOutput {
  readonly text: string;
  readonly output: Output;
}

/** A reply that does not: why, a line for each thing. */
export interface OutputIssues {
  readonly issues: readonly string[];
}

const mostIssues = 10;
const longestIssue = 300;
/** Of all of them together, at three characters a token. */
export const mostIssuesTokens: number = (mostIssues * longestIssue) / 3;

/**
 * Reads a reply that is to have a form.
 *
 * @throws DivvyError `output_invalid` where the schema cannot tell, because it throws
 */
export async function readOutput({ schema }: Form, reply: string): Promise<ValidOutput | OutputIssues> {
  const found = jsonIn(reply);
  if (found === undefined) return { issues: [shortLine(`There is no JSON value that can be read: ${whyNot(reply)}`, longestIssue)] };
  let checked: StandardSchemaV1.Result<unknown>;
  try {
    checked = await schema["~standard"].validate(found.value);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new DivvyError("output_invalid", `The schema of the output threw: ${message}`, {
      hint: "Let the schema say what is wrong as an issue, in place of throwing.",
      evidence: { partialText: found.text },
      cause: thrown,
    });
  }
  if (checked.issues === undefined) return { text: found.text, output: { value: checked.value } };
  const lines = checked.issues.slice(0, mostIssues).map(issueText);
  const more = checked.issues.length - lines.length;
  return { issues: more > 0 ? [...lines, `and ${more} more`] : lines };
}

function issueText({ path = [], message }: StandardSchemaV1.Issue): string {
  const keys = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  // The model has written some of it.
  return shortLine(keys === "" ? message : `${keys}: ${message}`, longestIssue);
}

function whyNot(reply: string): string {
  if (reply.trim() === "") return "it is empty";
  try {
    JSON.parse(reply);
    return "";
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

/** A reply that stays without its form. */
export function notOfForm(text: string, issues: readonly string[], tries: number): DivvyError {
  const times = tries > 1 ? `, though it was asked for ${tries} times` : "";
  const [first = "", ...others] = issues;
  const more = others.length > 0 ? ` (and ${others.length} more)` : "";
  return new DivvyError("output_invalid", `The reply is not of the form that was asked for${times}: ${first}${more}`, {
    evidence: { partialText: text, issues },
  });
}
