import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import { abortReason, DivvyError } from "../errors.ts";
import type { ModelTable } from "../models/model.ts";
import type { Clock } from "../runtime.ts";
import { noUsage, presumedUsage, type SpentUsage } from "../usage.ts";
import { withCacheMark } from "./cache-mark.ts";
import type { CallRequest, CallResult, Calls, SentContext } from "./call.ts";
import { classify, isProvidersWord } from "./classify.ts";
import { AttemptFailure } from "./attempt-failure.ts";
import { ContentBuilder } from "./content-builder.ts";
import { estimateInput, estimateText } from "./estimate.ts";
import { isAnthropic, withThinkingInCap } from "./thinking.ts";

/**
 * The innermost layer: one request to a provider, by its `doStream`, read to the end. Everything that can go wrong with it
 * becomes an `AttemptFailure`, which says what it was, what had arrived, and what it used.
 */
export function sent(models: ModelTable, clock: Clock): Calls<SentContext> {
  return async (request, ctx) => {
    const { model, mask } = models(request.model);
    const judged = (thrown: unknown, opened: boolean): DivvyError => classify(thrown, request.model, { opened, mask, now: clock.now() });
    const content = new ContentBuilder();
    let left = false;
    let accepted = false;
    let finish: { readonly reason: LanguageModelV4FinishReason; readonly usage: LanguageModelV4Usage } | undefined;
    let reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart> | undefined;

    let headers: Readonly<Record<string, string>> | undefined;
    let begun = false;

    const failure = (error: DivvyError, isStopped = false): AttemptFailure => {
      const partialText = content.text;
      const told = (error.code === "stream_broken" && content.isEmpty && notAStream(request.model, headers)) || error;
      const shown = partialText === "" ? told : told.with({ partialText });
      const usage = left && (accepted || isStopped || mayHaveReached(error)) ? brokenUsage(finish?.usage, request, content) : noUsage;
      return new AttemptFailure(shown, { accepted, usage });
    };

    // Not every provider listens to the signal: cancelling the reader ends a pending read at once, whoever is behind it.
    const onAbort = (): void => void reader?.cancel(ctx.signal.reason).catch(() => undefined);
    ctx.signal.addEventListener("abort", onAbort, { once: true });

    try {
      const open = (): PromiseLike<LanguageModelV4StreamResult> => {
        left = true;
        return model.doStream(callOptions(request, ctx.signal, model));
      };
      const { stream, response } = await openStream(open, ctx.signal);
      accepted = true;
      headers = response?.headers;
      reader = stream.getReader();
      // Whoever aborted between the stream's opening and here found no reader to cancel.
      ctx.signal.throwIfAborted();
      ctx.onAccepted(headers);
      for (;;) {
        const { done, value: part } = await reader.read();
        if (done) break;
        ctx.alive();
        if (!begun && firstOfReply.has(part.type)) {
          begun = true;
          ctx.onBegun();
        }
        if (part.type === "text-delta" || part.type === "reasoning-delta") {
          content.add(part);
          if (part.delta !== "") ctx.onPart?.({ type: part.type === "text-delta" ? "text" : "reasoning", delta: part.delta });
        } else if (part.type === "finish") {
          finish = { reason: part.finishReason, usage: part.usage };
        } else if (part.type === "error") {
          // What a provider says first of all is a rejection; some packages throw it from `doStream` themselves.
          if (content.isEmpty && isProvidersWord(part.error)) accepted = false;
          throw failure(judged(part.error, true));
        } else {
          content.add(part);
        }
      }
    } catch (thrown) {
      // The connection must not outlive the call, whoever ended it.
      void reader?.cancel().catch(() => undefined);
      if (thrown instanceof AttemptFailure) throw thrown;
      if (ctx.signal.aborted) throw failure(abortReason(ctx.signal), true);
      throw failure(judged(thrown, accepted));
    } finally {
      ctx.signal.removeEventListener("abort", onAbort);
    }

    if (ctx.signal.aborted) throw failure(abortReason(ctx.signal), true);
    if (finish === undefined || finish.reason.unified === "interrupted") {
      throw failure(new DivvyError("stream_broken", `The reply of ${request.model} ended without saying that it is complete.`));
    }
    return {
      content: content.parts,
      finishReason: finish.reason,
      usage: usageOf(finish.usage, request, content),
      attempts: ctx.attempt,
      cached: false,
    } satisfies CallResult;
  };
}

