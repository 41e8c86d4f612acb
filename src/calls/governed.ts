import { DivvyError } from "../errors.ts";
import type { Governor } from "../governor/governor.ts";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Model } from "../models/model.ts";
import type { Clock } from "../runtime.ts";
import { sentence } from "../sentence.ts";
import { costAtMost, noUsage, type PriceOf, type SpentUsage } from "../usage.ts";
import { AttemptFailure } from "./attempt-failure.ts";
import { cachedPrefix } from "./cache-mark.ts";
import { refOf } from "../role.ts";
import { answerReadingOf, estimateInput, estimateText } from "./estimate.ts";
import type { AdmittedContext, AttemptContext, CallResult, Calls } from "./call.ts";

/** An overloaded provider is waited for as if it had throttled, for this long; then it is a failed attempt. */
const overloadPatienceMs = 60_000;

/** When its time is up a run ends its calls itself; only what would wait for longer than this beyond it ends at once. */
const runEndMs = 1_000;

/** What decides when a model's attempts may leave, and what they cost; its provider, to know what it caches. */
export type GovernedModel = Pick<Model, "lane" | "credential" | "maxConcurrency" | "price"> & { readonly model: Pick<LanguageModelV4, "provider" | "modelId"> };

export interface GovernedOptions {
  readonly governor: Governor;
  readonly models: (id: string) => GovernedModel;
  readonly clock: Clock;
  /** How long an attempt may wait for admission, over all its requeues, in milliseconds. */
  readonly admissionMs: number;
}

/**
 * Lets an attempt out when the governor admits it, and books what it used. An attempt that the provider throttled goes back to
 * the queue with its old age: it does not count as a try.
 */
export function governed({
  governor,
  models,
  clock,
  admissionMs,
}: GovernedOptions): <Result extends CallResult>(next: Calls<AdmittedContext, Result>) => Calls<AttemptContext, Result> {
  return (next) => async (request, ctx) => {
    const { lane, credential, maxConcurrency, price: listed, model } = models(request.model);
    const stated = ctx.rules.price;
    const price = stated === undefined ? listed : () => Promise.resolve(stated);
    const ref = refOf(ctx);
    const books = ctx.books ?? ctx.run;
    const since = clock.now();
    const untilNow = (): number => Math.min(since + admissionMs, (ctx.endsAt ?? ctx.run.endsAt ?? forever)() + runEndMs);
    const { budget } = books;
    const reserved = { inputTokens: estimateInput(request), outputTokens: request.settings.maxOutputTokens };
    const prefix = cachedPrefix(request, model, reserved.inputTokens);
    // What is not bounded in dollars need not wait for the price list.
    const cost = budget?.inDollars ? await costBy(price, (priceOf) => costAtMost(priceOf, reserved)) : undefined;
    const claim = budget?.claim({ ...ref, reserved, cost: cost ?? 0 });
    let overloadedSince: number | undefined;

    /** Before its slot is given back: whoever gets that may want what is left of the budget, and stands after it in the log. */
    const settle = (usage: SpentUsage, cost: number | undefined, calls: 0 | 1, toRead: () => number): void => {
      const told = { ...(cost !== undefined && { cost }), ...(calls === 0 && { calls }) };
      books.emit({ type: "attempt.settled", ...ref, attempt: ctx.attempt, usage, ...told });
      claim?.giveBack();
      if (ctx.role === "orchestrator" || ctx.role === "worker") books.budget?.answerReads(toRead, ctx.subtaskId);
      // Whoever pays for it may be another run by now.
      books.budget?.spend({ calls, tokens: usage.totalTokens ?? 0, ...(cost !== undefined && { cost }) }, (usage.outputTokens ?? 0) > reserved.outputTokens);
    };
    const costOf = async (usage: SpentUsage): Promise<number | undefined> => (usage.totalTokens === 0 ? 0 : await costBy(price, (priceOf) => priceOf(usage)));

    for (let requeues = 0; ; requeues++) {
      const permit = await governor.admit({
        lane,
        credential,
        maxConcurrency,
        run: ctx.run,
        rank: ctx.rank,
        since,
        signal: ctx.signal,
        get until() {
          return untilNow();
        },
        demand: reserved,
        prefix,
        model: request.model,
        ...(claim && { claim }),
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
        const result = await next(request, { ...ctx, onAccepted, onBegun: () => permit.began() });
        settle(result.usage, await costOf(result.usage), 1, () => answerReadingOf(result, ctx));
        permit.release();
        return result;
      } catch (thrown) {
        if (!(thrown instanceof AttemptFailure)) {
          // It never left.
          settle(noUsage, 0, 0, () => 0);
          permit.release();
          throw thrown;
        }
        const { error, usage } = thrown;
        const cost = await costOf(usage);
        // Of a plan that broke off, what came of it; of a worker, why there is nothing.
        const toRead = (): number => estimateText(ctx.role === "orchestrator" ? (error.evidence?.partialText ?? "") : error.message);
        if (!isThrottled(thrown)) {
          settle(usage, cost, 1, toRead);
          if (endsCredential(error)) permit.refused(error);
          else permit.release();
          throw thrown;
        }
        const until = untilNow();
        let patientUntil = Number.POSITIVE_INFINITY;
        if (error.code === "overloaded") patientUntil = (overloadedSince ??= clock.now()) + overloadPatienceMs;
        // One that gives up has been a call like any other; one that goes back to the queue has not.
        const reopens = permit.throttled(error.evidence?.retryAfterMs, (at) => settle(usage, cost, at > Math.min(until, patientUntil) ? 1 : 0, toRead));
        if (reopens > patientUntil) throw thrown;
        books.emit({ type: "governor.throttled", ...ref, model: request.model, reason: error.code, until: reopens });
        if (reopens > until) throw new AttemptFailure(tooLong(error, reopens - clock.now(), until - clock.now()), thrown);
      }
    }
  };
}

function forever(): number {
  return Number.POSITIVE_INFINITY;
}

/** Sent back before it was begun: too many requests, or a server that is overloaded just now. */
function isThrottled({ error, accepted }: AttemptFailure): boolean {
  return !accepted && (error.code === "rate_limited" || error.code === "overloaded");
}

/** A spending cap, or a key that is not taken: no model under this credential will answer. A 403 may be about the one model. */
function endsCredential({ code, evidence }: DivvyError): boolean {
  return code === "quota_exhausted" || (code === "authentication" && evidence?.status !== 403);
}

function tooLong(error: DivvyError, waitMs: number, patienceMs: number): DivvyError {
  const message = `${sentence(error.message)} It asks to wait ${Math.ceil(waitMs / 1000)} s, longer than the ${Math.max(0, Math.ceil(patienceMs / 1000))} s that this call may still wait.`;
  return new DivvyError(error.code, message, { retryable: false, evidence: { ...error.evidence }, cause: error });
}

/** A price that cannot be had is no reason to lose a reply that is paid already. */
async function costBy(price: () => Promise<PriceOf>, cost: (priceOf: PriceOf) => number | undefined): Promise<number | undefined> {
  try {
    return cost(await price());
  } catch {
    return undefined;
  }
}
