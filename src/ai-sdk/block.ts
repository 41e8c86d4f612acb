import type { DivvyUIMessageChunk } from "./ui-message.ts";

/** A text that is opened when it is first written to, and once; what comes when it is closed says nothing new. */
export class Block {
  readonly #type: "reasoning" | "text";
  readonly #id: string;
  #phase: "before" | "open" | "closed" = "before";

  constructor(type: "reasoning" | "text", id: string) {
    this.#type = type;
    this.#id = id;
  }

  *open(): Generator<DivvyUIMessageChunk, void, undefined> {
    if (this.#phase !== "before") return;
    this.#phase = "open";
    yield { type: `${this.#type}-start`, id: this.#id };
  }

  *write(delta: string): Generator<DivvyUIMessageChunk, void, undefined> {
    yield* this.open();
    if (this.#phase === "open" && delta !== "") yield { type: `${this.#type}-delta`, id: this.#id, delta };
  }

  *close(): Generator<DivvyUIMessageChunk, void, undefined> {
    if (this.#phase !== "open") return;
    this.#phase = "closed";
    yield { type: `${this.#type}-end`, id: this.#id };
  }
}
