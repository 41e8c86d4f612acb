import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { DivvyError } from "../errors.ts";
import { isRecord } from "../json.ts";
import { type PromptText, toMessages } from "./messages.ts";
import { fillTemplate, unknownVariable, variablesOf } from "./template.ts";

/**
 * A role's prompt: a template with `{variables}`, into which values go as they are, or a function that gets the values and
 * `fence()` to put untrusted text into.
 */
export type RolePrompt<Input> = string | ((input: Input) => PromptText);

/** @throws DivvyError `invalid_template` where a template has a variable that will have no value */
export function checkPrompt(role: string, prompt: RolePrompt<never> | undefined, variables: readonly string[]): void {
  if (typeof prompt !== "string") return;
  const unknown = variablesOf(prompt).find((name) => !variables.includes(name));
  if (unknown !== undefined) throw unknownVariable(role, unknown, variables);
}

/** @throws DivvyError `invalid_template` where a variable has no value, or a function gives no prompt */
export function renderPrompt<Input>(role: string, prompt: RolePrompt<Input>, input: Input, variables: ReadonlyMap<string, string>): LanguageModelV4Prompt {
  return toMessages(typeof prompt === "string" ? fillTemplate(role, prompt, variables) : written(role, prompt, input));
}

const ofFunctions = "A prompt function returns a text, or { system?, shared?, prompt } with texts; it may not be async.";

/** What a user's function gives: it may throw, and callers without types return anything. */
function written<Input>(role: string, prompt: (input: Input) => unknown, input: Input): PromptText {
  let text: unknown;
  try {
    text = prompt(input);
  } catch (thrown) {
    if (thrown instanceof DivvyError) throw thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new DivvyError("invalid_template", `The ${role}'s prompt function threw: ${message}`, { hint: ofFunctions, cause: thrown });
  }
  if (isPromptText(text)) return text;
  // What an async function rejects with would otherwise end the process.
  if (text instanceof Promise) text.catch(() => undefined);
  throw new DivvyError("invalid_template", `The ${role}'s prompt function returned no prompt, but ${shown(text)}.`, { hint: ofFunctions });
}

function shown(value: unknown): string {
  if (value instanceof Promise) return "a promise";
  if (isRecord(value)) return `{ ${Object.keys(value).join(", ")} }`;
  return Array.isArray(value) ? "a list" : String(value);
}

function isPromptText(value: unknown): value is PromptText {
  if (typeof value === "string") return true;
  return isRecord(value) && typeof value["prompt"] === "string" && ["system", "shared"].every((key) => ["string", "undefined"].includes(typeof value[key]));
}
