import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { initialRunState, reduce } from "../run-state.ts";
import type { ResumeCommand } from "./command.ts";
import { followRun } from "./follow-run.ts";
import { someKeptRuns } from "./kept-runs.ts";
import { modelsInUse } from "./models-in-use.ts";
import { namedRoles } from "./model-choice.ts";
import { Outputs } from "./outputs.ts";
import { whatIsLeft } from "./resume-line.ts";
import { namedRun, shortId, shownTask } from "./run-name.ts";
import { lastBegun } from "./run-times.ts";
import { sayTo } from "./say.ts";
import type { Terminal } from "./terminal.ts";

/** Goes on with a run that is kept. */
export async function resumeCommand(command: ResumeCommand, terminal: Terminal): Promise<number> {
  const { world, signal } = terminal;
  const { quiet, acceptChanges, concurrency } = command;
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
  const facts = await ledger.readFacts(runId);
  const run = await orchestrator.resume(runId, { signal, acceptChanges, ...(concurrency !== undefined && { concurrency }) });

  const isOver = record.status === "ok";
  if (!quiet) {
    const what = `${await shortId(ledger, runId)}, "${shownTask(record)}"`;
    const left = whatIsLeft(facts.reduce(reduce, initialRunState));
    sayTo(terminal, isOver ? `The run ${what}, ended well: nothing is asked again.` : `Going on with ${what}${left === undefined ? "" : `, to ${left}`}.`);
  }
  const since = isOver ? lastBegun(facts) : world.runtime.clock.now();
  return await followRun(run, { command, outputs, ledger, seen: facts.at(-1)?.seq ?? -1, ...(since !== undefined && { since }) }, terminal);
}
