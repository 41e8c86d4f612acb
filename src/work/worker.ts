import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { type CallContext, type Calls, type CallSettings, type RunScope, textOf } from "../calls/call.ts";
import { DivvyError, toDivvyError } from "../errors.ts";
import type { Request } from "../events.ts";
import { type RolePrompt, renderPrompt } from "../prompt/role-prompt.ts";
import type { Fence } from "../prompt/fence.ts";
import { contextText, contextVariables, variablesOf } from "../prompt/template.ts";
import type { Subtask } from "../subtask.ts";
import { ResponseText, responseText, unableReason } from "./response-text.ts";
import { type Upstream, upstreamText, type WorkerPromptInput } from "./worker-prompt.ts";

/** A kind of worker: a model, how it is asked, and what holds for its calls. */
export interface WorkerKind {
  readonly model: string;
  readonly settings: CallSettings;
  readonly rules: CallContext["rules"];
  readonly prompt: RolePrompt<WorkerPromptInput>;
}

export interface Job {
  readonly request: Request;
  readonly subtask: Subtask;
  readonly upstream: readonly Upstream[];
  readonly sample: number;
}

export interface WorkerDeps {
  readonly calls: Calls;
  readonly run: RunScope;
  readonly signal: AbortSignal;
  readonly fence: Fence;
}

export type JobEnd =
  | { readonly status: "done"; readonly result: string; readonly truncated: boolean; readonly attempts: number }
  | { readonly status: "failed"; readonly error: DivvyError; readonly attempts: number };

/** The names that a worker's template can use besides the context's own keys. */
export const workerVariables: readonly string[] = ["task", "original_task", "context", "task_type", "task_description", "upstream"];

/** One worker, alone: asks the model to carry out the subtask, and takes its answer apart. Never rejects. */
export async function carryOutSubtask(kind: WorkerKind, job: Job, { calls, run, signal, fence }: WorkerDeps): Promise<JobEnd> {
  const subtaskId = job.subtask.id;
  let shown = new ResponseText();
  let attempt = 1;
  const emitDelta = (text: string): void => {
    if (text !== "") run.emit({ type: "subtask.delta", subtaskId, attempt, text });
  };
  try {
    const reply = await calls(
      { model: kind.model, messages: workerMessages(kind, job, fence), settings: kind.settings, sample: job.sample },
      {
        run,
        role: "worker",
        subtaskId,
        rank: workerRank,
        signal,
        // A wrapper around nothing is nothing, and asked for again as such.
        rules: { ...kind.rules, isEmpty: (text) => responseText(text) === "" },
        onPart: (part) => {
          if (part.type === "attempt") {
            attempt = part.attempt;
            shown = new ResponseText();
          } else if (part.type === "text") emitDelta(shown.add(part.delta));
        },
      },
    );
    emitDelta(shown.end());
    return judged(textOf(reply), reply.finishReason.unified === "length", reply.attempts);
  } catch (thrown) {
    const error = toDivvyError(thrown);
    return { status: "failed", error, attempts: error.evidence?.attempts ?? 0 };
  }
}

/** Workers come after the planner; among them the oldest first, which the governor sees to. */
const workerRank = 2;

function judged(reply: string, truncated: boolean, attempts: number): JobEnd {
  const result = responseText(reply);
  const missing = unableReason(result);
  if (missing !== undefined) {
    const error = new DivvyError("unable", `The worker says that it cannot do this: ${missing}`, { evidence: { attempts } });
    return { status: "failed", error, attempts };
  }
  return { status: "done", result, truncated, attempts };
}

export function workerMessages(kind: WorkerKind, { request, subtask, upstream }: Job, fence: Fence): LanguageModelV4Prompt {
  const { task, context } = request;
  const { type, description } = subtask;
  const input: WorkerPromptInput = { task, context, type, description, upstream, fence };
  if (typeof kind.prompt !== "string") return renderPrompt("worker", kind.prompt, input, new Map());

  const upstreamPart = upstreamText(upstream, fence);
  const named = upstream.length === 0 || variablesOf(kind.prompt).includes("upstream");
  const template = named ? kind.prompt : `${kind.prompt}\n\n{upstream}`;
  const values = new Map([
    ...contextVariables(context),
    ["task", task],
    ["original_task", task],
    ["context", contextText(context)],
    ["task_type", type],
    ["task_description", description],
    ["upstream", upstreamPart],
  ]);
  return renderPrompt("worker", template, input, values);
}
