import type { Cancel, Clock } from "../runtime.ts";

/** The time of a run: how long it may still take. While somebody is waited for, it stands still. */
export class RunTime {
  readonly #clock: Clock;
  readonly #onOver: () => void;
  readonly #endsAt: number;
  #cancel: Cancel = () => undefined;
  /** Of pauses that are over. */
  #pausedMs = 0;
  #pausedAt: number | undefined;

  /**
   * @param ms what the run may take from now on, in milliseconds
   * @param onOver called once, when that is over; must not throw
   */
  constructor(clock: Clock, ms: number, onOver: () => void) {
    this.#clock = clock;
    this.#onOver = onOver;
    this.#endsAt = clock.now() + ms;
    this.#start(ms);
  }

  /** How long the run has stood still so far, in milliseconds. */
  get pausedMs(): number {
    return this.#pausedMs + (this.#pausedAt === undefined ? 0 : this.#clock.now() - this.#pausedAt);
  }

  /** When it is over if nothing holds it up any more, in epoch milliseconds. */
  get endsAt(): number {
    return this.#endsAt + this.pausedMs;
  }

  pause(): void {
    this.#cancel();
    this.#pausedAt ??= this.#clock.now();
  }

  goOn(): void {
    if (this.#pausedAt === undefined) return;
    this.#pausedMs = this.pausedMs;
    this.#pausedAt = undefined;
    this.#start(Math.max(0, this.endsAt - this.#clock.now()));
  }

  /** The run is over. */
  stop(): void {
    this.#cancel();
  }

  #start(ms: number): void {
    this.#cancel = this.#clock.setTimer(ms, this.#onOver);
  }
}
