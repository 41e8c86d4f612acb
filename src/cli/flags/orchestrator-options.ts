import type { OrchestratorOptions } from "../../options.ts";
import { judgedRoles } from "./judging.ts";
import { kindWorkers } from "./kinds-typed.ts";
import type { RequestFlags, WorkFlags } from "./command.ts";
import type { ModelChoice } from "../models/model-choice.ts";

/** What was typed, as the library's options; their bounds are the library's matter. */
export function orchestratorOptions(
  {
    divide,
    synthesis,
    maxSubtasks,
    rounds,
    concurrency,
    judging,
    samples,
    models: { kinds, window },
  }: Pick<RequestFlags, "divide" | "synthesis" | "maxSubtasks" | "rounds" | "models"> & Pick<WorkFlags, "concurrency" | "judging" | "samples">,
  { orchestrator, worker, synthesizer, evaluator }: ModelChoice,
): OrchestratorOptions {
  return {
    orchestrator,
    ...judgedRoles({ worker, synthesizer, evaluator }, judging, samples, window),
    ...kindWorkers(kinds),
    ...(divide && { direct: "never" }),
    ...(synthesis !== undefined && { synthesis }),
    limits: { ...(maxSubtasks !== undefined && { subtasks: maxSubtasks }), ...(rounds !== undefined && { rounds }) },
    ...(concurrency !== undefined && { concurrency }),
  };
}
