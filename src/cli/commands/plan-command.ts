import { FlexibleOrchestrator } from "../../flexible-orchestrator.ts";
import { shownEstimate } from "../../estimate.ts";
import { formatPlan } from "../../plan/format-plan.ts";
import { allowance } from "../models/allowance.ts";
import { cleanText } from "../writing/clean-text.ts";
import type { PlanCommand } from "../flags/command.ts";
import { exitCodes } from "../exit-code.ts";
import { safeJson } from "../writing/json-text.ts";
import { shownBound } from "../flags/budget-flags.ts";
import { chooseModels, tinyBefore, usesTinyModel, whoDoesWhat } from "../models/model-choice.ts";
import { modelsInUse } from "../models/models-in-use.ts";
import { orchestratorOptions } from "../flags/orchestrator-options.ts";
import { count, dollars, duration, usedTokens } from "../../quantity.ts";
import { requestInput } from "../input/request-input.ts";
import { sayTo } from "../writing/say.ts";
import type { Terminal } from "../terminal.ts";
import { isLive } from "../view/liveness.ts";

/** Phase one alone: the plan on stdout, for a file or for `divvy run --plan`. */
export async function planCommand(command: PlanCommand, terminal: Terminal): Promise<number> {
  const { world, out, signal } = terminal;
  const say = (text: string): void => (command.quiet ? undefined : sayTo(terminal, text));
  const input = await requestInput(command, terminal);
  await using models = modelsInUse(terminal, command);
  // Only the orchestrator is asked; nobody shall need a model for the others. Who is named is who would carry it out.
  const choice = await chooseModels({ ...command.models, model: command.models.orchestrator ?? command.models.model }, world.env, models.probes);
  const orchestrator = new FlexibleOrchestrator(orchestratorOptions({ ...command, concurrency: undefined, judging: undefined, samples: undefined }, choice), {
    runtime: world.runtime,
    models: models.sources,
    allowance,
  });
  const task = await input.task();
  if (task === undefined) return exitCodes.aborted;

  if (choice.said !== undefined) say(choice.said);
  if (usesTinyModel(choice)) say(tinyBefore);
  terminal.onInterrupt = () => say("Stopping; Ctrl-C again leaves at once.");
  const isWatched = !command.quiet && isLive(terminal);
  const what = `${choice.orchestrator} writes the plan`;
  if (!isWatched) say(what);
  // What draws is loaded only where somebody watches.
  const waiting = isWatched ? await import("../view/waiting.tsx") : undefined;
  const startedAt = world.runtime.clock.now();
  const planning = orchestrator.plan(task, input.context, { signal, ...(command.budget && { budget: command.budget }) });
  const { plan, notices, usage, cost, estimate, budget } = await (waiting?.showWaiting(terminal, what, planning) ?? planning);

  if (command.json) await out.write(`${safeJson(formatPlan(plan, "json"))}\n`);
  else {
    const text = formatPlan(plan);
    await out.write(`${out.isTerminal ? cleanText(text) : text}\n`);
  }
  const size = plan.kind === "direct" ? "no division needed: the plan is the answer" : count(plan.subtasks.length, "subtask");
  say([size, usedTokens(usage), ...(cost ? [dollars(cost)] : []), duration(world.runtime.clock.now() - startedAt)].join(" · "));
  for (const { message } of notices) say(`! ${message}`);
  if (budget !== undefined) say(shownBound(budget));
  if (estimate !== undefined) say(`Carried out, it comes to ${shownEstimate(estimate)}, the plan included, where ${whoDoesWhat(choice)}.`);
  return exitCodes.ok;
}
