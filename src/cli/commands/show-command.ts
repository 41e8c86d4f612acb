import { keyOf } from "../../names.ts";
import { reduce } from "../../reduce.ts";
import { initialRunState, type RunState, type SubtaskState } from "../../run-state.ts";
import type { ShowCommand } from "../flags/command.ts";
import { exitCodes } from "../exit-code.ts";
import { adviceText } from "../writing/failure.ts";
import { keptAgain } from "../flags/flags-again.ts";
import { jsonText } from "../writing/json-text.ts";
import { someKeptRuns } from "../kept/kept-runs.ts";
import { oneLine } from "../writing/clean-text.ts";
import { resumeLine } from "../kept/resume-line.ts";
import { tellOutcome } from "./run-ending.ts";
import { namedRun } from "../kept/run-name.ts";
import { shownStatus } from "../kept/run-status.ts";
import type { Terminal } from "../terminal.ts";
import { usageError } from "../flags/usage-error.ts";
import { factLines } from "../view/fact-lines.ts";
import { tellRun } from "../view/run-report.ts";
import { tellSubtask } from "../view/subtask-report.ts";

/** Shows a run that is kept: its answer on stdout, all about it on stderr. */
export async function showCommand({ run: name, subtask: id, events, format }: ShowCommand, terminal: Terminal): Promise<number> {
  const { out, world } = terminal;
  await using kept = await someKeptRuns(world);
  const { ledger } = kept;
  const record = await namedRun(ledger, name);
  const facts = await ledger.readFacts(record.runId);
  const state = facts.reduce(reduce, initialRunState);
  const status = await shownStatus(ledger, record, world.identity);
  const indent = out.isTerminal ? 2 : undefined;

  if (format === "jsonl") for (const fact of facts) await out.write(`${jsonText(fact)}\n`);
  else if (events) await out.write(format === "json" ? `${jsonText(facts, indent)}\n` : factLines(facts, terminal));
  else if (id !== undefined) {
    const subtask = subtaskOf(state, id);
    if (format === "json") await out.write(`${jsonText(subtask, indent)}\n`);
    else await tellSubtask(subtask, state, terminal);
  } else if (format === "json") await out.write(`${jsonText({ status, ...state }, indent)}\n`);
  else {
    await tellRun({ state, status, facts }, terminal);
    const goOn = status === "running" ? undefined : await resumeLine(state, ledger, keptAgain(facts));
    if (state.outcome === undefined) await terminal.err.write(goOn === undefined ? "" : adviceText(goOn, terminal));
    else await tellOutcome({ outcome: state.outcome, waits: state.approval === "requested", isKept: true, goOn }, terminal);
  }
  return exitCodes.ok;
}

function subtaskOf({ runId, subtasks }: RunState, id: string): SubtaskState {
  const found = subtasks.find(({ subtask }) => keyOf(subtask.id) === keyOf(id));
  if (found !== undefined) return found;
  const known = subtasks.map(({ subtask }) => oneLine(subtask.id)).join(", ");
  throw usageError(`The run ${runId} has no subtask "${id}".`, known === "" ? "It has none at all." : `It has: ${known}.`);
}
