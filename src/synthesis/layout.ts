import { shortLine } from "../shortened.ts";

/** A result that is there. */
export interface DoneResult {
  readonly id: string;
  readonly type: string;
  readonly description: string;
  readonly result: string;
}

export interface MissingResult {
  readonly id: string;
  readonly type: string;
  readonly why: string;
}

/** Lays results out one after another, as they are, each under its type. One alone needs no heading. */
export function layOut(results: readonly DoneResult[]): string {
  const [only, second] = results;
  if (only === undefined) return "";
  if (second === undefined) return only.result;
  const seen = new Map<string, number>();
  return results
    .map(({ type, result }) => {
      const words = heading(type);
      const nth = (seen.get(words) ?? 0) + 1;
      seen.set(words, nth);
      return `## ${words}${nth > 1 ? ` (${nth})` : ""}\n\n${result}`;
    })
    .join("\n\n");
}

/** `technical-specifications` as `Technical specifications`. */
function heading(type: string): string {
  const words = type.replace(/[-_]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const longestReason = 500;

/** A worker or a provider may have said it: on one line and within bounds, so that it passes for no part of the answer. */
function reason(why: string): string {
  return shortLine(why, longestReason);
}

/** What stands under an answer that lacks something: written by code, so that no model can leave it out. */
export function notCovered(missing: readonly MissingResult[], planComplete: boolean, dropped = 0): string {
  const lines = missing.map(({ id, type, why }) => `- ${id === type ? id : `${id} (${type})`}: ${reason(why)}`);
  if (dropped > 0) lines.push(`- ${dropped} more of the plan, over the limit of subtasks.`);
  if (!planComplete) lines.push("- The plan broke off; further parts may be missing.");
  return lines.length === 0 ? "" : `**Not covered**\n\n${lines.join("\n")}`;
}
