import { DivvyError } from "../errors.ts";
import { exitCodes } from "./exit-code.ts";
import type { CliWorld, Signals } from "./world.ts";

const names = ["SIGINT", "SIGTERM"] as const;

/** Ctrl-C and its like: the first asks everything to stop, the second leaves at once. */
export class Interrupts implements Disposable {
  readonly #controller: AbortController = new AbortController();
  readonly #signals: Signals;
  readonly #heard: () => void;
  /** Told of the first. */
  onFirst: (() => void) | undefined;

  constructor({ signals, leave }: Pick<CliWorld, "signals" | "leave">) {
    this.#signals = signals;
    this.#heard = () => {
      if (this.signal.aborted) return leave(exitCodes.aborted);
      this.#controller.abort(new DivvyError("aborted", "Stopped."));
      this.onFirst?.();
    };
    for (const name of names) signals.on(name, this.#heard);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const name of names) this.#signals.off(name, this.#heard);
  }
}
