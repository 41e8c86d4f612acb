import type { Ledger } from "../../ledger/ledger.ts";
import type { Run } from "../../orchestrator/run-handle.ts";
import { reduce } from "../../reduce.ts";
import { initialRunState, type RunState } from "../../run-state.ts";
import type { TerminalApproval } from "../approval/terminal-approval.ts";
import type { NamedModels, WorkFlags } from "../flags/command.ts";
import { typedAgain } from "../flags/flags-again.ts";
import { jsonText } from "../writing/json-text.ts";
import { tinyAfter, tinyModel } from "../models/model-choice.ts";
import type { Outputs } from "../writing/outputs.ts";
import { resumeLine } from "../kept/resume-line.ts";
import { tellOutcome } from "./run-ending.ts";
import { sayTo } from "../writing/say.ts";
import type { Terminal } from "../terminal.ts";
import { type Display, noDisplay } from "../view/display.ts";
import { isLive } from "../view/liveness.ts";

export interface Following {
  readonly command: WorkFlags & { readonly models: NamedModels };
  readonly outputs: Outputs;
  /** Where the run is kept; nothing where it is not. */
  readonly ledger: Ledger | undefined;
  /** Who is asked to approve its plan. @default nobody here */
  readonly approval?: TerminalApproval | undefined;
  /** What happened before, which is shown in one: the number of its last event. */
  readonly seen?: number;
  /** When what is carried out now began, where that was not the run's own beginning; epoch milliseconds. */
  readonly since?: number;
}

/** Shows a run as it is carried out and hands over its answer. Resolves to the exit code. */
export async function followRun(run: Run, { command, outputs, ledger, approval, seen = -1, since }: Following, terminal: Terminal): Promise<number> {
  const { out } = terminal;
  const { quiet, format } = command;
  const display = quiet ? noDisplay : await displayFor(terminal, since);
  approval?.shows({ display, stop: () => run.abort() });
  terminal.onInterrupt = () => display.note("Stopping; Ctrl-C again leaves at once.");
  // Events for nobody, and no file to come: who closed the pipe has seen enough, and going on would cost.
  if (format === "jsonl" && !outputs.any) out.whenGone(() => run.abort());
  const [state] = await Promise.all([show(run, display, seen), ...(format === "jsonl" ? [writeEvents(run, terminal)] : [])]);
  terminal.onInterrupt = () => undefined;

  const outcome = await run.outcome;
  // One that never began is nothing to go on with.
  const isKept = ledger !== undefined && state.request !== undefined;
  const goOn = isKept ? await resumeLine(state, ledger, typedAgain(command)) : undefined;
  if (format === "json") await out.write(`${jsonText(outcome, out.isTerminal ? 2 : undefined)}\n`);
  const written = await outputs.write(outcome);
  const code = await tellOutcome({ outcome, written, command, waits: state.approval === "requested", isKept, goOn }, terminal);
  if (!quiet && "text" in outcome && modelsOf(state).includes(tinyModel)) sayTo(terminal, tinyAfter);
  return code;
}

/** What draws is loaded only where somebody watches. */
async function displayFor(terminal: Terminal, since: number | undefined): Promise<Display> {
  if (isLive(terminal)) return new (await import("../view/live-display.tsx")).LiveDisplay(terminal, since);
  return new (await import("../view/plain-display.ts")).PlainDisplay(terminal, since);
}

async function show(run: Run, display: Display, seen: number): Promise<RunState> {
  let shown = initialRunState;
  let state = shown;
  for await (const event of run.events) {
    state = reduce(state, event);
    if (event.seq <= seen) continue;
    display.update(shown, state);
    shown = state;
  }
  if (shown !== state) display.update(shown, state);
  await display.close();
  return state;
}

/** Waits for its reader: one that is slow gets deltas merged, and never loses a fact. */
async function writeEvents(run: Run, { out }: Terminal): Promise<void> {
  for await (const event of run.events) await out.write(`${jsonText(event)}\n`);
}

function modelsOf({ plan, subtasks, answer }: RunState): (string | undefined)[] {
  return [plan, ...subtasks, answer].map(({ model }) => model);
}
