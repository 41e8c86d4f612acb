import { z } from "zod";
import type { OutputSchema } from "../../src/output-schema.ts";
import { chance } from "./chance.ts";
import type { Schedule } from "./schedule.ts";

/** Whose work is to have a form. */
type Formed = "worker" | "synthesizer";

const schema = z.object({ text: z.string().transform((text) => new Map([["text", text]])) });

/** What a result or an answer is to be, and how often it is asked for again. */
export const mostRepairs = 1;

export function formOf(schedule: Schedule, role: Formed): { readonly output?: OutputSchema } {
  return isFormed(schedule, role) ? { output: schema } : {};
}

function isFormed({ formed, answerFormed }: Schedule, role: Formed): boolean {
  return role === "worker" ? formed : answerFormed;
}

/** Begins what does not have its form. */
export const formless = "Not in form: ";

/** What is said, in the form that they are to have, or not quite. Drawn apart from all else, so that it changes nothing of that. */
export function inForm(schedule: Schedule, { role, n }: { readonly role: Formed; readonly n: number }, text: string, odd: number): string {
  if (!isFormed(schedule, role)) return text;
  const { random } = chance(schedule.seed, `form ${n}`);
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
