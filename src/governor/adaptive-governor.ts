import { ranks } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import { DivvyError } from "../errors.ts";
import type { Cancel, Clock, Runtime } from "../runtime.ts";
import type { Admission, Governor, Permit } from "./governor.ts";
import { Lane } from "./lane.ts";
import { goesBefore, Line, type Waiting } from "./line.ts";

/** Lanes that nobody uses are remembered up to so many: what was learnt of them is worth keeping. */
const mostLanes = 1_000;

/**
 * Lets attempts out as their lanes allow: as many at once as each lane's window holds, none while it is closed, no faster than its
 * provider's limits; of each run as many as its `concurrency`, and what its budget can pay. Runs that wait for one lane take turns;
 * within a run the plan goes first, then the synthesis, then workers by age.
 */
export function adaptiveGovernor(runtime: Pick<Runtime, "clock" | "random">): Governor {
  return new AdaptiveGovernor(runtime);
}

class AdaptiveGovernor implements Governor {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #lanes = new Map<string, Lane>();
  /** Runs that have calls in flight or waiting; the one whose turn is next comes first. */
  readonly #lines = new Map<RunScope, Line>();
  /** Credentials that were refused, for the runs that were there then: a later run may find them mended. */
  readonly #refused = new WeakMap<RunScope, Map<string, DivvyError>>();
  #order = 0;

  constructor({ clock, random }: Pick<Runtime, "clock" | "random">) {
    this.#clock = clock;
    this.#random = random;
  }

  admit(admission: Admission): Promise<Permit> {
    const { signal, run, credential } = admission;
    if (signal.aborted) return Promise.reject(signal.reason);
    const refused = this.#refused.get(run)?.get(credential);
    if (refused !== undefined) return Promise.reject(refused);
    const lane = this.#laneOf(admission);
    if (lane.closedUntil > admission.until) return Promise.reject(wouldWait(admission, lane, this.#clock.now()));
    const line = this.#lineOf(run);
    return new Promise((resolve, reject) => {
      let cancelTimer: Cancel | undefined;
      const leave = (): void => {
        line.remove(waiting);
        signal.removeEventListener("abort", onAbort);
        cancelTimer?.();
      };
      const waiting: Waiting = {
        admission,
        lane,
        order: this.#order++,
        go: () => {
          leave();
          resolve(this.#permit(lane, line, admission));
        },
        fail: (reason) => {
          leave();
          reject(reason);
          this.#tidy(run, line, lane);
        },
      };
      const onAbort = (): void => waiting.fail(signal.reason);
      line.add(waiting);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#pump();
      if (!line.has(waiting)) return;
      const look = (): void => {
        const now = this.#clock.now();
        const end = admission.claim?.end;
        if (end !== undefined && now >= end.at) waiting.fail(end.error());
        else if (now >= admission.until) waiting.fail(waited(admission, now));
        else cancelTimer = this.#clock.setTimer(Math.min(admission.until, end?.at ?? Number.POSITIVE_INFINITY) - now, look);
      };
      look();
    });
  }

  #laneOf({ lane: name, credential, maxConcurrency }: Admission): Lane {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const now = this.#clock.now();
    if (this.#lanes.size >= mostLanes) for (const [unused, lane] of this.#lanes) if (lane.isIdle(now)) this.#lanes.delete(unused);
    const lane = new Lane(credential, maxConcurrency, this.#random);
    this.#lanes.set(name, lane);
    return lane;
  }

  #lineOf(run: RunScope): Line {
    const line = this.#lines.get(run) ?? new Line();
    this.#lines.set(run, line);
    return line;
  }

  #permit(lane: Lane, line: Line, { run, demand }: Admission): Permit {
    const ticket = lane.letOut(demand, this.#clock.now());
    line.inFlight++;
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      lane.ended(ticket);
      line.inFlight--;
      this.#tidy(run, line, lane);
      this.#pump();
    };
    return {
      accepted: (headers) => {
        if (!isHeld) return;
        lane.accepted(ticket, headers, this.#clock.now());
        this.#pump();
      },
      // The start of a prompt is no matter of lanes; see `warmingGovernor`.
      began: () => undefined,
      release,
      throttled: (retryAfterMs, settle) => {
        const now = this.#clock.now();
        if (isHeld) {
          lane.throttled(ticket, retryAfterMs, now);
          // Nobody waits for what opens when it is too late for him.
          this.#fail(
            (waiting) => waiting.lane === lane && waiting.admission.until < lane.closedUntil,
            ({ admission }) => wouldWait(admission, lane, now),
          );
        }
        const reopensAt = Math.max(now, lane.closedUntil);
        settle?.(reopensAt);
        release();
        return reopensAt;
      },
      refused: (error) => {
        if (isHeld) this.#refuse(lane.credential, error);
        release();
      },
    };
  }

  #refuse(credential: string, error: DivvyError): void {
    for (const run of this.#lines.keys()) {
      const refused = this.#refused.get(run) ?? new Map<string, DivvyError>();
      this.#refused.set(run, refused.set(credential, error));
    }
    this.#fail(
      ({ lane }) => lane.credential === credential,
      () => error,
    );
  }

