import type {
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { DivvyError } from "../../errors.ts";
import type { Engine, WritingJob, Written } from "./engine.ts";

export interface ReplyFacts {
  readonly modelId: string;
  readonly inputTokens: number;
  /** Features of the call that are left aside. */
  readonly unsupported: readonly string[];
  readonly signal?: AbortSignal;
}

/** A reply as the parts of a stream, each as soon as it is written. An abort ends the stream at once. */
export function replyStream(engine: Engine, job: Omit<WritingJob, "signal" | "onText">, facts: ReplyFacts): ReadableStream<LanguageModelV4StreamPart> {
  const left = new AbortController();
  const signal = facts.signal ? AbortSignal.any([facts.signal, left.signal]) : left.signal;
  return new ReadableStream({
    start(controller) {
      // The token under way is not waited for.
      signal.addEventListener("abort", () => controller.error(signal.reason), { once: true });
      const emit = (part: LanguageModelV4StreamPart): void => {
        if (!signal.aborted) controller.enqueue(part);
      };
      emit({ type: "stream-start", warnings: facts.unsupported.map((feature): SharedV4Warning => ({ type: "unsupported", feature })) });
      emit({ type: "response-metadata", modelId: facts.modelId });
      const blocks = new Blocks(emit);
      engine.write({ ...job, signal, onText: (kind, delta) => blocks.add(kind, delta) }).then(
        (written) => {
          if (signal.aborted) return;
          blocks.end();
          emit({ type: "finish", finishReason: finishReasonOf(written), usage: usageOf(facts.inputTokens, written) });
          controller.close();
        },
        (thrown: unknown) => controller.error(failureOf(thrown)),
      );
    },
    cancel(reason) {
      left.abort(reason);
    },
  });
}

/** Text and reasoning, as blocks that are opened and closed. */
class Blocks {
  readonly #emit: (part: LanguageModelV4StreamPart) => void;
  #open: { readonly kind: "text" | "reasoning"; readonly id: string } | undefined;
  #count = 0;

  constructor(emit: (part: LanguageModelV4StreamPart) => void) {
    this.#emit = emit;
  }

  add(kind: "text" | "reasoning", delta: string): void {
    if (this.#open?.kind !== kind) this.end();
    const block = this.#open ?? this.#begin(kind);
    this.#emit({ type: `${kind}-delta`, id: block.id, delta });
  }

  end(): void {
    if (this.#open) this.#emit({ type: `${this.#open.kind}-end`, id: this.#open.id });
    this.#open = undefined;
  }

  #begin(kind: "text" | "reasoning"): { readonly id: string } {
    this.#open = { kind, id: String(this.#count++) };
    this.#emit({ type: `${kind}-start`, id: this.#open.id });
    return this.#open;
  }
}

function finishReasonOf({ stop }: Written): LanguageModelV4FinishReason {
  return { unified: stop === "length" ? "length" : "stop", raw: stop };
}

function usageOf(inputTokens: number, { outputTokens, reasoningTokens }: Written): LanguageModelV4Usage {
  return {
    inputTokens: { total: inputTokens, noCache: inputTokens, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: outputTokens, text: outputTokens - reasoningTokens, reasoning: reasoningTokens },
  };
}

function failureOf(thrown: unknown): DivvyError {
  if (thrown instanceof DivvyError) return thrown;
  return new DivvyError("local_model", `The local model failed while it wrote: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
    cause: thrown,
  });
}

/** The whole reply at once. */
export async function collectReply(stream: ReadableStream<LanguageModelV4StreamPart>): Promise<LanguageModelV4GenerateResult> {
  const content: { type: "text" | "reasoning"; text: string }[] = [];
  let warnings: SharedV4Warning[] = [];
  let modelId: string | undefined;
  for await (const part of stream) {
    if (part.type === "stream-start") warnings = part.warnings;
    else if (part.type === "response-metadata") modelId = part.modelId;
    else if (part.type === "text-start") content.push({ type: "text", text: "" });
    else if (part.type === "reasoning-start") content.push({ type: "reasoning", text: "" });
    else if (part.type === "text-delta" || part.type === "reasoning-delta") {
      const last = content.at(-1);
      if (last) last.text += part.delta;
    } else if (part.type === "finish") {
      return { content, finishReason: part.finishReason, usage: part.usage, warnings, ...(modelId !== undefined && { response: { modelId } }) };
    }
  }
  throw new DivvyError("stream_broken", "The local model's reply ended without saying that it is complete.");
}
