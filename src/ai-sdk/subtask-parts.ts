import type { SubtaskState } from "../run-state.ts";
import { type DivvyUIMessageChunk, errorPart, type SubtaskPart } from "./ui-message.ts";

/** A text that is being written is sent again when it is longer by half, and by so many characters at least. */
const GROWTH = 1.5;
const LEAST = 100;

/**
 * The parts of a run's subtasks. A part is always sent whole, so text on its way is sent again only when it has grown by half: all
 * together at most three times its length, however small the pieces are in which it comes, and once more when it is done.
 */
export class SubtaskParts {
  readonly #sendResults: boolean;
  readonly #sent = new Map<string, SubtaskPart>();

  constructor(sendResults: boolean) {
    this.#sendResults = sendResults;
  }

  /** What is to be sent of a subtask's state; nothing where that says nothing new. */
  of(state: SubtaskState): DivvyUIMessageChunk | undefined {
    const { id } = state.subtask;
    const part = partOf(state, this.#sendResults);
    const before = this.#sent.get(id);
    if (before !== undefined && !isNews(before, part)) return undefined;
    this.#sent.set(id, part);
    return { type: "data-subtask", id, data: part };
  }

  /** What was planned is void: nothing of it will be done. */
  void(): DivvyUIMessageChunk[] {
    return [...this.#sent].flatMap(([id, part]): DivvyUIMessageChunk[] => {
      const data: SubtaskPart = { ...part, text: "", status: "skipped", skipped: "approval" };
      this.#sent.set(id, data);
      return part.status === "skipped" ? [] : [{ type: "data-subtask", id, data }];
    });
  }
}

function partOf({ subtask, status, attempt, text, error, skipped, because }: SubtaskState, sendResults: boolean): SubtaskPart {
  const { id, type, description, dependsOn } = subtask;
  return {
    id,
    type,
    description,
    dependsOn,
    status,
    attempt,
    text: sendResults ? text : "",
    ...(error !== undefined && { error: errorPart(error) }),
    ...(skipped !== undefined && { skipped }),
    ...(because !== "" && { because }),
  };
}

function isNews(before: SubtaskPart, { status, attempt, text, error, because }: SubtaskPart): boolean {
  if (status !== before.status || attempt !== before.attempt || error?.message !== before.error?.message || because !== before.because) return true;
  // A text that is done, or void, is shorter or other than what was sent of it; one that grows only has more at its end.
  if (status === "done" || text.length < before.text.length) return text !== before.text;
  return text.length >= Math.max(before.text.length * GROWTH, before.text.length + LEAST);
}
