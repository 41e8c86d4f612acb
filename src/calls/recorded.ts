import { abortReason, DivvyError, type ErrorCode } from "../errors.ts";
import type { Answers } from "./answers.ts";
import type { CallContext, CallPart, CallResult, CallRules, Calls } from "./call.ts";
import { textOf } from "./call.ts";
import type { CallKey } from "./call-key.ts";
import { answerReadingOf } from "./estimate.ts";
import { FlightBooks } from "./flight-books.ts";

/** One call on its way, and everybody in this process who waits for it. */
interface Flight {
  readonly waiters: Set<CallContext>;
  readonly controller: AbortController;
  readonly landing: Promise<CallResult>;
  readonly books: FlightBooks;
  /** What carries it out: with the credential, the clocks and the tries of the orchestrator in which it began. */
  readonly carrier: Calls;
  /** The answer has come and is paid for: whatever fails from here on concerns all who wait. */
  hasAnswer: boolean;
  /** What has been written in the running attempt, for those who join late. */
  attempt: number;
  text: string;
}

/** By scope and key. Whoever shares answers shares flights, so that nothing is paid twice in one process. */
const flightsOf = new WeakMap<Answers, Map<string, Flight>>();

/**
 * The recorded answer to a call; one that was cut only for a role that takes such. Those are kept under a name of their own: whoever
 * takes none asks anew, and what is paid for then must find its place.
 */
export async function recordedAnswer(
  answers: Answers,
  scope: string,
  key: string,
  { allowLength }: Pick<CallRules, "allowLength">,
): Promise<CallResult | undefined> {
  return (await answers.find(scope, key)) ?? (allowLength ? await answers.find(scope, nameOfCut(key)) : undefined);
}

function nameOfCut(key: string): string {
  return `${key}:cut`;
}

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
    const ask = async (inFlight: CallContext, onAnswer: () => void): Promise<CallResult> => {
      const known = await recordedAnswer(answers, cache, key, inFlight.rules);
      // Who has left hears nothing of it, and must not be said to have an answer.
      if (inFlight.signal.aborted) throw abortReason(inFlight.signal);
      if (known !== undefined) {
        inFlight.onPart?.({ type: "text", delta: textOf(known) });
        return { ...known, cached: true };
      }
      const result = await next(request, inFlight);
      onAnswer();
      await answers.keep(cache, result.finishReason.unified === "length" ? nameOfCut(key) : key, result);
      return result;
    };

    // Who takes no cut text cannot fly with who does.
    const name = `${cache}\n${key}\n${ctx.rules.allowLength}`;
    let before = 0;
    for (;;) {
      const waiter = before === 0 ? ctx : afterAttempts(ctx, before);
      const joined = flights.get(name);
      const flight = joined ?? takeOff(ask, waiter, next);
      const forget = (): void => {
        if (flights.get(name) === flight) flights.delete(name);
      };
      if (joined === undefined) {
        flights.set(name, flight);
        flight.landing.catch(() => undefined).finally(forget);
      } else join(flight, waiter);
      try {
        const result = await landingFor(flight, waiter, forget);
        const isPaidHere = !result.cached && flight.books.areOf(waiter);
        // The answer will have to read it, whoever has paid for it.
        if (!isPaidHere) ctx.run.budget?.answerReads(() => answerReadingOf(result, ctx), ctx.subtaskId);
        return result;
      } catch (thrown) {
        // Each waiter begins a flight of its own at most once.
        if (joined === undefined || ctx.signal.aborted || flight.hasAnswer) throw thrown;
        // Who pays is the one whose run it concerns; and another orchestrator's credential, say, is not one's own.
        if (concernsOneRun(thrown) ? flight.books.areOf(waiter) : flight.carrier === next) throw thrown;
        forget();
        // Nothing has been heard of it, not even of a try before.
        if (flight.text === "" && flight.attempt === 1) continue;
        // What has been heard of the reply is void: another one comes.
        if (flight.text !== "" && !(ctx.mayRestart?.() ?? true)) throw brokenOff(flight);
        before += flight.attempt;
        ctx.onPart?.({ type: "attempt", attempt: before + 1 });
      }
    }
  };
}

/** Before an answer has come, these concern only the run in which the flight began: its lease is lost, its log cannot be written, its budget is used up, be it for another try. */
const endsOfOneRun: ReadonlySet<ErrorCode> = new Set(["run_taken_over", "ledger_failed", "ledger_busy", "ledger_version", "budget_exhausted"]);

function concernsOneRun(thrown: unknown): boolean {
  return thrown instanceof DivvyError && (endsOfOneRun.has(thrown.code) || thrown.evidence?.budget !== undefined);
}

function takeOff(ask: (inFlight: CallContext, onAnswer: () => void) => Promise<CallResult>, ctx: CallContext, carrier: Calls): Flight {
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
  // A run whose time is up leaves by itself: as long as another has time, there is something to wait for.
  const endsAt = (): number => Math.max(...[...waiters].map(({ run }) => run.endsAt?.() ?? Number.POSITIVE_INFINITY));
  const onAnswer = (): void => {
    flight.hasAnswer = true;
  };
  // The flight starts in a later microtask, when `flight` stands.
  const landing = Promise.resolve().then(() => ask({ ...ctx, books, signal: controller.signal, endsAt, onPart, mayRestart }, onAnswer));
  const flight: Flight = { waiters, controller, landing, books, carrier, hasAnswer: false, attempt: 1, text: "" };
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
      if ([...flight.waiters].some((next) => flight.books.leave(ctx, next))) return reject(abortReason(ctx.signal));
      // Whoever asks the same from now on must not share this end; but an answer that is being kept is one to wait for.
      if (!flight.hasAnswer) forget();
      // Nobody who still waits can pay for it now: each asks anew, and has it when its own budget allows.
      flight.controller.abort(flight.waiters.size === 0 ? abortReason(ctx.signal) : noPayer());
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
        // Who left does not see what became of it for want of a payer.
        reject(ctx.signal.aborted && concernsOneRun(thrown) ? abortReason(ctx.signal) : thrown);
      },
    );
  });
}

/** The same waiter in a further flight, whose attempts come after those that it has heard of. */
function afterAttempts(ctx: CallContext, before: number): CallContext {
  return { ...ctx, onPart: (part) => ctx.onPart?.(part.type === "attempt" ? { ...part, attempt: before + part.attempt } : part) };
}

function brokenOff({ text }: Flight): DivvyError {
  return new DivvyError("stream_broken", "The reply broke off: the call was that of another run, which shares its calls with this one, and ended there.", {
    evidence: { partialText: text },
  });
}

function noPayer(): DivvyError {
  return new DivvyError("budget_exhausted", "The run that paid for the call was stopped, and the budget of no other that waits for it allows it.");
}
