import { abortReason } from "../errors.ts";
import type { CallContext, CallPart, CallResult, Calls, RunScope } from "./call.ts";
import { textOf } from "./call.ts";
import type { CallKey } from "./call-key.ts";

/** One call on its way, and everybody in this process who waits for it. */
interface Flight {
  readonly waiters: Set<CallContext>;
  readonly controller: AbortController;
  readonly landing: Promise<CallResult>;
  /** What has been written in the running attempt, for those who join late. */
  attempt: number;
  text: string;
}

/**
 * Answers a call that was answered before from memory, and lets calls that are alike share one flight. The scope is the run.
 * A flight ends early only when its last waiter has left.
 */
export function recorded(keyOf: CallKey): (next: Calls) => Calls {
  const answers = new WeakMap<RunScope, Map<string, CallResult>>();
  const flights = new WeakMap<RunScope, Map<string, Flight>>();

  return (next) => async (request, ctx) => {
    const known = scopeOf(answers, ctx.run);
    const flying = scopeOf(flights, ctx.run);
    const key = keyOf(request);

    const answer = known.get(key);
    if (answer !== undefined) {
      ctx.onPart?.({ type: "text", delta: textOf(answer) });
      return { ...answer, cached: true };
    }

    const joined = flying.get(key);
    const flight = joined ?? takeOff(next, request, ctx);
    const forget = (): void => {
      if (flying.get(key) === flight) flying.delete(key);
    };
    if (joined === undefined) {
      flying.set(key, flight);
      flight.landing
        .then(
          (result) => known.set(key, result),
          () => undefined,
        )
        .finally(forget);
    } else {
      flight.waiters.add(ctx);
      if (flight.text !== "") {
        ctx.onPart?.({ type: "attempt", attempt: flight.attempt });
        ctx.onPart?.({ type: "text", delta: flight.text });
      }
    }
    return await landingFor(flight, ctx, forget);
  };
}

function scopeOf<V>(scopes: WeakMap<RunScope, Map<string, V>>, run: RunScope): Map<string, V> {
  const known = scopes.get(run) ?? new Map<string, V>();
  scopes.set(run, known);
  return known;
}

function takeOff(next: Calls, request: Parameters<Calls>[0], ctx: CallContext): Flight {
  const waiters = new Set([ctx]);
  const controller = new AbortController();
  const onPart = (part: CallPart): void => {
    if (part.type === "attempt") {
      flight.attempt = part.attempt;
      flight.text = "";
    } else if (part.type === "text") flight.text += part.delta;
    for (const waiter of waiters) waiter.onPart?.(part);
  };
  const mayRestart = (): boolean => [...waiters].every((waiter) => waiter.mayRestart?.() ?? true);
  // The flight starts in a later microtask, when `flight` stands.
  const landing = Promise.resolve().then(() => next(request, { ...ctx, signal: controller.signal, onPart, mayRestart }));
  const flight: Flight = { waiters, controller, landing, attempt: 1, text: "" };
  return flight;
}

/** The flight's end as one waiter sees it: its own abort ends its waiting, and the flight with it if nobody else waits. */
function landingFor(flight: Flight, ctx: CallContext, forget: () => void): Promise<CallResult> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      flight.waiters.delete(ctx);
      if (flight.waiters.size > 0) return reject(abortReason(ctx.signal));
      // Whoever asks the same from now on must not share this end.
      forget();
      flight.controller.abort(abortReason(ctx.signal));
    };
    if (ctx.signal.aborted) onAbort();
    else ctx.signal.addEventListener("abort", onAbort, { once: true });
    const land = (): void => ctx.signal.removeEventListener("abort", onAbort);
    flight.landing.then(
      (result) => {
        land();
        resolve(result);
      },
      (thrown: unknown) => {
        land();
        reject(thrown);
      },
    );
  });
}
