import { abortReason, DivvyError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import type { AdmittedContext, CallResult, Calls, SentContext } from "./call.ts";

/**
 * Bounds one attempt by two clocks, both running from admission on: one for all of it, one for silence. Pings count as life;
 * the first clock still bounds a stream of nothing else.
 */
export function timed(clock: Clock): <Result extends CallResult>(next: Calls<SentContext, Result>) => Calls<AdmittedContext, Result> {
  return (next) => async (request, ctx) => {
    const { totalMs, idleMs } = ctx.rules;
    const controller = new AbortController();
    const stop = (code: "total_timeout" | "idle_timeout", message: string): void => controller.abort(new DivvyError(code, message));
    const onAbort = (): void => controller.abort(abortReason(ctx.signal));
    if (ctx.signal.aborted) onAbort();
    ctx.signal.addEventListener("abort", onAbort, { once: true });

    let lastSign = clock.now();
    const cancelTotal = clock.setTimer(totalMs, () => stop("total_timeout", `${request.model} took longer than ${seconds(totalMs)} in all.`));
    // One timer that looks when it fires, instead of one a delta.
    const checkSilence = (): void => {
      const left = lastSign + idleMs - clock.now();
      if (left > 0) cancelIdle = clock.setTimer(left, checkSilence);
      else stop("idle_timeout", `${request.model} sent nothing for ${seconds(idleMs)}.`);
    };
    let cancelIdle = clock.setTimer(idleMs, checkSilence);

    try {
      const alive = (): void => {
        lastSign = clock.now();
      };
      return await next(request, { ...ctx, signal: controller.signal, alive });
    } finally {
      cancelTotal();
      cancelIdle();
      ctx.signal.removeEventListener("abort", onAbort);
    }
  };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}
