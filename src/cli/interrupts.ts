import { DivvyError } from "../errors.ts";
import { exitCodes } from "./exit-code.ts";
import type { CliWorld, Signals } from "./world.ts";

/**
 * Ctrl-C and its like: the first asks everything to stop, the second leaves at once. While the terminal is lent, Ctrl-C is meant for
 * who has it: the system sends it to all programs there.
 */
export class Interrupts implements Disposable {
  readonly #controller: AbortController = new AbortController();
  readonly #signals: Signals;
  readonly #heard: () => void;
  readonly #typed: () => void;
  /** Told of the first. */
  onFirst: (() => void) | undefined;
  isLent: () => boolean = () => false;

  constructor({ signals, leave }: Pick<CliWorld, "signals" | "leave">) {
    this.#signals = signals;
    this.#heard = () => {
      if (this.signal.aborted) return leave(exitCodes.aborted);
      this.#controller.abort(new DivvyError("aborted", "Stopped."));
      this.onFirst?.();
    };
    this.#typed = () => (this.isLent() ? undefined : this.#heard());
    signals.on("SIGINT", this.#typed);
    signals.on("SIGTERM", this.#heard);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.#signals.off("SIGINT", this.#typed);
    this.#signals.off("SIGTERM", this.#heard);
  }
}
