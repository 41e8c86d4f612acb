import { evaluationsIn, type Outcome } from "../../outcome.ts";
import { cleanText, oneLine } from "../writing/clean-text.ts";
import type { WorkFlags } from "../flags/command.ts";
import { exitCodeAfter, exitCodes } from "../exit-code.ts";
import { adviceOf, adviceText, errorText } from "../writing/failure.ts";
import type { Written } from "../writing/outputs.ts";
import { withLineEnd } from "../writing/outputs.ts";
import { isDumb } from "../writing/paint.ts";
import { count } from "../../quantity.ts";
import { notCovered } from "../../synthesis/layout.ts";
import { sayTo } from "../writing/say.ts";
import type { Terminal } from "../terminal.ts";

export interface RunEnding {
  readonly outcome: Outcome;
  /** @default what a terminal shows of it */
  readonly command?: Pick<WorkFlags, "quiet" | "format">;
  /** What became of files that were asked for. */
  readonly written?: Written;
  /** Whether its plan waits for approval. @default false */
  readonly waits?: boolean;
  /** Whether it can be gone on with later. */
  readonly isKept: boolean;
  /** How to go on with it; nothing where it is done, or cannot be. */
  readonly goOn: string | undefined;
}

const nothingWritten: Written = { said: [], answer: false, errors: [] };

/** Hands over the answer and says what it lacks. Resolves to the exit code. */
export async function tellOutcome(ending: RunEnding, terminal: Terminal): Promise<number> {
  const { outcome, command: { quiet, format } = { quiet: false, format: "text" }, written = nothingWritten, waits = false, isKept, goOn } = ending;
  const { err } = terminal;
  if (format === "text" && "text" in outcome && !written.answer) await writeAnswer(outcome.text, terminal, quiet);

  const say = (text: string): void => (quiet ? undefined : sayTo(terminal, text));
  for (const { message } of outcome.coverage.notices) say(`! ${message}`);
  if (outcome.status === "ok" && outcome.text === "" && written.said.length === 0 && format === "text") {
    say("No answer was asked for; --out-dir or --json gives you the results.");
  }
  if (outcome.status !== "ok")
    await err.write(whatIsWrong(outcome, { quiet, waits, isKept }, terminal) + (goOn === undefined ? "" : adviceText(goOn, terminal)));
  for (const error of written.errors) await err.write(errorText(error.toJSON(), terminal));
  for (const said of written.said) say(said);
  await err.write("");
  return written.errors.length > 0 && outcome.status === "ok" ? exitCodes.failed : exitCodeAfter(outcome);
}

/**
 * The answer. On a terminal it is laid out, and nothing in it can command the terminal; in a pipe or a file it is data, and stays
 * to the letter what the models wrote.
 */
export async function writeAnswer(text: string, { out, err, outPaint, world }: Terminal, quiet: boolean): Promise<void> {
  if (text === "") return;
  if (!out.isTerminal) return await out.write(withLineEnd(text));
  // A line between the picture and the answer.
  if (!quiet && err.isTerminal) await err.write("\n");
  await out.write(
    withLineEnd(isDumb(world.env) ? cleanText(text) : (await import("../view/markdown.tsx")).renderMarkdown(cleanText(text), out.columns, outPaint)),
  );
}

function whatIsWrong(
  outcome: Exclude<Outcome, { status: "ok" }>,
  { quiet, waits, isKept }: Required<Pick<RunEnding, "waits" | "isKept">> & { readonly quiet: boolean },
  terminal: Terminal,
): string {
  const { error } = outcome;
  if (error.code === "aborted")
    return `${!terminal.signal.aborted && terminal.out.gone ? "Stopped: nobody reads the events any more." : stopped(outcome, waits)}\n`;
  const hint = error.code === "incomplete" ? hintFor(outcome, isKept) : unjudgedHint(outcome);
  return errorText(hint === undefined ? error : { ...error, hint }, terminal) + reasons(outcome, quiet);
}

/** Where to read what is missing, if anything is: nothing of it stands after an answer that has a form. And what to do with a run that is not kept. */
function hintFor(outcome: Exclude<Outcome, { status: "ok" }>, isKept: boolean): string {
  const { missing, dropped, planComplete } = outcome.coverage;
  const gaps = notCovered(missing, planComplete, dropped);
  const isSaid = gaps !== "" && "text" in outcome && outcome.text.includes(gaps);
  if (isKept) return isSaid ? "The answer says what is missing." : "";
  return isSaid ? "The answer says what is missing; run it again for the rest." : "Run it again for the rest.";
}

/** What to do where nothing falls short but that nobody judged it: more tries would change nothing. */
function unjudgedHint(outcome: Exclude<Outcome, { status: "ok" }>): string | undefined {
  if (outcome.error.code !== "below_threshold") return undefined;
  const short = evaluationsIn(outcome).filter(({ passed }) => !passed);
  const [why] = short.flatMap((one) => one.error ?? []);
  return why !== undefined && short.every(({ score }) => score === undefined) ? adviceOf(why) : undefined;
}

function stopped({ results }: Outcome, waits: boolean): string {
  if (waits) return "Stopped. Nothing of the plan was started: it waits for approval.";
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
