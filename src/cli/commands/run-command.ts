import { FlexibleOrchestrator } from "../../flexible-orchestrator.ts";
import { maxWorkers } from "../../assembly/assembly.ts";
import { allowance } from "../models/allowance.ts";
import { mustAsk, TerminalApproval } from "../approval/terminal-approval.ts";
import type { RunCommand } from "../flags/command.ts";
import { exitCodes } from "../exit-code.ts";
import { followRun } from "./follow-run.ts";
import { keepRuns } from "../kept/kept-runs.ts";
import { chooseModels, tinyBefore, usesTinyModel } from "../models/model-choice.ts";
import { modelsInUse } from "../models/models-in-use.ts";
import { orchestratorOptions } from "../flags/orchestrator-options.ts";
import { withAnswerForm } from "../input/output-schema-file.ts";
import { Outputs } from "../writing/outputs.ts";
import { requestInput } from "../input/request-input.ts";
import { sayTo } from "../writing/say.ts";
import type { Terminal } from "../terminal.ts";

/** How a plan is looked at where nobody can be asked. */
const inTwoSteps = "Make the plan first, look at it, then carry it out: divvy plan ... > plan.xml, and divvy run ... --plan plan.xml";

/** Carries out a request: what happens goes to stderr, the answer to stdout. */
export async function runCommand(command: RunCommand, terminal: Terminal): Promise<number> {
  const { world, signal } = terminal;
  const say = (text: string): void => (command.quiet ? undefined : sayTo(terminal, text));
  if (command.approve) mustAsk(terminal, inTwoSteps);
  const input = await requestInput(command, terminal);
  const outputs = await Outputs.open(command, world);
  await using kept = command.save ? await keepRuns(world) : undefined;
  await using models = modelsInUse(terminal, command);
  const choice = await chooseModels(command.models, world.env, models.probes);
  const typed = await withAnswerForm(orchestratorOptions(command, choice), command.outputSchema, world.cwd);
  const approval = command.approve ? new TerminalApproval(terminal, maxWorkers(typed.limits)) : undefined;
  const options = {
    ...typed,
    ...(kept && { ledger: kept.ledger }),
    ...(command.planCache && { planCache: command.planCache }),
    ...(approval && { approvePlan: approval.approve }),
  };
  const orchestrator = new FlexibleOrchestrator(options, { runtime: world.runtime, identity: world.identity, models: models.sources, allowance });
  const task = await input.task();
  if (task === undefined) return exitCodes.aborted;
  signal.throwIfAborted();

  if (choice.said !== undefined) say(choice.said);
  if (usesTinyModel(choice)) say(tinyBefore);
  const run = orchestrator.start(task, input.context, { signal, ...(input.plan && { plan: input.plan }), ...(command.budget && { budget: command.budget }) });
  return await followRun(run, { command, outputs, ledger: kept?.ledger, approval }, terminal);
}
