import { stripVTControlCharacters } from "node:util";
import { DivvyError, type OrchestratorOptions, type Outcome, type Run, type RunEvent } from "divvy";

/** Runs an example: on the model that is named as its argument, else on what can be used here. */
export async function runFromTerminal(start: (options: OrchestratorOptions) => Run): Promise<void> {
  const [, , model] = process.argv;
  try {
    const outcome = await showRun(start(model === undefined ? {} : { model }));
    if (outcome.status !== "ok") process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof DivvyError)) throw error;
    say(`${error.message}\n${error.hint}`);
    process.exitCode = 2;
  }
}

/** Follows a run: a line on stderr for each thing that happens, then the answer on stdout. */
export async function showRun(run: Run): Promise<Outcome> {
  for await (const event of run.events) {
    const line = lineFor(event);
    if (line !== undefined) say(line);
  }
  const outcome = await run.outcome;
  if ("text" in outcome) console.log(plain(outcome.text));
  if (outcome.status !== "ok") say(`${outcome.status}: ${outcome.error.message}\n${outcome.error.hint}`);
  say(bill(outcome));
  return outcome;
}

function lineFor(event: RunEvent): string | undefined {
  switch (event.type) {
    case "plan.finished":
      return `plan     ${event.subtasks} subtasks, ${event.combine}: ${event.analysis}`;
    case "plan.answered":
      return "plan     needs no division; this is the answer";
    case "subtask.started":
      return `start    ${event.subtaskId} (${event.model})`;
    case "subtask.finished":
      return `done     ${event.subtaskId}: ${event.result.length} characters`;
    case "subtask.failed":
      return `failed   ${event.subtaskId}: ${event.error.message}`;
    case "subtask.skipped":
      return `skipped  ${event.subtaskId}: ${event.reason}`;
    case "governor.throttled":
      return `waits    ${event.model} limits requests`;
    case "synthesis.started":
      return `answer   ${event.combine} (${event.model})`;
    case "run.noticed":
      return `note     ${event.notice.message}`;
    default:
      return undefined;
  }
}

function bill({ calls, usage, cost, durationMs }: Outcome): string {
  const dollars = cost === undefined ? "price unknown" : `$${cost.toFixed(4)}`;
  return `${calls} calls, ${usage.inputTokens ?? 0} tokens in, ${usage.outputTokens ?? 0} out, ${dollars}, ${(durationMs / 1000).toFixed(1)} s`;
}

function say(line: string): void {
  console.error(plain(line));
}

/** Models write this text; none of it may command the terminal. */
function plain(text: string): string {
  return stripVTControlCharacters(text);
}
