import type { LanguageModelV4, LanguageModelV4Prompt } from "@ai-sdk/provider";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { fence } from "../src/prompt/fence.ts";
import { workerPrompt } from "../src/work/worker-prompt.ts";
import { models, planParts, type Workload } from "./workload.ts";

/** One way to carry out the workload. */
export interface Contender {
  readonly name: string;
  /** Resolves when the answer is there. */
  run(task: string, workload: Workload): Promise<void>;
}

export type Models = { readonly [K in keyof typeof models]: LanguageModelV4 };

export function modelsAt(url: string): Models {
  const provider = createOpenAICompatible({ name: "bench", baseURL: url, includeUsage: true });
  return { planner: provider(models.planner), worker: provider(models.worker), synthesizer: provider(models.synthesizer) };
}

/** The task's name tells the provider which workload it serves. */
export function taskOf(run: string, { subtasks, seed }: Workload): string {
  return `Write the report. (bench-run ${run} of ${subtasks} seed ${seed})`;
}

/** Reads a reply by `doStream`, to its end, none of our code. */
export async function bareText(model: LanguageModelV4, prompt: LanguageModelV4Prompt, onDelta?: (delta: string) => void): Promise<string> {
  const { stream } = await model.doStream({ prompt, maxOutputTokens: 8192 });
  let text = "";
  for await (const part of stream) {
    if (part.type !== "text-delta") continue;
    text += part.delta;
    onDelta?.(part.delta);
  }
  return text;
}

/** The workers' prompts as Divvy writes them, so that everybody sends the same bytes. */
export function workerPrompts(task: string, workload: Workload): { system: string; prompt: string }[] {
  return [
    ...planParts(workload)
      .join("")
      .matchAll(/<description>(.*?)<\/description>/g),
  ].map(([, description = ""], n) => {
    const text = workerPrompt({ task, context: "", type: `part-${n}`, description, upstream: [], fence });
    if (typeof text === "string") return { system: "", prompt: text };
    return { system: text.system ?? "", prompt: `${text.shared ?? ""}\n\n${text.prompt}` };
  });
}

export function asMessages({ system, prompt }: { system: string; prompt: string }): LanguageModelV4Prompt {
  return [
    { role: "system", content: system },
    { role: "user", content: [{ type: "text", text: prompt }] },
  ];
}
