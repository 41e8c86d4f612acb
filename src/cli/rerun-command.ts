import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { oneLine } from "./clean-text.ts";
import type { RerunCommand } from "./command.ts";
import { followRun } from "./follow-run.ts";
import { someKeptRuns } from "./kept-runs.ts";
import { modelsInUse } from "./models-in-use.ts";
import { namedRoles } from "./model-choice.ts";
import { Outputs } from "./outputs.ts";
import { namedRun, shortId, shownTask } from "./run-name.ts";
import { sayTo } from "./say.ts";
import type { Terminal } from "./terminal.ts";

/** A new run over the plan of one that is kept: a subtask and what builds on it are done anew. */
export async function rerunCommand(command: RerunCommand, terminal: Terminal): Promise<number> {
  const { world, signal } = terminal;
  const { quiet, subtask, description, type, concurrency } = command;
  await using kept = await someKeptRuns(world);
  const { ledger } = kept;
  const record = await namedRun(ledger, command.run);
  const { runId } = record;
  const outputs = await Outputs.open(command, world);
  await using models = modelsInUse(terminal, quiet);
  const orchestrator = new FlexibleOrchestrator(
    { ...namedRoles(command.models), ledger },
    { runtime: world.runtime, identity: world.identity, models: models.sources },
  );
  const changes = { ...(description !== undefined && { description }), ...(type !== undefined && { type }) };
  const run = await orchestrator.rerun(runId, { subtask, signal, ...changes, ...(concurrency !== undefined && { concurrency }) });

  if (!quiet)
    sayTo(terminal, `A new run over the plan of ${await shortId(ledger, runId)}, "${shownTask(record)}": ${oneLine(subtask)} and what builds on it anew.`);
  return await followRun(run, { command, outputs, ledger }, terminal);
}
