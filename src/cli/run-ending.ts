import type { Outcome } from "../outcome.ts";
import { cleanText, oneLine } from "./clean-text.ts";
import type { RunCommand } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { errorText } from "./failure.ts";
import type { Written } from "./outputs.ts";
import { withLineEnd } from "./outputs.ts";
import { isDumb } from "./paint.ts";
import { count } from "./quantity.ts";
import { sayTo } from "./say.ts";
import type { Terminal } from "./terminal.ts";

export interface RunEnding {
  readonly outcome: Outcome;
  readonly written: Written;
  readonly command: RunCommand;
}

/** Hands over the answer and says what it lacks. Resolves to the exit code. */
export async function tellOutcome({ outcome, written, command }: RunEnding, terminal: Terminal): Promise<number> {
  const { err } = terminal;
  const { quiet, format } = command;
  if (format === "text" && "text" in outcome && !written.answer) await writeAnswer(outcome.text, terminal, quiet);

  const say = (text: string): void => (quiet ? undefined : sayTo(terminal, text));
  for (const { message } of outcome.coverage.notices) say(`! ${message}`);
  if (outcome.status === "ok" && outcome.text === "" && written.said.length === 0 && format === "text") {
    say("No answer was asked for; --out-dir or --json gives you the results.");
  }
  if (outcome.status === "aborted") await err.write(`${terminal.signal.aborted ? stopped(outcome) : "Stopped: nobody reads the events any more."}\n`);
  else if (outcome.status !== "ok") await err.write(errorText(outcome.error, terminal) + reasons(outcome, quiet));
  for (const error of written.errors) await err.write(errorText(error.toJSON(), terminal));
  for (const said of written.said) say(said);
  await err.write("");
  return written.errors.length > 0 && outcome.status === "ok" ? exitCodes.failed : exitCodes[outcome.status];
}

/**
 * The answer. On a terminal it is laid out, and nothing in it can command the terminal; in a pipe or a file it is data, and stays
 * to the letter what the models wrote.
 */
async function writeAnswer(text: string, { out, err, outPaint, world }: Terminal, quiet: boolean): Promise<void> {
  if (text === "") return;
  if (!out.isTerminal) return await out.write(withLineEnd(text));
  // A line between the picture and the answer.
  if (!quiet && err.isTerminal) await err.write("\n");
  await out.write(
    withLineEnd(isDumb(world.env) ? cleanText(text) : (await import("./view/markdown.tsx")).renderMarkdown(cleanText(text), out.columns, outPaint)),
  );
}

function stopped({ results }: Outcome): string {
  const done = results.filter(({ status }) => status === "done");
  if (results.length === 0) return "Stopped before there was a plan.";
  const names = done.length === 0 ? "" : `: ${oneLine(done.map(({ id }) => id).join(", "))}`;
  return `Stopped. ${done.length} of ${count(results.length, "subtask")} ${done.length === 1 ? "was" : "were"} done${names}.`;
}

/** Why each is missing, where neither the picture nor the answer has said it, nor the error that all have in common. */
function reasons(outcome: Outcome, quiet: boolean): string {
  if (!quiet || outcome.status !== "failed") return "";
  const { coverage, error } = outcome;
  if (coverage.missing.every(({ why }) => why === error.message)) return "";
  const shown = coverage.missing.slice(0, mostReasons).map(({ id, why }) => `  ${oneLine(id)}: ${oneLine(why)}\n`);
  const left = coverage.missing.length - shown.length;
  return shown.join("") + (left > 0 ? `  and ${left} more\n` : "");
}

const mostReasons = 5;
