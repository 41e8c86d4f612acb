import type { RunEvent } from "../events.ts";
import type { DivvyUIMessageChunk } from "./ui-message.ts";

import { Block } from "./block.ts";

/**
 * What the orchestrator says of its plan, a block for each round, and for each plan that takes the place of one that was sent back or
 * edited. The first stands before whatever comes of it: a direct answer, or subtasks.
 */
export class Analysis {
  #block = new Block("reasoning", "analysis");
  /** In the rounds before. */
  #said = "";
  /** Plans that took another's place. */
  #replaced = 0;

  *on(event: RunEvent): Generator<DivvyUIMessageChunk, void, undefined> {
    switch (event.type) {
      case "round.started":
        yield* this.#block.close();
        this.#block = new Block("reasoning", `analysis-${event.round}`);
        return yield* this.#block.open();
      case "approval.declined":
        yield* this.#anew();
        return yield* this.#block.open();
      case "approval.given":
        if (event.edited && event.plan.analysis !== this.#said) yield* this.#anew();
        return;
      case "plan.started":
        return yield* this.#block.open();
      case "plan.finished":
      case "plan.answered": {
        const { analysis } = event;
        yield* this.#block.write(analysis.startsWith(this.#said) ? analysis.slice(this.#said.length).trimStart() : analysis);
        this.#said = analysis;
        return yield* this.#block.close();
      }
      default:
    }
  }

  /** What was sent is never taken back: what is said instead follows it. */
  *#anew(): Generator<DivvyUIMessageChunk, void, undefined> {
    yield* this.#block.close();
    this.#replaced += 1;
    this.#block = new Block("reasoning", `analysis-instead-${this.#replaced}`);
    this.#said = "";
  }

  *close(): Generator<DivvyUIMessageChunk, void, undefined> {
    yield* this.#block.close();
  }
}
