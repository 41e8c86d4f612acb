import type { RunScope } from "../calls/call.ts";
import { DivvyError } from "../errors.ts";
import type { Cancel, Runtime } from "../runtime.ts";
import type { Admission, Governor, Permit } from "./governor.ts";

/** How long a lane stays closed where the provider does not say: doubling from the first to the second, in milliseconds. */
const firstPauseMs = 1000;
const longestPauseMs = 30_000;

interface Lane {
  readonly name: string;
  readonly bound: number;
  inFlight: number;
  waiting: number;
  /** Closed until then, in epoch milliseconds. */
  closedUntil: number;
  /** How often it was closed: an attempt let out before the last time brings no news when it is throttled too. */
  closings: number;
  /** Closings since a request was last accepted. */
  throttlings: number;
  /** Set while somebody waits for it to open. */
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
  /** Calls that wait, in all lines. */
  #waiting = 0;

  constructor(runtime: Pick<Runtime, "clock" | "random">) {
    this.#runtime = runtime;
  }

  admit(admission: Admission): Promise<Permit> {
    if (admission.signal.aborted) return Promise.reject(admission.signal.reason);
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
        this.#remove(waiting, line);
        reject(signal.reason);
      };
      const onTimeout = (): void => {
        leave();
        this.#remove(waiting, line);
        const waited = Math.round((this.#runtime.clock.now() - admission.since) / 1000);
        reject(new DivvyError("admission_timeout", `A call to ${admission.model} waited ${waited} s for its turn, and longer is not allowed.`));
      };
      const waiting: Waiting = {
        admission,
        lane,
        order: this.#order++,
        go: () => {
          leave();
          lane.waiting--;
          this.#waiting--;
          resolve(this.#permit(lane, line, admission.run));
        },
      };
      let cancelTimer: Cancel | undefined;
      insert(line.waiting, waiting);
      lane.waiting++;
      this.#waiting++;
      const now = this.#pump();
      if (!line.waiting.includes(waiting)) return;
      this.#awaitOpening(lane, now);
      signal.addEventListener("abort", onAbort, { once: true });
      cancelTimer = this.#runtime.clock.setTimer(Math.max(0, admission.waitMs), onTimeout);
    });
  }

  #laneOf({ lane: name, maxConcurrency }: Admission): Lane {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const bound = maxConcurrency ?? Number.POSITIVE_INFINITY;
    const lane: Lane = { name, bound, inFlight: 0, waiting: 0, closedUntil: 0, closings: 0, throttlings: 0, reopening: undefined };
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
    const { closings } = lane;
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      lane.inFlight--;
      line.inFlight--;
      this.#forgetIfIdle(run, line, lane);
      this.#pump();
    };
    return {
      accepted: () => {
        lane.throttlings = 0;
      },
      release,
      throttled: (retryAfterMs) => {
        const until = this.#close(lane, retryAfterMs, closings === lane.closings);
        release();
        return until;
      },
    };
  }

  /** Calls that were let out together are throttled together: that closes the lane once, for as long as the longest of them asks. */
  #close(lane: Lane, retryAfterMs: number | undefined, isNews: boolean): number {
    const { clock, random } = this.#runtime;
    const own = isNews ? Math.min(longestPauseMs, firstPauseMs * 2 ** lane.throttlings) * (0.5 + random() / 2) : 0;
    if (isNews) {
      lane.closings++;
      lane.throttlings++;
    }
    // "At once" is no time to wait: it would be asked again and again.
    const now = clock.now();
    lane.closedUntil = Math.max(lane.closedUntil, now + (retryAfterMs || own));
    this.#awaitOpening(lane, now);
    return lane.closedUntil;
  }

  /**
   * Looks again when the lane opens. It may have been closed for longer by then, and timers may fire a little early.
   *
   * @param now when it was looked at last: had it opened since, nobody else would see to it
   */
  #awaitOpening(lane: Lane, now: number): void {
    if (lane.closedUntil <= now || lane.waiting === 0) return;
    lane.reopening ??= this.#runtime.clock.setTimer(lane.closedUntil - now, () => {
      lane.reopening = undefined;
      this.#awaitOpening(lane, this.#pump());
    });
  }

  /** Lets out whatever may go now, and says when that was. A run that was served goes to the back, so that runs sharing a lane take turns. */
  #pump(): number {
    const now = this.#runtime.clock.now();
    for (let served = true; served && this.#waiting > 0;) {
      served = false;
      for (const [run, line] of this.#lines) {
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
        break;
      }
    }
    return now;
  }

  #remove(waiting: Waiting, line: Line): void {
    line.waiting.splice(line.waiting.indexOf(waiting), 1);
    waiting.lane.waiting--;
    this.#waiting--;
    this.#forgetIfIdle(waiting.admission.run, line, waiting.lane);
  }

  /** A process that lives long sees many runs and lanes. A lane that is closed is remembered; nobody waits for it with a timer. */
  #forgetIfIdle(run: RunScope, line: Line, lane: Lane): void {
    if (line.inFlight === 0 && line.waiting.length === 0) this.#lines.delete(run);
    if (lane.waiting > 0) return;
    lane.reopening?.();
    lane.reopening = undefined;
    if (lane.inFlight === 0 && lane.closedUntil <= this.#runtime.clock.now()) this.#lanes.delete(lane.name);
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
