import type { RunEvent } from "../events.ts";
import type { DivvyUIMessageChunk } from "./ui-message.ts";

import { Block } from "./block.ts";

/** What the orchestrator says of its plan, a block for each round. The first stands before whatever comes of it: a direct answer, or subtasks. */
export class Analysis {
  #block = new Block("reasoning", "analysis");
  /** In the rounds before. */
  #said = "";

  *on(event: RunEvent): Generator<DivvyUIMessageChunk, void, undefined> {
    switch (event.type) {
      case "round.started":
        yield* this.#block.close();
        this.#block = new Block("reasoning", `analysis-${event.round}`);
        return yield* this.#block.open();
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

  *close(): Generator<DivvyUIMessageChunk, void, undefined> {
    yield* this.#block.close();
  }
}
