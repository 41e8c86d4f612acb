import type { Json } from "../../json.ts";
import { isRecord } from "../../json.ts";
import { readTextFile } from "./text-file.ts";
import { usageError } from "../flags/usage-error.ts";

/** Named values: `key=value`, `key=@file`. */
export async function readContextValues(cwd: string, typed: readonly string[]): Promise<Map<string, Json>> {
  const values = new Map<string, Json>();
  for (const pair of typed) {
    const split = pair.indexOf("=");
    const key = pair.slice(0, split).trim();
    if (split === -1 || key === "") throw usageError(`-c takes key=value, and got "${pair}".`, 'Type, for example: -c audience="people who hike"');
    if (values.has(key)) throw usageError(`-c gives "${key}" twice.`, `For several values, give a list: -c '${key}=["one", "two"]'`);
    values.set(key, await valueOf(cwd, pair.slice(split + 1)));
  }
  return values;
}

async function valueOf(cwd: string, text: string): Promise<Json> {
  if (text.startsWith("@@")) return text.slice(1);
  if (text.startsWith("@")) return await readTextFile(cwd, text.slice(1));
  return jsonOf(text) ?? text;
}

/** An object or a list is data; `true`, `12` and `"quoted"` stay as they were typed, for they are mostly meant as text. */
function jsonOf(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonContainer(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What `JSON.parse` gives is JSON throughout; it is told apart only from bare values. */
function isJsonContainer(value: unknown): value is { readonly [key: string]: Json } | readonly Json[] {
  return isRecord(value) || Array.isArray(value);
}
