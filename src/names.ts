import { beginningOf } from "./shortened.ts";

const longestName = 64;

/** A name made of letters, digits and hyphens, in lower case; empty where the text has none of them. */
export function slug(text: string): string {
  return beginningOf(plain(text), longestName).replace(/-$/, "");
}

/** What two spellings of one id have in common. References are matched by it, since planners are not careful with case. */
export function keyOf(id: string): string {
  // Most ids are plain already, and it is asked for often.
  return /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(id) ? id : plain(id) || id;
}

/** Tells apart names that would be the same. */
export function withSuffix(name: string, suffix: string): string {
  return beginningOf(name, longestName - suffix.length) + suffix;
}

function plain(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, "-")
    .replace(/^-|-$/g, "");
}

/** An id as the planner or the user gave it, if it can serve as one; else its slug. */
export function asId(given: string): string {
  return /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]*$/u.test(given) && given.length <= longestName ? given : slug(given);
}
