import { DivvyError } from "../../errors.ts";
import type { Cancel, Clock } from "../../runtime.ts";

/** Aborts what it guards when a sign of life does not come in time, or when the caller's signal aborts. */
export class Watchdog implements Disposable {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#controller.abort(this.#caller?.reason);
  #cancel: Cancel = () => undefined;

  constructor(clock: Clock, caller?: AbortSignal) {
    this.#clock = clock;
    this.#caller = caller;
    if (caller?.aborted) this.#onAbort();
    caller?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something must happen within `ms`, counted from now; it replaces what was expected before. */
  expect(ms: number, what: string): void {
    this.#cancel();
    this.#cancel = this.#clock.setTimer(ms, () => {
      this.#controller.abort(new DivvyError("local_model", `The built-in model could not be downloaded: ${what}.`));
    });
  }

  [Symbol.dispose](): void {
    this.#cancel();
    this.#caller?.removeEventListener("abort", this.#onAbort);
  }
}