/** What comes before these is about the stream: it says nothing of how far the model has read. */
const firstOfReply: ReadonlySet<LanguageModelV4StreamPart["type"]> = new Set([
  "text-start",
  "text-delta",
  "reasoning-start",
  "reasoning-delta",
  "tool-input-start",
]);

/** Opens a stream, or gives up waiting for it when the signal aborts; one that opens all the same is closed unread. */
function openStream(open: () => PromiseLike<LanguageModelV4StreamResult>, signal: AbortSignal): Promise<LanguageModelV4StreamResult> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    if (signal.aborted) return giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    const done = (): void => signal.removeEventListener("abort", giveUp);
    // What it throws before it gives a promise is a rejection like any other.
    new Promise<LanguageModelV4StreamResult>((opened) => opened(open())).then(
      (result) => {
        done();
        if (signal.aborted) void result.stream.cancel(signal.reason).catch(() => undefined);
        resolve(result);
      },
      (thrown: unknown) => {
        done();
        reject(thrown);
      },
    );
  });
}

/** A proxy's page, or an error sent as a success: providers' packages make of it a stream with nothing in it. */
function notAStream(model: string, headers: Readonly<Record<string, string>> | undefined): DivvyError | undefined {
  const [type = ""] = (headers?.["content-type"] ?? "").split(";");
  if (!/^(?:text\/html|text\/plain|application\/json)$/i.test(type.trim())) return undefined;
  return new DivvyError("invalid_response", `${model} answered with ${type.trim()}, which is no stream.`);
}

function callOptions(request: CallRequest, signal: AbortSignal, model: LanguageModelV4): LanguageModelV4CallOptions {
  const { responseFormat, tools } = request;
  const { providerOptions, ...plain } = withThinkingInCap(request.settings, model);
  const anthropic = isAnthropic(model.provider);
  return {
    prompt: anthropic ? withCacheMark(request.messages) : request.messages,
    ...plain,
    ...(responseFormat && { responseFormat }),
    ...(tools && { tools: [...tools] }),
    abortSignal: signal,
    // Anthropic's pings are a sign of life, and shown only on request; they do not change the answer.
    ...(anthropic
      ? { providerOptions: { ...providerOptions, anthropic: { includePings: true, ...providerOptions?.["anthropic"] } } }
      : providerOptions && { providerOptions }),
  };
}

/** Where there was no connection, there was no request. */
const neverConnected: ReadonlySet<string> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

/** May the provider have been at work, though it never said so? Then it took the request on, and the connection was lost. */
export function mayHaveReached({ code, evidence }: DivvyError): boolean {
  return code === "connection_failed" && !neverConnected.has(evidence?.systemCode ?? "");
}

/** What an attempt used that broke off: what it reported, if it got so far, else what was sent and what had come, presumed. */
function brokenUsage(reported: LanguageModelV4Usage | undefined, request: CallRequest, content: ContentBuilder): SpentUsage {
  if (reported !== undefined) return usageOf(reported, request, content);
  return presumedUsage({ inputTokens: estimateInput(request), outputTokens: estimateText(content.allText) });
}

/** As reported; what a provider does not report is estimated from the text, and marked. */
function usageOf(reported: LanguageModelV4Usage, request: CallRequest, content: ContentBuilder): SpentUsage {
  const input = reported.inputTokens.total;
  const output = reported.outputTokens.total;
  const inputTokens = input ?? estimateInput(request);
  const outputTokens = output ?? estimateText(content.allText);
  return {
    inputTokens,
    inputTokenDetails: {
      noCacheTokens: reported.inputTokens.noCache,
      cacheReadTokens: reported.inputTokens.cacheRead,
      cacheWriteTokens: reported.inputTokens.cacheWrite,
    },
    outputTokens,
    outputTokenDetails: { textTokens: reported.outputTokens.text, reasoningTokens: reported.outputTokens.reasoning },
    totalTokens: inputTokens + outputTokens,
    estimatedTokens: (input === undefined ? inputTokens : 0) + (output === undefined ? outputTokens : 0),
    presumedTokens: 0,
  };
}
