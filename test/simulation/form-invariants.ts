import type { Outcome } from "../../src/outcome.ts";
import type { Fact } from "../../src/events.ts";
import { mostRepairs, textIn } from "./forms.ts";
import { codeType } from "./code.ts";
import type { Schedule } from "./schedule.ts";

/** What is done has its form, with its value for who waits for it; nobody asks more often than he may, what others had asked for before left out. */
export function formFaults({ results, ...answer }: Outcome, log: readonly Fact[], { formed, answerFormed, code, shared }: Schedule): string[] {
  const faults: string[] = [];
  for (const fact of log) {
    if (fact.type === "output.rejected") {
      const { subtaskId, try: tries } = fact;
      const name = subtaskId ?? "the answer";
      if (tries > 1 + mostRepairs && !shared) faults.push(`${name} was asked for its form ${tries} times`);
      if (subtaskId === undefined ? !answerFormed : !formed) faults.push(`${name} was to have a form, and nobody wants one`);
    }
    if (fact.type === "run.finished" && JSON.stringify(fact).includes('"output":')) faults.push("its log holds what a schema made");
  }
  for (const result of results) {
    if (result.status !== "done" || !formed || (code !== "no" && result.type === codeType)) continue;
    const text = textIn(result.result);
    if (text === undefined) faults.push(`${result.id} is done, and does not have its form`);
    else if (!isOutputOf(result.output, text)) faults.push(`${result.id} is done, and its output is not that of its text`);
  }
  if (answerFormed && "text" in answer && answer.coverage.answer === "merge") {
    const text = textIn(answer.text);
    if (text === undefined) faults.push("its answer does not have its form");
    else if (!isOutputOf(answer.output, text)) faults.push("its output is not that of its text");
  } else if ("output" in answer) faults.push("it has an output, and no answer that has a form");
  return faults;
}

function isOutputOf(output: unknown, text: string): boolean {
  return typeof output === "object" && output !== null && "text" in output && output.text instanceof Map && output.text.get("text") === text;
}
