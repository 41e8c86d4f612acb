import { abortReason, DivvyError, errorCodes, toDivvyError } from "../errors.ts";
import { type Runtime, sleep } from "../runtime.ts";
import { refOf } from "../role.ts";
import { sentence } from "../sentence.ts";
import { AttemptFailure } from "./attempt-failure.ts";
import { type AttemptContext, type CallContext, type CallRequest, type CallResult, type Calls, textOf } from "./call.ts";

export interface RetryRules {
  /** Tries of one call at most, the first included. */
  readonly attempts: number;
  /** The pause before the second try; each further one is twice as long. In milliseconds. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

/**
 * Tries again what failed and may succeed, and judges what came back: a reply counts only if it is whole. It alone retries.
 * Between tries it waits without holding anything.
 */
export function attempted(
  retry: RetryRules,
  { clock, random }: Pick<Runtime, "clock" | "random">,
): <Result extends CallResult>(next: Calls<AttemptContext, Result>) => Calls<CallContext, Result> {
  return (next) => async (request, ctx) => {
    let asked = request;
    let cut: DivvyError | undefined;
    let last: DivvyError | undefined;
    for (let attempt = 1; ; attempt++) {
      if (attempt > 1) ctx.onPart?.({ type: "attempt", attempt });
      const tried = await tryOnce(next, asked, { ...ctx, attempt }, last);
      if (tried.ok) return { ...tried.result, attempts: attempt };

      // A cap that the model does not take is ours; what it answered to is the lower one.
      const error = tried.error.code === "bad_request" && cut !== undefined ? cut : tried.error;
      if (ctx.signal.aborted) throw abortReason(ctx.signal).with({ ...error.evidence, attempts: attempt });
      const longer = error.code === "output_truncated" && asked === request ? withDoubleCap(request) : undefined;
      const again = attempt < retry.attempts && (error.retryable || longer !== undefined) && (ctx.mayRestart?.() ?? true);
      const pauseMs = again && longer === undefined ? pauseBefore(attempt + 1, retry, random) : 0;
      last = error;
      emitFailure(ctx, attempt, error, again ? pauseMs : undefined);
      if (!again) throw error.with({ attempts: attempt });
      if (longer !== undefined) {
        asked = longer;
        cut = error;
      }
      await sleep(clock, pauseMs, ctx.signal).catch(() => {
        throw abortReason(ctx.signal).with({ ...error.evidence, attempts: attempt });
      });
      // Text may have left during the pause.
      if (!(ctx.mayRestart?.() ?? true)) throw error.with({ attempts: attempt });
    }
  };
}

type Tried<Result> = { readonly ok: true; readonly result: Result } | { readonly ok: false; readonly error: DivvyError };

async function tryOnce<Result extends CallResult>(
  next: Calls<AttemptContext, Result>,
  request: CallRequest,
  ctx: AttemptContext,
  last: DivvyError | undefined,
): Promise<Tried<Result>> {
  try {
    const result = await next(request, ctx);
    const error = judge(result, request, ctx);
    return error === undefined ? { ok: true, result } : { ok: false, error };
  } catch (thrown) {
    if (thrown instanceof AttemptFailure) return { ok: false, error: thrown.error };
    if (last !== undefined && thrown instanceof DivvyError && thrown.code === "budget_exhausted") throw withoutMoreTries(last, thrown, ctx.attempt - 1);
    // It was never let out: what counts is the tries before it.
    throw (ctx.signal.aborted ? abortReason(ctx.signal) : toDivvyError(thrown)).with({ attempts: ctx.attempt - 1 });
  }
}

/** What went wrong is the failure before; that nothing is left for a further try comes on top of it. */
function withoutMoreTries(last: DivvyError, { evidence }: DivvyError, attempts: number): DivvyError {
  return new DivvyError(last.code, `${sentence(last.message)} The run's budget did not allow another try.`, {
    hint: errorCodes.budget_exhausted.hint,
    retryable: last.retryable,
    evidence: { ...last.evidence, attempts, budget: evidence?.budget ?? {} },
    cause: last,
  });
}

/** Why a reply does not count, however much text it carries; nothing where it does. */
function judge(result: CallResult, request: CallRequest, ctx: CallContext): DivvyError | undefined {
  const { unified, raw } = result.finishReason;
  const text = textOf(result);
  const nothing = (ctx.rules.isEmpty ?? isBlank)(text);
  const evidence = { ...(text !== "" && { partialText: text }), ...(raw !== undefined && { finishReason: raw }) };
  switch (unified) {
    case "stop":
    case "tool-calls":
      break;
    case "length": {
      const reasoning = result.usage.outputTokenDetails.reasoningTokens;
      if (ctx.rules.allowLength && !nothing) return undefined;
      return new DivvyError("output_truncated", truncated(request, reasoning), {
        evidence: { ...evidence, ...(reasoning !== undefined && { reasoningTokens: reasoning }) },
      });
    }
    case "content-filter":
      return isRefusal(raw)
        ? new DivvyError("refused", `${request.model} refused to answer.`, { evidence })
        : new DivvyError("content_filter", `The content filter stopped the reply of ${request.model}.`, { evidence });
    default:
      return new DivvyError("stream_broken", `${request.model} ended its reply with "${raw ?? unified}".`, { evidence });
  }
  // Who was offered no tools and calls one has answered nothing.
  const callsTool = request.tools !== undefined && result.content.some(({ type }) => type === "tool-call");
  if (nothing && !callsTool && !ctx.rules.allowEmpty) {
    return new DivvyError("empty_response", `${request.model} answered with no text.`, { evidence });
  }
  return undefined;
}

function isBlank(text: string): boolean {
  return text.trim() === "";
}

/** Anthropic names a model's refusal; OpenAI's ends with "stop" or without a reason, and the AI SDK tells the two apart. */
function isRefusal(raw: string | undefined): boolean {
  return raw === "refusal" || raw === "stop" || raw === undefined;
}

function truncated(request: CallRequest, reasoning: number | undefined): string {
  const spent = reasoning ? `, ${reasoning} of them for reasoning` : "";
  return `${request.model} used up its ${request.settings.maxOutputTokens} output tokens${spent}, and its reply was cut.`;
}

function withDoubleCap(request: CallRequest): CallRequest {
  return { ...request, settings: { ...request.settings, maxOutputTokens: request.settings.maxOutputTokens * 2 } };
}

/** Exponential, with jitter over the upper half, so that calls which failed together do not come back together. */
function pauseBefore(attempt: number, { backoffMs, maxBackoffMs }: RetryRules, random: () => number): number {
  return Math.min(maxBackoffMs, backoffMs * 2 ** (attempt - 2)) * (0.5 + random() / 2);
}

function emitFailure(ctx: CallContext, attempt: number, error: DivvyError, retryInMs: number | undefined): void {
  (ctx.books ?? ctx.run).emit({
    type: "attempt.failed",
    ...refOf(ctx),
    attempt,
    error: error.toJSON(),
    ...(retryInMs !== undefined && { retryInMs: Math.round(retryInMs) }),
  });
}
