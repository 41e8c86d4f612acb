import type { Evaluation } from "../../evaluation/verdict.ts";
import { count } from "../../quantity.ts";
import type { RunState, SubtaskState } from "../../run-state.ts";
import { cleanText, oneLine } from "../writing/clean-text.ts";
import { errorText } from "../writing/failure.ts";
import { writeAnswer } from "../commands/run-ending.ts";
import type { Terminal } from "../terminal.ts";
import { TokenMeter } from "./token-meter.ts";
import { chosenTry, ofHundred, workerLine } from "./worker-line.ts";
import { wrapped } from "./wrapped.ts";

/** One subtask, whole: its result on stdout, all about it on stderr. */
export async function tellSubtask(worker: SubtaskState, state: RunState, terminal: Terminal): Promise<void> {
  const { err, errPaint: paint } = terminal;
  const { subtask, status, text, model, error, chosen, evaluation } = worker;
  const now = state.at ?? 0;
  const { tokens, tries, time, cost, detail } = workerLine(worker, { state, now, meter: new TokenMeter() });
  const type = subtask.type === "default" ? [] : [oneLine(subtask.type)];
  const facts = [...type, ...(model === undefined ? [] : [oneLine(model)]), ...(status === "skipped" ? [detail] : [status]), tokens, tries, time, cost]
    .filter(Boolean)
    .join(" · ");
  const fitted = (words: string): string => (err.isTerminal ? wrapped(words, err.columns) : words);
  const after = subtask.dependsOn.length === 0 ? "" : `after ${oneLine(subtask.dependsOn.join(", "))}\n`;
  const head = fitted(`${paint("bold", oneLine(subtask.id))}  ${facts}`);
  const kept = chosen === undefined ? "" : `${fitted(`${chosenTry(chosen)}: ${oneLine(chosen.reason)}`)}\n`;
  const judged = evaluation === undefined ? "" : `${fitted(judgedTries(evaluation))}\n`;
  await err.write(`${head}\n${kept}${judged}${paint("dim", fitted(after + cleanText(subtask.description).trim()))}\n`);
  if (status === "done") await writeAnswer(text, terminal, false);
  else if (error !== undefined) await err.write(errorText(error, terminal));
}

/** How good the try is that stands, and why: all of what was said. */
function judgedTries({ score, reasons, passed, tries, error }: Evaluation): string {
  const verdict = score === undefined ? "not judged" : `judged ${ofHundred(score)}${passed ? "" : ", which falls short"}`;
  const written = tries === 1 ? "" : `, the best of ${count(tries, "try", "tries")}`;
  const why = [reasons, ...(error === undefined || reasons.includes(error.message) ? [] : [error.message])].filter(Boolean).join(" ");
  return `${verdict}${written}${why === "" ? "" : `: ${oneLine(why)}`}`;
}
