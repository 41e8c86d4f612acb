import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { type PromptText, toMessages } from "./messages.ts";
import { fillTemplate, unknownVariable, variablesOf } from "./template.ts";

/**
 * A role's prompt: a template with `{variables}`, into which values go as they are, or a function that gets the values and
 * `fence()` to put untrusted text into.
 */
export type RolePrompt<Input> = string | ((input: Input) => PromptText);

/** @throws DivvyError `invalid_template` where a template has a variable that will have no value */
export function checkPrompt(role: string, prompt: RolePrompt<never>, variables: readonly string[]): void {
  if (typeof prompt !== "string") return;
  const unknown = variablesOf(prompt).find((name) => !variables.includes(name));
  if (unknown !== undefined) throw unknownVariable(role, unknown, variables);
}

export function renderPrompt<Input>(role: string, prompt: RolePrompt<Input>, input: Input, variables: ReadonlyMap<string, string>): LanguageModelV4Prompt {
  return toMessages(typeof prompt === "string" ? fillTemplate(role, prompt, variables) : prompt(input));
}
