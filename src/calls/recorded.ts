import { abortReason, DivvyError } from "../errors.ts";
import type { Answers } from "./answers.ts";
import type { CallContext, CallPart, CallRequest, CallResult, Calls } from "./call.ts";
import { textOf } from "./call.ts";
import type { CallKey } from "./call-key.ts";
import { FlightBooks } from "./flight-books.ts";

/** One call on its way, and everybody in this process who waits for it. */
interface Flight {
  readonly waiters: Set<CallContext>;
  readonly controller: AbortController;
  readonly landing: Promise<CallResult>;
  readonly books: FlightBooks;
  /** What has been written in the running attempt, for those who join late. */
  attempt: number;
  text: string;
}

/** By scope and key. Whoever shares answers shares flights, so that nothing is paid twice in one process. */
const flightsOf = new WeakMap<Answers, Map<string, Flight>>();

/**
 * Answers a call that was paid for before from the record, and commits each new answer before it is handed on. Calls that are
 * alike share one flight. A flight ends early only when its last waiter has left.
 */
export function recorded(keyOf: CallKey, answers: Answers): (next: Calls) => Calls {
  const flights = flightsOf.get(answers) ?? new Map<string, Flight>();
  flightsOf.set(answers, flights);

  return (next) => async (request, ctx) => {
    const { cache } = ctx.run;
    if (cache === undefined) return await next(request, ctx);
    const key = keyOf(request);
    const asked: Calls = async (_, inFlight) => {
      const known = await answers.find(cache, key);
      // Who has left hears nothing of it, and must not be said to have an answer.
      if (inFlight.signal.aborted) throw abortReason(inFlight.signal);
      if (known !== undefined && mayServe(known, inFlight)) {
        inFlight.onPart?.({ type: "text", delta: textOf(known) });
        return { ...known, cached: true };
      }
      const result = await next(request, inFlight);
      await answers.keep(cache, key, result);
      return result;
    };

    const name = `${cache}\n${key}`;
    for (;;) {
      const joined = flights.get(name);
      const flight = joined ?? takeOff(asked, request, ctx);
      const forget = (): void => {
        if (flights.get(name) === flight) flights.delete(name);
      };
      if (joined === undefined) {
        flights.set(name, flight);
        flight.landing.catch(() => undefined).finally(forget);
      } else join(flight, ctx);
      try {
        return await landingFor(flight, ctx, forget);
      } catch (thrown) {
        if (joined === undefined || !isOfAnotherRun(thrown)) throw thrown;
        forget();
      }
    }
  };
}

/** What was cut serves only a role that takes cut texts. */
function mayServe({ finishReason }: CallResult, { rules }: CallContext): boolean {
  return finishReason.unified !== "length" || rules.allowLength;
}

/** Why a flight ended that concerns only the run in which it began. */
function isOfAnotherRun(thrown: unknown): boolean {
  return thrown instanceof DivvyError && thrown.code === "run_taken_over";
}

function takeOff(asked: Calls, request: CallRequest, ctx: CallContext): Flight {
  const waiters = new Set([ctx]);
  const controller = new AbortController();
  const books = new FlightBooks(ctx);
  const onPart = (part: CallPart): void => {
    if (part.type === "attempt") {
      flight.attempt = part.attempt;
      flight.text = "";
    } else if (part.type === "text") flight.text += part.delta;
    for (const waiter of waiters) waiter.onPart?.(part);
  };
  const mayRestart = (): boolean => [...waiters].every((waiter) => waiter.mayRestart?.() ?? true);
  // The flight starts in a later microtask, when `flight` stands.
  const landing = Promise.resolve().then(() => asked(request, { ...ctx, books, signal: controller.signal, onPart, mayRestart }));
  const flight: Flight = { waiters, controller, landing, books, attempt: 1, text: "" };
  return flight;
}

/** A late waiter gets what was written so far. */
function join(flight: Flight, ctx: CallContext): void {
  flight.waiters.add(ctx);
  if (flight.text === "") return;
  ctx.onPart?.({ type: "attempt", attempt: flight.attempt });
  ctx.onPart?.({ type: "text", delta: flight.text });
}

/** The flight's end as one waiter sees it: its own abort ends its waiting, and the flight with it if nobody else waits. */
function landingFor(flight: Flight, ctx: CallContext, forget: () => void): Promise<CallResult> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      flight.waiters.delete(ctx);
      const [next] = flight.waiters;
      if (next !== undefined) {
        flight.books.leave(ctx, next);
        return reject(abortReason(ctx.signal));
      }
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
