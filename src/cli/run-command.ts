import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import type { Run } from "../orchestrator/run-handle.ts";
import { initialRunState, reduce } from "../run-state.ts";
import type { RunCommand } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { jsonText } from "./json-text.ts";
import { chooseModels, tinyAfter, tinyBefore, usesTinyModel } from "./model-choice.ts";
import { modelsInUse } from "./models-in-use.ts";
import { orchestratorOptions } from "./orchestrator-options.ts";
import { Outputs } from "./outputs.ts";
import { requestInput } from "./request-input.ts";
import { tellOutcome } from "./run-ending.ts";
import { sayTo } from "./say.ts";
import type { Terminal } from "./terminal.ts";
import { type Display, noDisplay } from "./view/display.ts";
import { isLive } from "./view/liveness.ts";

/** Carries out a request: what happens goes to stderr, the answer to stdout. */
export async function runCommand(command: RunCommand, terminal: Terminal): Promise<number> {
  const { world, out, signal } = terminal;
  const { quiet, format } = command;
  const say = (text: string): void => (quiet ? undefined : sayTo(terminal, text));
  const input = await requestInput(command, terminal);
  const outputs = await Outputs.open(command, world);
  await using models = modelsInUse(terminal, quiet);
  const choice = await chooseModels(command.models, world.env, models.probes);
  const orchestrator = new FlexibleOrchestrator(orchestratorOptions(command, choice), { runtime: world.runtime, models: models.sources });
  const task = await input.task();
  if (task === undefined) return exitCodes.aborted;
  signal.throwIfAborted();

  if (choice.said !== undefined) say(choice.said);
  const isTiny = usesTinyModel(choice);
  if (isTiny) say(tinyBefore);
  const display = quiet ? noDisplay : await displayFor(terminal);
  const run = orchestrator.start(task, input.context, { signal, ...(input.plan && { plan: input.plan }) });
  terminal.onInterrupt = () => display.note("Stopping; Ctrl-C again leaves at once.");
  // Events for nobody, and nothing of the run would stay: going on would only cost.
  if (format === "jsonl" && !outputs.any) out.whenGone(() => run.abort());
  await Promise.all([show(run, display), ...(format === "jsonl" ? [writeEvents(run, terminal)] : [])]);
  terminal.onInterrupt = () => undefined;

  const outcome = await run.outcome;
  if (format === "json") await out.write(`${jsonText(outcome, out.isTerminal ? 2 : undefined)}\n`);
  const written = await outputs.write(outcome);
  const code = await tellOutcome({ outcome, written, command }, terminal);
  if (isTiny && "text" in outcome) say(tinyAfter);
  return code;
}

/** What draws is loaded only where somebody watches. */
async function displayFor(terminal: Terminal): Promise<Display> {
  if (isLive(terminal)) return new (await import("./view/live-display.tsx")).LiveDisplay(terminal);
  return new (await import("./view/plain-display.ts")).PlainDisplay(terminal);
}

async function show(run: Run, display: Display): Promise<void> {
  let state = initialRunState;
  for await (const event of run.events) {
    const before = state;
    state = reduce(before, event);
    display.update(before, state);
  }
  await display.close();
}

/** Waits for its reader: one that is slow gets deltas merged, and never loses a fact. */
async function writeEvents(run: Run, { out }: Terminal): Promise<void> {
  for await (const event of run.events) await out.write(`${jsonText(event)}\n`);
}
