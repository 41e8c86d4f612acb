/** What survives JSON and back. Calls, plans, events and outcomes are made of it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type JsonRecord = { readonly [key: string]: Json };

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Of what `JSON.parse` gave: all of it is JSON, and undefined stands for what it could not read. */
export function isParsed(value: unknown): value is Json {
  return value !== undefined;
}
