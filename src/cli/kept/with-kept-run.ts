import { FlexibleOrchestrator } from "../../flexible-orchestrator.ts";
import type { Ledger, RunRecord } from "../../ledger/ledger.ts";
import { allowance } from "../models/allowance.ts";
import type { RerunCommand, ResumeCommand } from "../flags/command.ts";
import { someKeptRuns } from "./kept-runs.ts";
import { namedRoles } from "../models/model-choice.ts";
import { modelsInUse } from "../models/models-in-use.ts";
import { withAnswerForm } from "../input/output-schema-file.ts";
import { Outputs } from "../writing/outputs.ts";
import { namedRun } from "./run-name.ts";
import type { Terminal } from "../terminal.ts";

/** A run that is kept, and what goes on with it. */
export interface KeptRun {
  readonly record: RunRecord;
  readonly ledger: Ledger;
  readonly outputs: Outputs;
  readonly orchestrator: FlexibleOrchestrator;
}

/** Finds the run that a command names, and has all it needs open for as long as `act` takes. */
export async function withKeptRun(command: ResumeCommand | RerunCommand, terminal: Terminal, act: (kept: KeptRun) => Promise<number>): Promise<number> {
  const { world } = terminal;
  await using kept = await someKeptRuns(world);
  const { ledger } = kept;
  const record = await namedRun(ledger, command.run);
  const outputs = await Outputs.open(command, world);
  await using models = modelsInUse(terminal, command);
  const orchestrator = new FlexibleOrchestrator(
    { ...(await withAnswerForm(namedRoles(command.models, command.judging, command.samples), command.outputSchema, world.cwd)), ledger },
    { runtime: world.runtime, identity: world.identity, models: models.sources, allowance },
  );
  return await act({ record, ledger, outputs, orchestrator });
}
