import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { PlanFormat } from "../../plan/format-plan.ts";
import type { OrchestratorPromptInput } from "../../plan/prompts/orchestrator-prompt.ts";
import { planMark } from "../../plan/prompts/plan-mark.ts";
import type { Fence } from "../../prompt/fence.ts";
import { renderPrompt } from "../../prompt/role-prompt.ts";
import { contextText, contextVariables } from "../../prompt/template.ts";
import type { RunSetup } from "../run-setup.ts";

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
    kinds: roles.kinds,
    examples,
    fence,
    mark: planMark(task, context, format),
  };
  const values = new Map([...contextVariables(context), ["task", task], ["context", contextText(context)], ["max_subtasks", String(maxSubtasks)]]);
  return renderPrompt("orchestrator", roles.orchestrator.prompt, input, values);
}

/**
 * What the planner is asked to write into its plan. A prompt of the user's own that does not speak of it asks for none; how the
 * other format is asked for is always our own words.
 */
export function planMarks({ request: { task, context }, options }: RunSetup, messages: LanguageModelV4Prompt): Readonly<Partial<Record<PlanFormat, string>>> {
  const says = (mark: string): boolean => JSON.stringify(messages).includes(mark);
  const marks = (["xml", "json"] as const).flatMap((format) => {
    const mark = planMark(task, context, format);
    return mark !== undefined && (format !== options.planFormat || says(mark)) ? [[format, mark] as const] : [];
  });
  return Object.fromEntries(marks);
}

/** With a mark for either format where what the planner is shown besides could be read as a plan. */
export function marksBeside({ xml, json }: Readonly<Partial<Record<PlanFormat, string>>>, shown: string): Readonly<Partial<Record<PlanFormat, string>>> {
  const marks = { xml: xml ?? planMark(shown, "", "xml"), json: json ?? planMark(shown, "", "json") };
  return { ...(marks.xml !== undefined && { xml: marks.xml }), ...(marks.json !== undefined && { json: marks.json }) };
}
