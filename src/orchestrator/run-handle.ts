import { DivvyError, stopped, toDivvyError } from "../errors.ts";
import type { Fact, RunEvent } from "../events.ts";
import type { FactLog, OpenLog } from "../fact-log.ts";
import { type Answered, asLogged, type Outcome, type Result } from "../outcome.ts";
import type { Clock } from "../runtime.ts";
import { AnswerStream } from "./answer-stream.ts";
import { EventStream } from "./event-stream.ts";
import { failedOutcome } from "./ending/outcome-of.ts";
import { RunTime } from "./run-time.ts";
import { Tally } from "./tally.ts";
import { unlessAborted } from "../unless-aborted.ts";

/** What a run's story is handed. */
export interface RunInside {
  readonly runId: string;
  readonly events: EventStream;
  readonly answer: AnswerStream;
  readonly tally: Tally;
  readonly signal: AbortSignal;
  readonly committed: () => Promise<void>;
  readonly time: Pick<RunTime, "endsAt" | "pausedMs">;
  readonly rest: Rest;
}

/**
 * Gives the run back for as long as somebody outside is waited for: once all that was said is committed, no lease is held, and no
 * time counts. Resolves when the run is taken on again. Rejects with a `DivvyError` where it may not be, or when the run is stopped:
 * then nothing more is written of it.
 */
export type Rest = <T>(answer: () => Promise<T>) => Promise<T>;

export interface RunHandleOptions {
  readonly runId: string;
  readonly clock: Clock;
  /** Of the whole run, in milliseconds. */
  readonly runMs: number;
  readonly signal: AbortSignal | undefined;
  /** What was logged of the run before; empty for a new one. */
  readonly past: readonly Fact[];
  readonly openLog: OpenLog;
  /** Carries the run out; a rejection makes the run a failed one. */
  readonly carryOut: (inside: RunInside) => Promise<Outcome>;
}

interface FinishedRun extends Pick<RunHandleOptions, "runId" | "clock" | "past"> {
  readonly finished: Outcome;
}

/** One request being carried out. It goes on whether anybody looks or not. */
export interface Run<Answer extends Answered = Answered, Each extends Result = Result> {
  /** Under which it is kept, and found by `resume` and `rerun`. */
  readonly runId: string;
  /** What happens, as it happens. Each iteration begins at the run's beginning; see `RunEvent`. */
  readonly events: AsyncIterable<RunEvent>;
  /** The answer as it is written, from its beginning. What it gives, put together, is the outcome's `text`. */
  readonly textStream: AsyncIterable<string>;
  /** How the run ends. Never rejects: what went wrong stands in the outcome. */
  readonly outcome: Promise<Outcome<Answer, Each>>;
  /**
   * Stops the run: every call in flight is ended, nothing more starts. Does nothing when the run is over.
   *
   * @param reason a text or an error, whose words the outcome's error repeats
   */
  readonly abort: (reason?: unknown) => void;
}

/** A run, whatever its results are. */
export class RunHandle implements Run {
  readonly runId: string;
  readonly outcome: Promise<Outcome>;
  readonly #events: EventStream;
  readonly #answer: AnswerStream;
  readonly #controller: AbortController = new AbortController();
  #log: FactLog | undefined;

  /** A run that ended before, with all that happened in it. */
  static finished(runId: string, clock: Clock, past: readonly Fact[], outcome: Outcome): RunHandle {
    return new RunHandle({ runId, clock, past, finished: outcome });
  }

  constructor(options: RunHandleOptions | FinishedRun) {
    const { runId, clock, past } = options;
    const tally = new Tally();
    for (const fact of past) tally.add(fact);
    this.runId = runId;
    this.#events = new EventStream(runId, clock, past, (fact) => {
      tally.add(fact);
      // A run that ended before it began has nothing that could be gone on with.
      if (fact.seq > 0 || fact.type !== "run.finished") this.#log?.append(fact);
    });
    this.#answer = new AnswerStream((event) => this.#events.emit(event));
    if (!("finished" in options)) {
      this.outcome = this.#carryOut(options, tally);
      return;
    }
    this.#events.end();
    if ("text" in options.finished) this.#answer.write(options.finished.text);
    this.#answer.end();
    this.outcome = Promise.resolve(options.finished);
  }

  get events(): AsyncIterable<RunEvent> {
    return this.#events;
  }

  get textStream(): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => this.#answer.read() };
  }

  abort(reason?: unknown): void {
    this.#controller.abort(stopped("run", reason));
  }

  async #carryOut({ runId, clock, runMs, signal, openLog, carryOut }: RunHandleOptions, tally: Tally): Promise<Outcome> {
    const startedAt = clock.now();
    const onAbort = (): void => this.abort(signal?.reason);
    const time = new RunTime(clock, runMs, () => {
      this.#controller.abort(new DivvyError("run_timeout", `The run took longer than ${Math.round(runMs / 1000)} s.`));
    });
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    let outcome: Outcome;
    try {
      this.#log = await openLog((error) => this.#controller.abort(error));
      const rest: Rest = (waiting) => this.#rest(time, waiting);
      const { signal: aborts } = this.#controller;
      const inside = { runId, events: this.#events, answer: this.#answer, tally, signal: aborts, committed: () => this.#committed(), time, rest };
      outcome = await carryOut(inside);
    } catch (thrown) {
      outcome = failedOutcome(runId, toDivvyError(thrown), tally, clock.now() - startedAt - time.pausedMs);
    }
    time.stop();
    signal?.removeEventListener("abort", onAbort);
    this.#answer.end();
    // A log is JSON, and what a schema makes of a text need not be.
    this.#events.emit({ type: "run.finished", outcome: asLogged(outcome) });
    const unsaved = await this.#committed().then(() => undefined, toDivvyError);
    await this.#log?.close();
    return unsaved === undefined ? outcome : notSaved(outcome, unsaved);
  }

  async #rest<T>(time: RunTime, answer: () => Promise<T>): Promise<T> {
    time.pause();
    const { signal } = this.#controller;
    await this.#committed();
    await this.#log?.rest();
    // Who asks for it is told of the abort; the run does not wait for that.
    const given = await unlessAborted(signal.aborted ? new Promise<never>(() => undefined) : answer(), signal);
    await this.#log?.takeOn();
    time.goOn();
    return given;
  }

  #committed(): Promise<void> {
    return this.#log?.committed() ?? Promise.resolve();
  }
}

/** The outcome stands; but who asks the ledger later will not find it. */
function notSaved(outcome: Outcome, { code, message, hint }: DivvyError): Outcome {
  if ("error" in outcome && outcome.error.code === code) return outcome;
  const notice = { code: "not_saved" as const, message: `The end of this run could not be kept: ${message} ${hint}` };
  return { ...outcome, coverage: { ...outcome.coverage, notices: [...outcome.coverage.notices, notice] } };
}
