import { basename } from "node:path";
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamResult } from "@ai-sdk/provider";
import { DivvyError } from "../../errors.ts";
import type { Engine, LoadEngine, Sampling } from "./engine.ts";
import { type EngineLease, leaseEngine } from "./engine-lease.ts";
import { loadLlamaEngine } from "./llama-engine.ts";
import { collectReply, replyStream } from "./reply-stream.ts";
import { shapeOf } from "./shape.ts";
import { turnsOf } from "./turns.ts";

export interface LocalModelOptions {
  /** A GGUF file. */
  readonly path: string;
  /** @default the file's name, without `.gguf` */
  readonly modelId?: string;
  /** Loads the file. @default through node-llama-cpp */
  readonly load?: LoadEngine;
}

/** A model in this process. Loaded with its first call; what it holds is freed by `dispose`, and does not keep the process alive. */
export interface LocalModel extends LanguageModelV4, AsyncDisposable {
  dispose(): Promise<void>;
}

/**
 * What a call leaves open: the likeliest word each time, which a small model does best with, and alike each time; what was written
 * lately is a little less likely.
 */
const defaultSampling: Sampling = { temperature: 0, seed: 1, repeatPenalty: 1.1 };

/** A reply needs some room, however long its cap: with less left than this, the prompt is too long. */
const LEAST_ROOM = 256;

export function localModel(options: LocalModelOptions): LocalModel {
  const { path, modelId = basename(path).replace(/\.gguf$/i, ""), load = loadLlamaEngine } = options;
  let lease: EngineLease | undefined;
  const engineOf = (): Promise<Engine> => {
    lease ??= leaseEngine(path, load);
    const current = lease;
    return current.engine.catch((thrown: unknown) => {
      if (lease === current) lease = undefined;
      throw thrown;
    });
  };
  const dispose = async (): Promise<void> => {
    const held = lease;
    lease = undefined;
    await held?.release();
  };
  const doStream = async (call: LanguageModelV4CallOptions): Promise<LanguageModelV4StreamResult> => {
    call.abortSignal?.throwIfAborted();
    const turns = turnsOf(call.prompt);
    const shape = shapeOf(call);
    const engine = await engineOf();
    call.abortSignal?.throwIfAborted();
    const inputTokens = engine.countTokens(turns);
    const stream = replyStream(
      engine,
      {
        turns,
        maxTokens: roomFor(inputTokens, call.maxOutputTokens, engine),
        sampling: samplingOf(call),
        ...(shape && { shape }),
        ...(call.stopSequences?.length && { stopSequences: call.stopSequences }),
      },
      { modelId, inputTokens, unsupported: call.tools?.length ? ["tools"] : [], ...(call.abortSignal && { signal: call.abortSignal }) },
    );
    return { stream };
  };
  return {
    specificationVersion: "v4",
    provider: "local",
    modelId,
    supportedUrls: {},
    doStream,
    doGenerate: async (call) => collectReply((await doStream(call)).stream),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** How long the reply may become. A cap beyond the window means the window; a prompt that leaves no room is refused. */
function roomFor(inputTokens: number, cap: number | undefined, { contextSize }: Engine): number {
  const room = contextSize - inputTokens - 1;
  const wanted = cap ?? room;
  if (room >= Math.min(wanted, LEAST_ROOM)) return Math.min(wanted, room);
  throw new DivvyError("too_large", `The prompt has ${inputTokens} tokens; the local model holds ${contextSize}, its reply of up to ${wanted} included.`);
}

function samplingOf({ temperature, seed, frequencyPenalty, presencePenalty, topP, topK }: LanguageModelV4CallOptions): Sampling {
  return {
    ...defaultSampling,
    ...(temperature !== undefined && { temperature }),
    ...(seed !== undefined && { seed }),
    ...(frequencyPenalty !== undefined && { frequencyPenalty }),
    ...(presencePenalty !== undefined && { presencePenalty }),
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
  };
}
