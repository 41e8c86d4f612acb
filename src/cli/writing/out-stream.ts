import { systemCodeOf } from "../../system-code.ts";
import type { OutputStream } from "../world.ts";

/**
 * stdout or stderr as a place that may go away: a closed pipe (`divvy ... | head -1`) is the reader's good right, and no fault.
 * Writing never rejects.
 */
export class OutStream {
  readonly stream: OutputStream;
  #fault: Error | undefined;
  #onGone: (() => void) | undefined;

  constructor(stream: OutputStream) {
    this.stream = stream;
    stream.on("error", (error: Error) => {
      if (this.#fault !== undefined) return;
      this.#fault = error;
      this.#onGone?.();
    });
  }

  get isTerminal(): boolean {
    return this.stream.isTTY === true;
  }

  get columns(): number {
    return this.stream.columns || 80;
  }

  get rows(): number {
    return this.stream.rows || 24;
  }

  /** Nobody reads any more, or nothing can be written. */
  get gone(): boolean {
    return this.#fault !== undefined || this.stream.destroyed;
  }

  /** Why writing failed, where it was not the reader who left. */
  get fault(): Error | undefined {
    const code = systemCodeOf(this.#fault);
    return code === "EPIPE" || code === "ERR_STREAM_DESTROYED" || code === "EOF" ? undefined : this.#fault;
  }

  /** Called once, when nobody reads any more. */
  whenGone(listener: () => void): void {
    this.#onGone = listener;
    if (this.gone) listener();
  }

  /** Resolves when the text is handed over, or nobody is there to take it. */
  write(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.gone) resolve();
      else this.stream.write(text, () => resolve());
    });
  }
}
