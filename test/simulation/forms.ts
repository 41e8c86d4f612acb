import { z } from "zod";
import type { OutputSchema } from "../../src/output-schema.ts";
import { chance } from "./chance.ts";
import type { Schedule } from "./schedule.ts";

const schema = z.object({ text: z.string().transform((text) => new Map([["text", text]])) });

/** What a result is to be, and how often it is asked for again. */
export const mostRepairs = 1;

export function formOf({ formed }: Schedule): { readonly output?: OutputSchema } {
  return formed ? { output: schema } : {};
}

/** Begins what does not have its form. */
export const formless = "Not in form: ";

/** A worker's words in the form that they are to have, or not quite. Drawn apart from all else, so that it changes nothing of that. */
export function inForm({ formed, seed }: Schedule, n: number, text: string, odd: number): string {
  if (!formed) return text;
  const { random } = chance(seed, `form ${n}`);
  const drawn = random();
  if (drawn < odd) return `${formless}${text}`;
  return JSON.stringify(drawn < 2 * odd ? { txt: `${formless}${text}` } : { text });
}

/** What stands in a result that has its form; nothing where it has not. */
export function textIn(result: string): string | undefined {
  return schema.safeParse(parsed(result)).data?.text.get("text");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
