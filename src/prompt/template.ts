import { DivvyError } from "../errors.ts";
import { isRecord, type JsonRecord } from "../json.ts";

/** `{{name}}` (a literal `{name}`) or `{name}` (a variable). Other braces are text. */
const variablePattern = /\{\{([A-Za-z_]\w*)\}\}|\{([A-Za-z_]\w*)\}/g;

/** The names of the variables in a template, each once, in order. */
export function variablesOf(template: string): string[] {
  const names = [...template.matchAll(variablePattern)].flatMap(([, , name]) => name ?? []);
  return [...new Set(names)];
}

/**
 * Puts values into a template, as they are. Values are not looked into: braces in them are text.
 *
 * @throws DivvyError `invalid_template` for a variable without a value; it names the variable and lists what there is
 */
export function fillTemplate(where: string, template: string, values: ReadonlyMap<string, string>): string {
  return template.replace(variablePattern, (_, literal?: string, name?: string) => {
    if (literal !== undefined) return `{${literal}}`;
    const value = name === undefined ? undefined : values.get(name);
    if (name === undefined || value === undefined) throw unknownVariable(where, name ?? "", [...values.keys()]);
    return value;
  });
}

export function unknownVariable(where: string, name: string, known: readonly string[]): DivvyError {
  const list = known.map((variable) => `{${variable}}`).join(", ");
  return new DivvyError("invalid_template", `The ${where}'s prompt has the variable {${name}}, which has no value here. There is: ${list}.`, {
    hint: `Correct {${name}}, pass it as a key of the context, or write {{${name}}} for the text "{${name}}".`,
    evidence: { known },
  });
}

/** A context as text: a string as it is, a record as one `key: value` paragraph a key. */
export function contextText(context: string | JsonRecord): string {
  if (typeof context === "string") return context;
  return Object.entries(context)
    .map(([key, value]) => `${key}: ${valueText(value)}`)
    .join("\n");
}

function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => !isRecord(item) && !Array.isArray(item))) return value.map(String).join(", ");
  return JSON.stringify(value);
}

/** What a context offers to templates: each key of a record that can be a variable's name. */
export function contextVariables(context: string | JsonRecord): [string, string][] {
  if (typeof context === "string") return [];
  return Object.entries(context)
    .filter(([key]) => /^[A-Za-z_]\w*$/.test(key))
    .map(([key, value]) => [key, valueText(value)]);
}
