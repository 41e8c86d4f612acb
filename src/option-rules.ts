import { DivvyError } from "./errors.ts";
import { isRecord } from "./json.ts";
import { nearest } from "./nearest.ts";
import { shortened } from "./shortened.ts";

/**
 * What can be asked of an option's value, whatever option it is. By hand and not by a schema library: loading one costs more than the
 * rest of this package together, and it would be paid at every import.
 */

/** Says what is wrong with a value; nothing where it is right. */
export type Rule = (value: unknown, path: string) => void;

/** A rule for a key that must be there. */
interface Required {
  readonly rule: Rule;
  /** What the key says, for whom it is missing. */
  readonly says: string | undefined;
}

export type Shape = Readonly<Record<string, Rule | Required>>;

/** For a key of a `shape` without which the rest says nothing. */
export function required(rule: Rule, says?: string): Required {
  return { rule, says };
}

export function invalid(path: string, message: string, known?: readonly string[]): DivvyError {
  return new DivvyError("invalid_option", `${path}: ${message}`, known && { evidence: { known } });
}

export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shortened(value, 40));
  if (value === null || ["number", "boolean", "undefined"].includes(typeof value)) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  if (Array.isArray(value)) return "a list";
  const { constructor } = value;
  return typeof constructor !== "function" || constructor.name === "Object" ? "an object" : `an instance of ${constructor.name}`;
}

export function whole(min: number, max: number): Rule {
  return (value, path) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return;
    throw invalid(path, `must be a whole number from ${min} to ${max}, and is ${shown(value)}.`);
  };
}

/** A number of things, however many. */
export const aCount: Rule = whole(0, Number.MAX_SAFE_INTEGER);

export function between(min: number, max: number): Rule {
  return (value, path) => {
    if (typeof value === "number" && value >= min && value <= max) return;
    throw invalid(path, `must be a number from ${min} to ${max}, and is ${shown(value)}.`);
  };
}

export function over(min: number, max: number): Rule {
  return (value, path) => {
    if (typeof value === "number" && value > min && value <= max) return;
    throw invalid(path, `must be a number over ${min} and up to ${max}, and is ${shown(value)}.`);
  };
}

export function oneOf(...known: readonly string[]): Rule {
  return (value, path) => {
    if (typeof value === "string" && known.includes(value)) return;
    const near = typeof value === "string" ? nearest(value, known) : undefined;
    throw invalid(path, `must be one of ${known.join(", ")}, and is ${shown(value)}.${near ? ` Did you mean "${near}"?` : ""}`, known);
  };
}

export const flag: Rule = (value, path) => {
  if (typeof value !== "boolean") throw invalid(path, `must be true or false, and is ${shown(value)}.`);
};

export const text: Rule = (value, path) => {
  if (typeof value !== "string") throw invalid(path, `must be a text, and is ${shown(value)}.`);
};

export const filled: Rule = (value, path) => {
  if (typeof value !== "string" || value.trim() === "") throw invalid(path, `must be a text that is not empty, and is ${shown(value)}.`);
};

export const anyRecord: Rule = (value, path) => {
  if (!isRecord(value)) throw invalid(path, `must be an object, and is ${shown(value)}.`);
};

/** Known keys only; a typo is answered with the key that was meant. An option that is `undefined` is one that is not there. */
export function shape(keys: Shape): Rule {
  const known = Object.keys(keys);
  return (value, path) => {
    anyRecord(value, path);
    if (!isRecord(value)) return;
    for (const [key, given] of Object.entries(value)) {
      const asked = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (asked === undefined) {
        const near = nearest(key, known);
        throw invalid(path, `has no option "${key}".${near ? ` Did you mean "${near}"?` : ""} There are: ${known.join(", ")}.`, known);
      }
      if (given !== undefined) (typeof asked === "function" ? asked : asked.rule)(given, `${path}.${key}`);
    }
    for (const [key, asked] of Object.entries(keys)) {
      if (typeof asked === "function" || value[key] !== undefined) continue;
      throw invalid(path, `has no "${key}"${asked.says === undefined ? "" : `: ${asked.says}`}.`);
    }
  };
}

export function recordOf(rule: Rule): Rule {
  return (value, path) => {
    anyRecord(value, path);
    if (isRecord(value)) for (const [key, given] of Object.entries(value)) rule(given, `${path}[${JSON.stringify(key)}]`);
  };
}

export function listOf(rule: Rule): Rule {
  return (value, path) => {
    if (!Array.isArray(value)) throw invalid(path, `must be a list, and is ${shown(value)}.`);
    for (const [index, given] of value.entries()) rule(given, `${path}[${index}]`);
  };
}

export const aFunction: Rule = (value, path) => {
  if (typeof value !== "function") throw invalid(path, `must be a function, and is ${shown(value)}.`);
};

export const signal: Rule = (value, path) => {
  if (!(value instanceof AbortSignal)) throw invalid(path, `must be an AbortSignal, and is ${shown(value)}.`);
};
