import { keyOf } from "../names.ts";
import { beginningOf } from "../shortened.ts";
import type { Draft } from "./reading/reader.ts";

const longestType = 100;

/** On one line and within bounds; a type that is missing is the default. */
export function typeOf({ type }: Draft): string {
  return beginningOf(type.replace(/\s+/g, " ").trim(), longestType).trimEnd() || "default";
}

/** What a draft asks for, white space and case apart. */
export function wordsOf(draft: Draft): string {
  return JSON.stringify([typeOf(draft), draft.description.replace(/\s+/g, " ").trim()]).toLowerCase();
}

/** Two drafts of the same content are copies of one subtask, whatever their ids. */
export function contentOf(draft: Draft): string {
  return JSON.stringify([typeOf(draft), draft.description, [...new Set(draft.after.map(keyOf))]]);
}
