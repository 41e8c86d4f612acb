import type { Outcome } from "../../src/outcome.ts";
import type { Fact } from "../../src/events.ts";
import { mostRepairs, textIn } from "./forms.ts";
import { codeType } from "./kinds.ts";
import type { Schedule } from "./schedule.ts";

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
    const text = textIn(result.result);
    if (text === undefined) faults.push(`${result.id} is done, and does not have its form`);
    else if (!isOutputOf(result.output, text)) faults.push(`${result.id} is done, and its output is not that of its text`);
  }
  return faults;
}

function isOutputOf(output: unknown, text: string): boolean {
  return typeof output === "object" && output !== null && "text" in output && output.text instanceof Map && output.text.get("text") === text;
}
