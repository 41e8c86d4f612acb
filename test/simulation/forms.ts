import { z } from "zod";
import type { Outcome } from "../../src/outcome.ts";
import type { OutputSchema } from "../../src/output-schema.ts";
import type { Fact } from "../../src/events.ts";
import { chance } from "./chance.ts";
import { codeType } from "./kinds.ts";
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

/** What is done has its form, with its value for who waits for it; nobody asks more often than he may. */
export function formFaults({ results }: Outcome, log: readonly Fact[], { formed, code }: Schedule): string[] {
  const faults: string[] = [];
  for (const fact of log) {
    if (fact.type === "output.rejected" && fact.try > 1 + mostRepairs) faults.push(`${fact.subtaskId} was asked for its form ${fact.try} times`);
    if (fact.type === "output.rejected" && !formed) faults.push(`${fact.subtaskId} was to have a form, and nobody wants one`);
    if (fact.type === "run.finished" && JSON.stringify(fact).includes('"output":')) faults.push("its log holds what a schema made");
  }
  for (const result of results) {
    if (result.status !== "done" || !formed || (code !== "no" && result.type === codeType)) continue;
    const read = schema.safeParse(parsed(result.result));
    if (!read.success) faults.push(`${result.id} is done, and does not have its form`);
    else if (!isOutputOf(result.output, read.data.text.get("text"))) faults.push(`${result.id} is done, and its output is not that of its text`);
  }
  return faults;
}

function isOutputOf(output: unknown, text: string | undefined): boolean {
  return typeof output === "object" && output !== null && "text" in output && output.text instanceof Map && output.text.get("text") === text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
