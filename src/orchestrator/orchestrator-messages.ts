import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { OrchestratorPromptInput } from "../plan/orchestrator-prompt.ts";
import type { Fence } from "../prompt/fence.ts";
import { renderPrompt } from "../prompt/role-prompt.ts";
import { contextText, contextVariables } from "../prompt/template.ts";
import type { RunSetup } from "./run-setup.ts";

/** The names that an orchestrator's template can use besides the context's own keys. */
export const orchestratorVariables: readonly string[] = ["task", "context", "max_subtasks"];

/** What the orchestrator is asked first. */
export function orchestratorMessages({ request, roles, options }: RunSetup, fence: Fence): LanguageModelV4Prompt {
  const { task, context } = request;
  const { direct, planFormat: format, combine, maxSubtasks, examples } = options;
  const input: OrchestratorPromptInput = {
    task,
    context,
    format,
    direct,
    combine: combine === "none" ? undefined : combine,
    maxSubtasks,
    kinds: [...roles.workers.keys()],
    examples,
    fence,
  };
  const values = new Map([...contextVariables(context), ["task", task], ["context", contextText(context)], ["max_subtasks", String(maxSubtasks)]]);
  return renderPrompt("orchestrator", roles.orchestrator.prompt, input, values);
}
