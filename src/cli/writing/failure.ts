import { type DivvyError, type ErrorCode, type ErrorData, errorCodes } from "../../errors.ts";
import { failedOutcome } from "../../orchestrator/ending/outcome-of.ts";
import { Tally } from "../../orchestrator/tally.ts";
import { cleanText } from "./clean-text.ts";
import { jsonText } from "./json-text.ts";
import type { Terminal } from "../terminal.ts";
import { adviceAsTyped } from "../flags/usage-error.ts";
import { wrapped } from "../view/wrapped.ts";

type Place = Pick<Terminal, "err" | "errPaint">;

/** Where the library's own advice speaks of its options and objects: the same in the words of a terminal. */
const hints: Partial<Readonly<Record<ErrorCode, string>>> = {
  rate_limited: "Wait as long as it asks, or make fewer calls at once: --concurrency 5",
  idle_timeout: "Try again, or use another model.",
  total_timeout: "Ask for less, or use a faster model.",
  admission_timeout: "Run less at once, or try again later.",
  run_timeout: "Ask for less, or make several runs of it.",
  budget_exhausted: "What is done is not paid again: --budget, --max-tokens, --max-calls and --max-seconds take a new total.",
  unknown_price: "Say what it costs per million tokens in and out: --price provider:model=3/15; or bound the run by tokens: --max-tokens 500000",
  output_truncated: "Ask for something shorter, or for more and smaller parts.",
  output_invalid: "Use a stronger model, or a simpler schema; `divvy resume` asks anew",
  unable: "Give it what it says is missing: -c key=value, or -f file",
  plan_failed: "Use a stronger model to plan: --orchestrator provider:model. What it replied is in the outcome: --json",
  plan_rejected: "Nothing was started.",
  approval_needed: "Approve its plan first, at a terminal: divvy resume RUN --approve",
  choice_failed: "Nothing is lost, the results are laid out; --synthesis keep does so from the start.",
  run_not_found: "divvy runs lists those that are kept.",
  no_verdict: "The work stands, unjudged; use a stronger model to judge: --evaluator provider:model",
  below_threshold: "The best tries stand. Have them tried more often (--tries), or use a stronger model.",
  // Where the system does not tell who is dead, only the lease's end does.
  run_held: "Wait until it is done, or stop it there. If that process is gone, try again in half a minute.",
  run_drifted:
    "Set back what has changed (--kind, --window, --evaluate, --samples and --output-schema are typed again), or go on under what holds now: --accept-changes",
  incomplete: "The answer says what is missing; run it again for the rest.",
  nothing_done: "",
  aborted: "",
};

/** What went wrong, and what to do. */
export function failureText(message: string, hint: string, place: Place): string {
  const first = fitted(`divvy: ${message}`, 0, place).replace(/^divvy:/, (name) => place.errPaint("red", name));
  return `${first}\n${hint === "" ? "" : adviceText(hint, place)}`;
}

/** What to do, below what happened. */
export function adviceText(advice: string, place: Place): string {
  return `  ${fitted(advice, 2, place)}\n`;
}

function fitted(text: string, indent: number, { err }: Place): string {
  const clean = cleanText(text).trim();
  return (err.isTerminal ? wrapped(clean, err.columns - indent) : clean).replaceAll("\n", `\n${" ".repeat(indent)}`);
}

/** The same of an error, with the provider's own words where they say more. */
export function errorText(error: ErrorData, place: Place): string {
  const { message, evidence } = error;
  const said = evidence?.providerMessage?.trim();
  const more = said !== undefined && !message.includes(said) ? ` The provider says: ${said}` : "";
  return failureText(message + more, adviceOf(error), place);
}

/** What to do about an error, in the words of a terminal; empty where its message has said it. */
export function adviceOf({ code, message, hint, evidence }: ErrorData): string {
  // Advice that somebody gave for this very case is better than any for its kind.
  const kind = evidence?.budget === undefined ? code : "budget_exhausted";
  const advice = adviceAsTyped(hint === errorCodes[kind].hint ? (hints[kind] ?? hint) : hint);
  return message.includes(advice) ? "" : advice;
}

/** What ended the program before there was a run: for people on stderr, and on stdout for programs that wait for an outcome. */
export async function writeFailure(terminal: Terminal, error: DivvyError, argv: readonly string[], asJson: boolean): Promise<void> {
  const { world, out, err } = terminal;
  await err.write(errorText(error.toJSON(), terminal));
  if (!asJson) return;
  const outcome = failedOutcome("", error, new Tally(), 0);
  const isLines = argv.includes("--jsonl");
  await out.write(`${jsonText(isLines ? { type: "run.finished", outcome, seq: 0, at: Math.round(world.runtime.clock.now()), runId: "" } : outcome)}\n`);
}
