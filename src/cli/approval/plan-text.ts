import { cleanText, oneLine } from "../writing/clean-text.ts";
import type { Terminal } from "../terminal.ts";
import { wrapped } from "../view/wrapped.ts";
import { count } from "../../quantity.ts";
import type { DividedPlan } from "../../subtask.ts";

/** The question below it, with all that can be answered. */
const questionLines = 14;

/** A plan for somebody who is to decide on it: nothing of it is left out. What its first line says stands below it again where that has gone. */
export function planText({ analysis, combine, subtasks }: DividedPlan, costs: string, { err, errPaint: paint }: Pick<Terminal, "err" | "errPaint">): string {
  const sum = `${paint("bold", `Plan: ${count(subtasks.length, "subtask")}`)} · ${combine} · ${costs}`;
  const lines = indented(sum, 0, err.columns);
  if (analysis.trim() !== "") lines.push(...indented(cleanText(analysis), 2, err.columns).map((line) => paint("dim", line)));
  for (const { id, type, description, dependsOn } of subtasks) {
    const head = `${paint("cyan", oneLine(id))} · ${oneLine(type)}${dependsOn.length === 0 ? "" : ` · after ${oneLine(dependsOn.join(", "))}`}`;
    lines.push("", ...indented(head, 2, err.columns), ...indented(cleanText(description), 4, err.columns));
  }
  if (lines.length > err.rows - questionLines) lines.push("", ...indented(sum, 0, err.columns));
  return `${lines.join("\n")}\n`;
}

function indented(text: string, left: number, columns: number): string[] {
  return wrapped(text.trim(), Math.max(20, columns - left))
    .split("\n")
    .map((line) => (line === "" ? "" : " ".repeat(left) + line));
}
