import type { Ledger } from "../../src/ledger/ledger.ts";
import type { OrchestratorOptions } from "../../src/options.ts";
import { promptsOf } from "./double.ts";
import { formOf, mostRepairs } from "./forms.ts";
import { judgingOf, kindsOf, usualPrice } from "./kinds.ts";
import type { LifePlan, Schedule } from "./schedule.ts";
import type { SimModels } from "./sim-models.ts";

/** The options of an orchestrator, as a schedule has them. */
export function optionsOf(
  schedule: Schedule,
  { drifts, runMs }: LifePlan,
  { strong, quick, own }: SimModels,
  ledger: Ledger,
  code: OrchestratorOptions["workers"],
): OrchestratorOptions {
  const { planFormat, direct, synthesis, concurrency, maxSubtasks, planCompletions, rounds, upstreamBytes, attempts, admissionMs, allowLength } = schedule;
  const price = usualPrice(schedule);
  const roleMs = 60_000;
  const prompts = promptsOf(schedule);
  return {
    orchestrator: { ...prompts.orchestrator, ...price, model: strong, id: "strong" },
    worker: {
      ...prompts.worker,
      ...price,
      model: quick,
      id: quick.modelId,
      allowLength,
      ...judgingOf(schedule, "worker"),
      ...formOf(schedule, "worker"),
      samples: schedule.samples,
      ...(drifts && { maxOutputTokens: 5_000 }),
    },
    synthesizer: {
      ...(!schedule.compares && prompts.synthesizer),
      ...price,
      ...(schedule.contextTokens !== undefined && { contextTokens: schedule.contextTokens }),
      model: strong,
      id: "strong",
      ...judgingOf(schedule, "synthesizer"),
      ...formOf(schedule, "synthesizer"),
    },
    workers: { ...kindsOf(schedule, own).workers, ...code },
    planFormat,
    direct,
    synthesis,
    concurrency,
    limits: { subtasks: maxSubtasks, planCompletions, outputRepairs: mostRepairs, upstreamBytes, rounds },
    retry: { attempts, backoffMs: 200, maxBackoffMs: 5_000 },
    timeout: { idleMs: 20_000, workerMs: roleMs, orchestratorMs: roleMs, synthesizerMs: roleMs, admissionMs, ...(runMs !== undefined && { runMs }) },
    ledger,
    ...(schedule.shared && { cache: { shared: "all" } }),
    examples: [],
  };
}
