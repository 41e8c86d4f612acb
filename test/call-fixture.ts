import type {
  LanguageModelV4,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import { DivvyError } from "../src/errors.ts";
import type { EventBody } from "../src/events.ts";
import type { Model, ModelTable } from "../src/models/model.ts";
import type { SpentUsage } from "../src/usage.ts";
import { AttemptFailure } from "../src/calls/attempt-failure.ts";
import { type CallContext, type CallPart, type CallRequest, type CallResult, ranks, type SentContext } from "../src/calls/call.ts";
import type { RunScope } from "../src/calls/run-scope.ts";

/** What the tests of the layers have in common: calls, runs and models that are as plain as can be. */

export function aRequest(change: Partial<CallRequest> = {}): CallRequest {
  return {
    model: "test:model",
    messages: [{ role: "user", content: [{ type: "text", text: "Write a line." }] }],
    settings: { maxOutputTokens: 100 },
    sample: 0,
    ...change,
  };
}

export interface TestRun extends RunScope {
  readonly events: readonly EventBody[];
  /** The events of one type, in order. */
  of<T extends EventBody["type"]>(type: T): Extract<EventBody, { type: T }>[];
}

export function aRun(concurrency = 100): TestRun {
  const events: EventBody[] = [];
  return {
    runId: "run-1",
    concurrency,
    cache: "run-1",
    committed: () => Promise.resolve(),
    emit: (event) => void events.push(event),
    events,
    of: <T extends EventBody["type"]>(type: T) => events.filter((event): event is Extract<EventBody, { type: T }> => event.type === type),
  };
}

export const rules: CallContext["rules"] = { totalMs: 300_000, idleMs: 120_000, allowLength: false, allowEmpty: false };

export function aContext(change: Partial<CallContext> = {}): CallContext {
  return { run: aRun(), role: "worker", subtaskId: "s1", rank: ranks.work, signal: new AbortController().signal, rules, ...change };
}

export function aSentContext(change: Partial<SentContext> = {}): SentContext {
  return { ...aContext(), attempt: 1, onAccepted: () => undefined, onBegun: () => undefined, alive: () => undefined, ...change };
}

/** Collects the parts of a call, deltas put together: `"attempt 2"`, `"text: …"`. */
export function partsSeen(): { readonly onPart: (part: CallPart) => void; readonly seen: () => string[]; readonly parts: readonly CallPart[] } {
  const parts: CallPart[] = [];
  return {
    onPart: (part) => void parts.push(part),
    parts,
    seen: () => parts.map((part) => (part.type === "attempt" ? `attempt ${part.attempt}` : `${part.type}: ${part.delta}`)),
  };
}

export function tableOf(model: LanguageModelV4, change: Partial<Model> = {}): ModelTable {
  return (id) => ({ id, model, lane: "lane", credential: "credential", baseUrl: "https://test.invalid/v1", price: async () => () => 0.25, ...change });
}

export type Opening = (options: Parameters<LanguageModelV4["doStream"]>[0]) => PromiseLike<LanguageModelV4StreamResult>;

export function modelThat(doStream: Opening, provider = "test"): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider,
    modelId: "model",
    supportedUrls: {},
    doStream,
    doGenerate: () => Promise.reject(new Error("The pipeline streams.")),
  };
}

/** A model whose stream consists of these parts, and ends; what is an `Error` is thrown there. */
export function modelOf(parts: readonly (LanguageModelV4StreamPart | Error)[], headers?: Record<string, string>): LanguageModelV4 {
  return modelThat(async () => ({
    stream: streamOf(parts),
    ...(headers && { response: { headers } }),
  }));
}

/** Without a buffer: an error would void what is in it. */
function streamOf(parts: readonly (LanguageModelV4StreamPart | Error)[]): ReadableStream<LanguageModelV4StreamPart> {
  let at = 0;
  return new ReadableStream(
    {
      pull(controller) {
        const part = parts[at++];
        if (part === undefined) controller.close();
        else if (part instanceof Error) controller.error(part);
        else controller.enqueue(part);
      },
    },
    { highWaterMark: 0 },
  );
}

export function text(delta: string, id = "0"): LanguageModelV4StreamPart[] {
  return [
    { type: "text-start", id },
    { type: "text-delta", id, delta },
    { type: "text-end", id },
  ];
}

export function usageSaid(input: number | undefined, output: number | undefined, reasoning?: number): LanguageModelV4Usage {
  return {
    inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: output, text: undefined, reasoning },
  };
}

export function finish(unified: LanguageModelV4FinishReason["unified"] = "stop", usage: LanguageModelV4Usage = usageSaid(10, 5)): LanguageModelV4StreamPart {
  return { type: "finish", finishReason: { unified, raw: unified }, usage };
}

/** What an attempt books beforehand. */
export const reserved = { inputTokens: 12, outputTokens: 100 };

export function spent(input: number, output: number, reasoningTokens?: number): SpentUsage {
  return {
    inputTokens: input,
    inputTokenDetails: { noCacheTokens: input, cacheReadTokens: undefined, cacheWriteTokens: undefined },
    outputTokens: output,
    outputTokenDetails: { textTokens: undefined, reasoningTokens },
    totalTokens: input + output,
    estimatedTokens: 0,
    presumedTokens: 0,
  };
}

/** A reply as the lower layers give it. */
export function aResult(said: string, change: Partial<CallResult> = {}): CallResult {
  return {
    content: said === "" ? [] : [{ type: "text", text: said }],
    finishReason: { unified: "stop", raw: "stop" },
    usage: spent(10, 5),
    attempts: 1,
    cached: false,
    ...change,
  };
}

export function failed(code: DivvyError["code"], evidence: DivvyError["evidence"] = {}, accepted = true): AttemptFailure {
  return new AttemptFailure(new DivvyError(code, `It failed: ${code}.`, { evidence }), { accepted, usage: accepted ? spent(10, 0) : spent(0, 0) });
}

/** What a promise rejects with; itself an error where it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (thrown) {
    return thrown;
  }
  throw new Error("It was fulfilled.");
}

/** The `DivvyError` that a promise rejects with, a failed attempt's own included. */
export async function errorOf(promise: Promise<unknown>): Promise<DivvyError> {
  const thrown = await rejection(promise);
  if (thrown instanceof AttemptFailure) return thrown.error;
  if (thrown instanceof DivvyError) return thrown;
  throw new Error("It rejected with no DivvyError.", { cause: thrown });
}

/** Lets every microtask run. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
