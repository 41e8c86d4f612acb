import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
} from "@ai-sdk/provider";
import { type Clock, systemClock } from "../runtime.ts";
import { connectionReset, gatherParts, statusError, streamParts } from "./model-parts.ts";
import { questionOf } from "./model-question.ts";
import { play, untilAbort } from "./playback.ts";
import type { DoubleCall, Script } from "./script.ts";
import { scriptReader, type VariationOptions } from "./script-reader.ts";

export interface ScriptedModelOptions extends VariationOptions {
  /** Its `modelId`. @default "scripted" */
  readonly id?: string | undefined;
  /** @default "scripted" */
  readonly provider?: string | undefined;
  /** Drives `firstMs`, `chunkMs` and pings, and stamps the calls. @default the system's own */
  readonly clock?: Clock | undefined;
}

/** A call that a scripted model got. */
export interface ModelCall extends DoubleCall {
  /** When it came, in milliseconds of the model's clock. */
  readonly startedAt: number;
  /** When it was over: read to its end, failed, aborted or cancelled. Absent while it is in flight. */
  readonly endedAt?: number;
}

/** A model without a provider: it says what a script says, as a stream, in process, and keeps a record of what it was asked. */
export interface ScriptedModel extends LanguageModelV4 {
  /** In the order in which they came. A call whose signal was aborted before it began is none. */
  readonly calls: readonly ModelCall[];
  /** Calls that are not over. A stream that nobody reads to its end stays in flight. */
  readonly inFlight: number;
  /** The most calls that ever were in flight at once. */
  readonly maxInFlight: number;
}

/**
 * A `LanguageModelV4` that answers from a script. It answers differently every time it is asked the same, as models do
 * (`vary: false` turns that off), carries out every `Fault`, and rejects calls that the script does not foresee with an
 * `UnscriptedCallError`. Streams are read at the reader's pace: a slow reader slows it.
 */
export function scriptedModel(script: Script, options: ScriptedModelOptions = {}): ScriptedModel {
  const { id = "scripted", provider = "scripted", clock = systemClock } = options;
  const reader = scriptReader(script, options);
  const calls: { -readonly [K in keyof ModelCall]: ModelCall[K] }[] = [];
  let inFlight = 0;
  let maxInFlight = 0;

  const begin = (callOptions: LanguageModelV4CallOptions): Flight => {
    const caller = callOptions.abortSignal;
    caller?.throwIfAborted();
    const abort = new AbortController();
    const onAbort = (): void => abort.abort(caller?.reason);
    caller?.addEventListener("abort", onAbort, { once: true });
    const call = reader.ask(questionOf(id, callOptions, abort.signal));
    const record: (typeof calls)[number] = { ...call, startedAt: clock.now() };
    calls.push(record);
    maxInFlight = Math.max(maxInFlight, ++inFlight);
    const end = (): void => {
      if (record.endedAt !== undefined) return;
      record.endedAt = clock.now();
      inFlight--;
      caller?.removeEventListener("abort", onAbort);
    };
    return { call, abort, end };
  };

  /** Up to where a provider has the response's headers. */
  const open = async ({ call, abort: { signal } }: Flight): Promise<Opened> => {
    const reply = await Promise.race([reader.answer(call), untilAbort(signal)]);
    const beats = play(reply, clock, signal);
    const first = await beats.next();
    if (first.value?.kind === "status") throw statusError(first.value, reply, call);
    if (first.value?.kind === "reset") throw connectionReset(call);
    return { parts: streamParts(beats, reply, call), headers: { ...reply.headers } };
  };

  return {
    specificationVersion: "v4",
    provider,
    modelId: id,
    supportedUrls: {},
    calls,
    get inFlight() {
      return inFlight;
    },
    get maxInFlight() {
      return maxInFlight;
    },
    async doStream(callOptions: LanguageModelV4CallOptions): Promise<LanguageModelV4StreamResult> {
      const flight = begin(callOptions);
      try {
        const { parts, headers } = await open(flight);
        return { stream: streamOf(parts, flight), response: { headers } };
      } catch (error) {
        flight.end();
        throw error;
      }
    },
    async doGenerate(callOptions: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
      const flight = begin(callOptions);
      try {
        const { parts, headers } = await open(flight);
        return await gatherParts(parts, headers, flight.call);
      } finally {
        flight.end();
      }
    },
  };
}

interface Flight {
  readonly call: DoubleCall;
  readonly abort: AbortController;
  readonly end: () => void;
}

interface Opened {
  readonly parts: AsyncGenerator<LanguageModelV4StreamPart, void>;
  readonly headers: Record<string, string>;
}

/** Without a buffer, so that an abort voids whatever was not yet read, as it does on a connection. */
function streamOf(parts: Opened["parts"], { abort, end }: Flight): ReadableStream<LanguageModelV4StreamPart> {
  const { signal } = abort;
  return new ReadableStream<LanguageModelV4StreamPart>(
    {
      start(controller) {
        const onAbort = (): void => {
          end();
          controller.error(signal.reason);
        };
        if (signal.aborted) onAbort();
        else signal.addEventListener("abort", onAbort, { once: true });
      },
      async pull(controller) {
        try {
          const { done, value } = await parts.next();
          if (signal.aborted) return;
          if (!done) controller.enqueue(value);
          if (!done && value.type !== "finish") return;
          end();
          controller.close();
        } catch (error) {
          end();
          controller.error(error);
        }
      },
      cancel(reason) {
        end();
        abort.abort(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
