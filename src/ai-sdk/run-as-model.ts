import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
  SharedV4Warning,
} from "@ai-sdk/provider";
import type { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import type { RunCallOptions } from "../options.ts";
import type { Run } from "../orchestrator/run-handle.ts";
import { reduce } from "../reduce.ts";
import { initialRunState } from "../run-state.ts";
import { requestOfPrompt } from "./conversation.ts";
import { lazyStream } from "./lazy-stream.ts";
import { modelEnding, outcomeError } from "./model-ending.ts";
import { progressOf } from "./progress.ts";
import { runFeed } from "./run-feed.ts";
import { checkModelOptions } from "../options-check.ts";
import { sentence } from "../sentence.ts";

export interface RunAsModelOptions extends Pick<RunCallOptions, "budget" | "concurrency"> {
  /** Its `modelId`, as logs and telemetry name it. @default "orchestrator" */
  readonly modelId?: string | undefined;
}

/**
 * An orchestrator as a model of the AI SDK: `generateText({ model: runAsModel(orchestrator), prompt })`. Each call is a run.
 *
 * - The user's last message is the task; what was said before, and the system's messages, are the context.
 * - Reasoning says how the run goes: the plan, each subtask's beginning and end. Text is the answer; streamed, it is never taken back.
 * - Usage is that of all calls of the run. `providerMetadata.divvy` has `runId`, `status`, `coverage`, `calls`, `cost` and `error`.
 * - `ok` and `partial` outcomes finish with `stop`; the status and, where the reply is not streamed, a warning say which it is. Others
 *   throw a `DivvyError`, or are an `error` part of the stream. The AI SDK does not try them again, whatever its `maxRetries`.
 * - `abortSignal`, and cancelling the stream, stop the run.
 * - Tools, a response format and settings of one call (`temperature`, `maxOutputTokens`, ...) are warned about and have no effect: they
 *   are the roles', in the orchestrator's options; `Output.object` works with one whose `synthesizer.output` has that schema. Files that are not text are refused with `invalid_option`.
 *
 * @throws DivvyError `invalid_option` for options that do not exist, or are out of bounds
 */
export function runAsModel(orchestrator: Pick<FlexibleOrchestrator, "start">, options: RunAsModelOptions = {}): LanguageModelV4 {
  checkModelOptions(options);
  const { modelId = "orchestrator", ...runOptions } = options;

  const begin = (call: LanguageModelV4CallOptions): Begun => {
    const signal = call.abortSignal;
    signal?.throwIfAborted();
    const { task, context, leftOut } = requestOfPrompt(call.prompt);
    const run = orchestrator.start(task, context, { ...runOptions, ...(signal && { signal }) });
    const warnings = [...leftOut.map((part) => unsupported(part, "It was left out of the conversation.")), ...unsupportedIn(call)];
    return { run, signal, warnings };
  };

  return {
    specificationVersion: "v4",
    provider: "divvy",
    modelId,
    supportedUrls: {},
    async doGenerate(call: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
      return await generated(begin(call), modelId);
    },
    async doStream(call: LanguageModelV4CallOptions): Promise<LanguageModelV4StreamResult> {
      return { stream: streamed(begin(call), modelId) };
    },
  };
}

/** A run that has been started for a call. */
interface Begun {
  readonly run: Run;
  readonly signal: AbortSignal | undefined;
  readonly warnings: readonly SharedV4Warning[];
}

const settings = ["maxOutputTokens", "temperature", "topP", "topK", "presencePenalty", "frequencyPenalty", "stopSequences", "seed", "reasoning"] as const;

function unsupportedIn(call: LanguageModelV4CallOptions): readonly SharedV4Warning[] {
  const { reasoning = "provider-default", tools = [], responseFormat } = call;
  const set = settings.filter((name) => call[name] !== undefined && (name !== "reasoning" || reasoning !== "provider-default"));
  return [
    ...set.map((feature) => unsupported(feature, "A run takes it from the orchestrator's options, role by role.")),
    ...(tools.length > 0 ? [unsupported("tools", "A run calls no tools of its caller's.")] : []),
    ...(responseFormat?.type === "json"
      ? [unsupported("responseFormat", "The answer has the form that the orchestrator's `synthesizer.output` asks for, and is text where there is none.")]
      : []),
  ];
}

function unsupported(feature: string, details: string): SharedV4Warning {
  return { type: "unsupported", feature, details };
}

async function generated({ run, signal, warnings }: Begun, modelId: string): Promise<LanguageModelV4GenerateResult> {
  let state = initialRunState;
  let progress = "";
  for await (const event of run.events) {
    state = reduce(state, event);
    progress += progressOf(event, state);
  }
  const outcome = await run.outcome;
  if (!("text" in outcome)) {
    // Who aborts gets the own reason back, as from `fetch`.
    signal?.throwIfAborted();
    throw outcomeError(outcome);
  }
  const reasoning: LanguageModelV4Content[] = progress === "" ? [] : [{ type: "reasoning", text: progress }];
  const partial: SharedV4Warning[] =
    outcome.status === "partial" ? [{ type: "other", message: `The answer is partial: ${sentence(outcome.error.message)} ${outcome.error.hint}` }] : [];
  return {
    content: [...reasoning, { type: "text", text: outcome.text }],
    ...modelEnding(outcome),
    warnings: [...warnings, ...partial],
    response: { id: run.runId, modelId },
  };
}

function streamed(begun: Begun, modelId: string): ReadableStream<LanguageModelV4StreamPart> {
  const parts = partsOf(begun, modelId);
  return lazyStream(parts, async () => {
    begun.run.abort();
    await parts.return();
  });
}

async function* partsOf({ run, signal, warnings }: Begun, modelId: string): AsyncGenerator<LanguageModelV4StreamPart, void, undefined> {
  yield { type: "stream-start", warnings: [...warnings] };
  yield { type: "response-metadata", id: run.runId, modelId };
  const progress = "progress";
  const answer = "answer";
  let open: string | undefined;
  let state = initialRunState;
  for await (const next of runFeed(run)) {
    if (typeof next === "string") {
      if (open === progress) yield { type: "reasoning-end", id: progress };
      if (open !== answer) yield { type: "text-start", id: answer };
      open = answer;
      yield { type: "text-delta", id: answer, delta: next };
      continue;
    }
    state = reduce(state, next);
    const line = progressOf(next, state);
    // What is told once the answer is being written would stand behind it.
    if (line === "" || open === answer) continue;
    if (open === undefined) yield { type: "reasoning-start", id: progress };
    open = progress;
    yield { type: "reasoning-delta", id: progress, delta: line };
  }
  if (open !== undefined) yield { type: open === answer ? "text-end" : "reasoning-end", id: open };
  const outcome = await run.outcome;
  if (!("text" in outcome)) {
    signal?.throwIfAborted();
    yield { type: "error", error: outcomeError(outcome) };
  }
  yield { type: "finish", ...modelEnding(outcome) };
}