  #fail(isLost: (waiting: Waiting) => boolean, why: (waiting: Waiting) => DivvyError): void {
    for (const line of [...this.#lines.values()]) for (const waiting of line.all(isLost)) waiting.fail(why(waiting));
  }

  /** Lets out whatever may go now, and looks again when more may. */
  #pump(): void {
    const now = this.#clock.now();
    const closed = new Map<Lane, number>();
    const broke = new Set<Line>();
    const isOpen = ({ lane, admission }: Waiting): boolean => {
      if (closed.has(lane)) return false;
      const opensAt = lane.opensAt(admission.demand, now);
      // Who comes after does not overtake, however little it takes.
      if (opensAt > now) closed.set(lane, opensAt);
      return opensAt <= now;
    };
    for (let next = this.#next(isOpen, broke); next !== undefined; next = this.#next(isOpen, broke)) {
      const { run, line, waiting } = next;
      const paid = waiting.admission.claim?.reserve() ?? "reserved";
      if (paid === "later") broke.add(line);
      else if (paid !== "reserved") waiting.fail(paid);
      else {
        waiting.go();
        this.#lines.delete(run);
        this.#lines.set(run, line);
      }
    }
    for (const [lane, opensAt] of closed) this.#awaitOpening(lane, opensAt, now);
  }

  /** Whose turn it is: a synthesis, else of the run that has waited longest whoever goes first in it. */
  #next(
    isOpen: (waiting: Waiting) => boolean,
    broke: ReadonlySet<Line>,
  ): { readonly run: RunScope; readonly line: Line; readonly waiting: Waiting } | undefined {
    let first: { readonly run: RunScope; readonly line: Line; readonly waiting: Waiting } | undefined;
    for (const [run, line] of this.#lines) {
      if (broke.has(line) || line.inFlight >= run.concurrency) continue;
      let best: Waiting | undefined;
      for (const head of line.heads()) if ((best === undefined || goesBefore(head, best)) && isOpen(head)) best = head;
      if (best === undefined) continue;
      // It ends its run: it goes before the workers of others.
      if (best.admission.rank === ranks.answer) return { run, line, waiting: best };
      first ??= { run, line, waiting: best };
    }
    return first;
  }

  #awaitOpening(lane: Lane, opensAt: number, now: number): void {
    if (lane.reopening?.at === opensAt) return;
    lane.reopening?.cancel();
    lane.reopening = undefined;
    if (lane.waiting === 0 || opensAt === Number.POSITIVE_INFINITY) return;
    const cancel = this.#clock.setTimer(opensAt - now, () => {
      lane.reopening = undefined;
      this.#pump();
    });
    lane.reopening = { at: opensAt, cancel };
  }

  /** A process that lives long sees many runs; and nobody waits, with a timer, for what nobody wants. */
  #tidy(run: RunScope, line: Line, lane: Lane): void {
    if (line.isEmpty) this.#lines.delete(run);
    if (lane.waiting > 0) return;
    lane.reopening?.cancel();
    lane.reopening = undefined;
  }
}

function waited({ model, since }: Admission, now: number): DivvyError {
  return new DivvyError("admission_timeout", `A call to ${model} waited ${seconds(now - since)} for its turn, and longer is not allowed.`);
}

function wouldWait({ model, since, until }: Admission, { closedUntil }: Lane, now: number): DivvyError {
  const message = `${model} takes no calls for another ${seconds(closedUntil - now)}, and this one may wait ${seconds(Math.max(0, until - since))} in all.`;
  return new DivvyError("admission_timeout", message, { evidence: { retryAfterMs: Math.ceil(closedUntil - now) } });
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
