// oxlint-disable-next-line import/no-unassigned-import -- the heart loads its price list when it first needs it, which takes time that nobody simulates
import "@pydantic/genai-prices";
import { setImmediate } from "node:timers/promises";
import type { Cancel, Clock } from "../../src/runtime.ts";

/** Who lives in simulated time: what it has set going stops when it dies, and waits while it is frozen. */
export interface Mortal {
  readonly pid: number;
  isDead: boolean;
  /** Others go on without it: it is dead, or was taken over. */
  isGone: boolean;
  /** Until then nothing of it goes on, as of a process that was stopped or a machine that slept. */
  frozenUntil: number;
  /** Called whenever it turns to the world outside, before that happens: it may die of it. */
  onTouch: () => void;
}

interface Timer {
  at: number;
  order: number;
  readonly fn: () => void;
  readonly owner: Mortal | undefined;
}

/** Whatever is waited for is over after a day, or never will be. */
const patienceMs = 24 * 3_600_000;

/** Simulated time, one for all processes of a simulation. It moves from timer to timer, each time when everything has come to rest. */
export class Timeline {
  /** Milliseconds since the Unix epoch. */
  now = 1_000_000;
  /** The next one last. */
  readonly #timers: Timer[] = [];
  #order = 0;
  #touches = 0;

  after(ms: number, fn: () => void, owner?: Mortal): Cancel {
    this.#touches++;
    const timer: Timer = { at: this.now + Math.max(0, ms), order: this.#order++, fn, owner };
    this.#insert(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index !== -1) this.#timers.splice(index, 1);
    };
  }

  /** The clock as a process sees it. */
  clockOf(owner: Mortal): Clock {
    return {
      now: () => this.now,
      setTimer: (ms, fn) => {
        this.touch(owner);
        return owner.isDead ? () => undefined : this.after(ms, fn, owner);
      },
    };
  }

  /** A process turns to the world outside. */
  touch(owner: Mortal): void {
    this.#touches++;
    if (!owner.isDead) owner.onTouch();
  }

  /** Timers of a process that neither fired nor were cancelled. */
  pendingOf(owner: Mortal): number {
    return this.#timers.filter((timer) => timer.owner === owner).length;
  }

  /**
   * Lets time pass until it is over.
   *
   * @throws Error when nothing can happen any more and it is not over, or when it never ends
   */
  async pass(isOver: () => boolean, waitingFor: string): Promise<void> {
    const until = this.now + patienceMs;
    for (;;) {
      await this.#settle();
      if (isOver()) return;
      const timer = this.#timers.pop();
      if (timer === undefined) throw new Error(`Nothing happens any more, and it is not over: ${waitingFor}.`);
      if (timer.owner?.isDead) continue;
      this.now = Math.max(this.now, timer.at);
      if (timer.owner !== undefined && timer.owner.frozenUntil > this.now) {
        timer.at = timer.owner.frozenUntil;
        timer.order = this.#order++;
        this.#insert(timer);
        continue;
      }
      if (this.now > until) throw new Error(`It does not end: ${waitingFor}.`);
      timer.fn();
    }
  }

  async passFor(ms: number): Promise<void> {
    let over = false;
    this.after(ms, () => {
      over = true;
    });
    await this.pass(() => over, "time");
  }

  /** Until promises, and code that waits for the end of a tick, have nothing left to do: two turns in which nobody turns to the world. */
  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < 2;) {
      const before = this.#touches;
      await setImmediate();
      quiet = this.#touches === before ? quiet + 1 : 0;
    }
  }

  #insert(timer: Timer): void {
    let [low, high] = [0, this.#timers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle];
      if (other !== undefined && (other.at - timer.at || other.order - timer.order) > 0) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
  }
}
