import { isRecord, type Json, type JsonRecord } from "./json.ts";
import { invalid, shown } from "./option-rules.ts";

/**
 * Text, or an object of JSON values: each of its keys is a variable for templates. What is `undefined` in it, at any depth, is left out,
 * as JSON does. What the compiler cannot tell apart from that is refused when it comes in: an instance of a class, a function in it.
 */
export type ContextInput = string | { readonly [key: string]: Json | undefined } | (object & { readonly [Symbol.iterator]?: never });

/**
 * A context as requests have it.
 *
 * @throws DivvyError `invalid_option` for what is neither text nor a plain object of JSON values
 */
export function readContext(context: unknown): string | JsonRecord {
  if (typeof context === "string") return context;
  if (!isPlain(context)) throw invalid("context", `must be a text or a plain object of JSON values, and is ${shown(context)}.`);
  return jsonRecord(context, "context", 0);
}

/** What JSON would keep of it: of a map or a date it would keep nothing, or something else, in silence. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // By shape and not by identity: objects of another realm are plain, too.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function jsonRecord(value: Readonly<Record<string, unknown>>, path: string, depth: number): JsonRecord {
  const given = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(given.map(([key, item]) => [key, jsonValue(item, `${path}.${key}`, depth + 1)]));
}

function jsonValue(value: unknown, path: string, depth: number): Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  // What holds itself has no end.
  if (depth > 100) throw invalid(path, "is too deep.");
  if (Array.isArray(value)) return value.map((item, index) => jsonValue(item, `${path}[${index}]`, depth + 1));
  if (isPlain(value)) return jsonRecord(value, path, depth);
  throw invalid(path, `must be a JSON value, and is ${shown(value)}.`);
}
