import type { OrchestratorOptions } from "../options.ts";
import type { RequestFlags } from "./command.ts";
import type { ModelChoice } from "./model-choice.ts";

/** What was typed, as the library's options; their bounds are the library's matter. */
export function orchestratorOptions(
  { divide, synthesis, maxSubtasks, concurrency }: Pick<RequestFlags, "divide" | "synthesis" | "maxSubtasks"> & { readonly concurrency: number | undefined },
  { orchestrator, worker, synthesizer }: ModelChoice,
): OrchestratorOptions {
  return {
    orchestrator,
    worker,
    synthesizer,
    ...(divide && { direct: "never" }),
    ...(synthesis !== undefined && { synthesis }),
    ...(maxSubtasks !== undefined && { limits: { subtasks: maxSubtasks } }),
    ...(concurrency !== undefined && { concurrency }),
  };
}
