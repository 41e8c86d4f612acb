import type { EventBody } from "../events.ts";
import type { AnswerSink } from "../synthesis/synthesize.ts";

/**
 * The answer while it is written. Its text can be taken back until a reader of `read()` has got some of it: from then on it only
 * grows, and the outcome's text is what readers were given, put together.
 */
export class AnswerStream implements AnswerSink {
  readonly #emit: (event: EventBody) => void;
  #text = "";
  #attempt = 1;
  /** Some of it has left. */
  #left = false;
  #over = false;
  #held = false;
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(emit: (event: EventBody) => void) {
    this.#emit = emit;
  }

  get text(): string {
    return this.#text;
  }

  write(delta: string): void {
    if (delta === "") return;
    this.#text += delta;
    this.#emit({ type: "answer.delta", attempt: this.#attempt, text: delta });
    this.#wake();
  }

  mayRestart(): boolean {
    return !this.#left;
  }

  restart(): boolean {
    if (this.#left) return false;
    if (this.#text !== "") {
      this.#attempt++;
      this.#text = "";
      // There may be no more of it: who has shown it hears at once that it is void.
      this.#emit({ type: "answer.delta", attempt: this.#attempt, text: "" });
    }
    return true;
  }

  hold(): void {
    this.#held = true;
  }

  letGo(): void {
    this.#held = false;
    this.#wake();
  }

  end(): void {
    this.#over = true;
    this.#wake();
  }

  /** From the beginning, whenever it is called. */
  async *read(): AsyncGenerator<string, void, undefined> {
    for (let from = 0; ;) {
      const changed = this.#changed.promise;
      const more = this.#held ? "" : this.#text.slice(from);
      if (more !== "") {
        this.#left = true;
        from += more.length;
        yield more;
      } else if (this.#over) return;
      else await changed;
    }
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
