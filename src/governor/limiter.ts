import type { RunScope } from "../calls/call.ts";
import { DivvyError } from "../errors.ts";
import type { Cancel, Runtime } from "../runtime.ts";
import type { Admission, Governor, Permit } from "./governor.ts";

/** How long a lane stays closed where the provider does not say: doubling from the first to the second, in milliseconds. */
const firstPauseMs = 1000;
const longestPauseMs = 30_000;

interface Lane {
  readonly bound: number;
  inFlight: number;
  /** Closed until then, in epoch milliseconds. */
  closedUntil: number;
  /** Throttlings since a request was last accepted. */
  throttlings: number;
  reopening: Cancel | undefined;
}

interface Waiting {
  readonly admission: Admission;
  readonly lane: Lane;
  readonly order: number;
  readonly go: () => void;
}

interface Line {
  inFlight: number;
  /** Best first: by rank, then by age, then by arrival. */
  readonly waiting: Waiting[];
}

/**
 * A plain governor: as many calls of a run in flight as its `concurrency`, as many on a lane as its server takes, and a lane
 * that throttles closes for all until the time that the provider names. Runs that wait for one lane take turns.
 */
export function limiter(runtime: Pick<Runtime, "clock" | "random">): Governor {
  return new Limiter(runtime);
}

class Limiter implements Governor {
  readonly #runtime: Pick<Runtime, "clock" | "random">;
  readonly #lanes = new Map<string, Lane>();
  /** Runs that have calls in flight or waiting; the one whose turn is next comes first. */
  readonly #lines = new Map<RunScope, Line>();
  #order = 0;

  constructor(runtime: Pick<Runtime, "clock" | "random">) {
    this.#runtime = runtime;
  }

  admit(admission: Admission): Promise<Permit> {
    const lane = this.#laneOf(admission);
    const line = this.#lineOf(admission.run);
    const { signal } = admission;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        signal.removeEventListener("abort", onAbort);
        cancelTimer?.();
      };
      const onAbort = (): void => {
        leave();
        this.#remove(line, waiting);
        reject(signal.reason);
      };
      const onTimeout = (): void => {
        leave();
        this.#remove(line, waiting);
        const waited = Math.round((this.#runtime.clock.now() - admission.since) / 1000);
        reject(new DivvyError("admission_timeout", `A call to ${admission.model} waited ${waited} s for its turn, and longer is not allowed.`));
      };
      const waiting: Waiting = {
        admission,
        lane,
        order: this.#order++,
        go: () => {
          leave();
          resolve(this.#permit(lane, line, admission.run));
        },
      };
      let cancelTimer: Cancel | undefined;
      insert(line.waiting, waiting);
      if (signal.aborted) return onAbort();
      this.#pump();
      if (!line.waiting.includes(waiting)) return;
      signal.addEventListener("abort", onAbort, { once: true });
      cancelTimer = this.#runtime.clock.setTimer(Math.max(0, admission.waitMs), onTimeout);
    });
  }

  #laneOf({ lane: name, maxConcurrency }: Admission): Lane {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const lane: Lane = { bound: maxConcurrency ?? Number.POSITIVE_INFINITY, inFlight: 0, closedUntil: 0, throttlings: 0, reopening: undefined };
    this.#lanes.set(name, lane);
    return lane;
  }

  #lineOf(run: RunScope): Line {
    const known = this.#lines.get(run);
    if (known !== undefined) return known;
    const line: Line = { inFlight: 0, waiting: [] };
    this.#lines.set(run, line);
    return line;
  }

  #permit(lane: Lane, line: Line, run: RunScope): Permit {
    lane.inFlight++;
    line.inFlight++;
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      lane.inFlight--;
      line.inFlight--;
      this.#forgetIfIdle(run, line);
      this.#pump();
    };
    return {
      accepted: () => {
        lane.throttlings = 0;
      },
      release,
      throttled: (retryAfterMs) => {
        const until = this.#close(lane, retryAfterMs);
        release();
        return until;
      },
    };
  }

  #close(lane: Lane, retryAfterMs: number | undefined): number {
    const { clock, random } = this.#runtime;
    const own = Math.min(longestPauseMs, firstPauseMs * 2 ** lane.throttlings) * (0.5 + random() / 2);
    const until = clock.now() + (retryAfterMs ?? own);
    lane.throttlings++;
    if (until <= lane.closedUntil) return lane.closedUntil;
    lane.closedUntil = until;
    lane.reopening?.();
    lane.reopening = clock.setTimer(until - clock.now(), () => {
      lane.reopening = undefined;
      this.#pump();
    });
    return until;
  }

  /** Lets out whatever may go. A run that was served goes to the back, so that runs sharing a lane take turns. */
  #pump(): void {
    const now = this.#runtime.clock.now();
    for (let served = true; served; ) {
      served = false;
      for (const [run, line] of [...this.#lines]) {
        if (line.inFlight >= run.concurrency) continue;
        const index = line.waiting.findIndex(({ lane }) => lane.inFlight < lane.bound && lane.closedUntil <= now);
        const [next] = index === -1 ? [] : line.waiting.splice(index, 1);
        if (next === undefined) continue;
        next.go();
        served = true;
        if (this.#lines.size > 1) {
          this.#lines.delete(run);
          this.#lines.set(run, line);
        }
      }
    }
  }

  #remove(line: Line, waiting: Waiting): void {
    const index = line.waiting.indexOf(waiting);
    if (index !== -1) line.waiting.splice(index, 1);
    this.#forgetIfIdle(waiting.admission.run, line);
  }

  #forgetIfIdle(run: RunScope, line: Line): void {
    if (line.inFlight === 0 && line.waiting.length === 0) this.#lines.delete(run);
  }
}

function insert(line: Waiting[], waiting: Waiting): void {
  let at = line.length;
  while (at > 0 && goesBefore(waiting, line[at - 1])) at--;
  line.splice(at, 0, waiting);
}

function goesBefore(a: Waiting, b: Waiting | undefined): boolean {
  if (b === undefined) return false;
  return (a.admission.rank - b.admission.rank || a.admission.since - b.admission.since || a.order - b.order) < 0;
}
