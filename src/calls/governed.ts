import { DivvyError } from "../errors.ts";
import type { Governor } from "../governor/governor.ts";
import type { ModelTable } from "../models/model.ts";
import type { Clock } from "../runtime.ts";
import { noUsage, type PriceOf, type SpentUsage } from "../usage.ts";
import { AttemptFailure } from "./attempt-failure.ts";
import type { CallRef } from "../role.ts";
import { estimateInput } from "./estimate.ts";
import type { AdmittedContext, AttemptContext, Calls } from "./call.ts";

/** An overloaded provider is waited for as if it had throttled, for this long; then it is a failed attempt. */
const overloadPatienceMs = 60_000;

export interface GovernedOptions {
  readonly governor: Governor;
  readonly models: ModelTable;
  readonly clock: Clock;
  /** How long an attempt may wait for admission, over all its requeues, in milliseconds. */
  readonly admissionMs: number;
}

/**
 * Lets an attempt out when the governor admits it, and books what it used. An attempt that the provider throttled goes back to
 * the queue with its old age: it does not count as a try.
 */
export function governed({ governor, models, clock, admissionMs }: GovernedOptions): (next: Calls<AdmittedContext>) => Calls<AttemptContext> {
  return (next) => async (request, ctx) => {
    const { lane, credential, maxConcurrency, price: listed } = models(request.model);
    const stated = ctx.rules.price;
    const price = stated === undefined ? listed : () => Promise.resolve(stated);
    const ref: CallRef = { role: ctx.role, ...(ctx.subtaskId !== undefined && { subtaskId: ctx.subtaskId }) };
    const books = ctx.books ?? ctx.run;
    const since = clock.now();
    const until = since + admissionMs;
    const reserved = { inputTokens: estimateInput(request.messages), outputTokens: request.settings.maxOutputTokens };
    let overloadedSince: number | undefined;

    const settle = async (usage: SpentUsage): Promise<void> => {
      const cost = usage.totalTokens === 0 ? 0 : await costOf(usage, price);
      books.emit({ type: "attempt.settled", ...ref, attempt: ctx.attempt, usage, ...(cost !== undefined && { cost }) });
    };

    for (let requeues = 0; ; requeues++) {
      const permit = await governor.admit({
        lane,
        credential,
        maxConcurrency,
        run: ctx.run,
        rank: ctx.rank,
        since,
        signal: ctx.signal,
        until,
        demand: reserved,
        model: request.model,
      });
      books.emit({ type: "attempt.started", ...ref, attempt: ctx.attempt, model: request.model, requeues, reserved });
      const onAccepted: AdmittedContext["onAccepted"] = (headers) => {
        permit.accepted(headers);
        // The price list is heavy to load: while the model writes, nobody waits for it.
        void price().catch(() => undefined);
      };
      try {
        // From here on it may cost: whoever comes after a crash must know of it.
        await books.committed();
        const result = await next(request, { ...ctx, onAccepted });
        permit.release();
        await settle(result.usage);
        return result;
      } catch (thrown) {
        if (!(thrown instanceof AttemptFailure)) {
          permit.release();
          // It never left.
          await settle(noUsage);
          throw thrown;
        }
        const { error } = thrown;
        if (!isThrottled(thrown)) {
          if (endsCredential(error)) permit.refused(error);
          else permit.release();
          await settle(thrown.usage);
          throw thrown;
        }
        const reopens = permit.throttled(error.evidence?.retryAfterMs);
        await settle(thrown.usage);
        if (error.code === "overloaded") {
          overloadedSince ??= clock.now();
          if (reopens - overloadedSince > overloadPatienceMs) throw thrown;
        }
        books.emit({ type: "governor.throttled", ...ref, model: request.model, reason: error.code, until: reopens });
        if (reopens > until) throw new AttemptFailure(tooLong(error, reopens - clock.now(), admissionMs), thrown);
      }
    }
  };
}

/** Sent back before it was begun: too many requests, or a server that is overloaded just now. */
function isThrottled({ error, accepted }: AttemptFailure): boolean {
  return !accepted && (error.code === "rate_limited" || error.code === "overloaded");
}

/** A spending cap, or a key that is not taken: no model under this credential will answer. A 403 may be about the one model. */
function endsCredential({ code, evidence }: DivvyError): boolean {
  return code === "quota_exhausted" || (code === "authentication" && evidence?.status !== 403);
}

function tooLong(error: DivvyError, waitMs: number, admissionMs: number): DivvyError {
  const message = `${error.message} It asks to wait ${Math.ceil(waitMs / 1000)} s, longer than the ${Math.ceil(admissionMs / 1000)} s that a call may wait here.`;
  return new DivvyError(error.code, message, { retryable: false, evidence: { ...error.evidence }, cause: error });
}

/** A price that cannot be had is no reason to lose a reply that is paid already. */
async function costOf(usage: SpentUsage, price: () => Promise<PriceOf>): Promise<number | undefined> {
  try {
    return (await price())(usage);
  } catch {
    return undefined;
  }
}
