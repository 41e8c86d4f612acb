import { DivvyError, toDivvyError } from "../errors.ts";
import type { RunEvent } from "../events.ts";
import type { Outcome } from "../outcome.ts";
import type { Clock } from "../runtime.ts";
import { AnswerStream } from "./answer-stream.ts";
import { EventStream } from "./event-stream.ts";
import { failedOutcome } from "./outcome-of.ts";
import { Tally } from "./tally.ts";

/** What a run's story is handed. */
export interface RunInside {
  readonly runId: string;
  readonly events: EventStream;
  readonly answer: AnswerStream;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

export interface RunHandleOptions {
  readonly runId: string;
  readonly clock: Clock;
  /** Of the whole run, in milliseconds. */
  readonly runMs: number;
  readonly signal: AbortSignal | undefined;
  /** Carries the run out; a rejection makes the run a failed one. */
  readonly carryOut: (inside: RunInside) => Promise<Outcome>;
}

/** One request being carried out. It goes on whether anybody looks or not. */
export class Run {
  readonly runId: string;
  /** How the run ends. Never rejects: what went wrong stands in the outcome. */
  readonly outcome: Promise<Outcome>;
  readonly #events: EventStream;
  readonly #answer: AnswerStream;
  readonly #controller: AbortController = new AbortController();

  constructor(options: RunHandleOptions) {
    const { runId, clock } = options;
    const tally = new Tally();
    this.runId = runId;
    this.#events = new EventStream(runId, clock, (fact) => tally.add(fact));
    this.#answer = new AnswerStream((event) => this.#events.emit(event));
    this.outcome = this.#carryOut(options, tally);
  }

  /** What happens, as it happens. Each iteration begins at the run's beginning; see `RunEvent`. */
  get events(): AsyncIterable<RunEvent> {
    return this.#events;
  }

  /** The answer as it is written, from its beginning. What it gives, put together, is the outcome's `text`. */
  get textStream(): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => this.#answer.read() };
  }

  /** Stops the run: every call in flight is ended, nothing more starts. Does nothing when the run is over. */
  abort(): void {
    this.#controller.abort(new DivvyError("aborted", "The run was stopped."));
  }

  async #carryOut({ runId, clock, runMs, signal, carryOut }: RunHandleOptions, tally: Tally): Promise<Outcome> {
    const startedAt = clock.now();
    const onAbort = (): void => this.abort();
    const cancelTimer = clock.setTimer(runMs, () => {
      this.#controller.abort(new DivvyError("run_timeout", `The run took longer than ${Math.round(runMs / 1000)} s.`));
    });
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    const inside: RunInside = { runId, events: this.#events, answer: this.#answer, tally, signal: this.#controller.signal };
    let outcome: Outcome;
    try {
      outcome = await carryOut(inside);
    } catch (thrown) {
      outcome = failedOutcome(runId, toDivvyError(thrown), tally, clock.now() - startedAt);
    }
    cancelTimer();
    signal?.removeEventListener("abort", onAbort);
    this.#answer.end();
    this.#events.emit({ type: "run.finished", outcome });
    return outcome;
  }
}
