import type { CallPart } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import { ResponseText } from "./response-text.ts";

/** What a subtask's readers see while its result is written, over all calls that write it: each try voids the one before. */
export class SubtaskText {
  readonly #emit: RunScope["emit"];
  readonly #subtaskId: string;
  #response = new ResponseText();
  /** Tries of the calls before this one. */
  #before = 0;
  #attempt = 0;

  constructor(emit: RunScope["emit"], subtaskId: string) {
    this.#emit = emit;
    this.#subtaskId = subtaskId;
  }

  /** A call begins to write. */
  begin(): void {
    this.#before = this.#attempt;
    this.#startTry(1);
  }

  add(part: CallPart): void {
    if (part.type === "attempt") this.#startTry(part.attempt);
    else if (part.type === "text") this.#show(this.#response.add(part.delta));
  }

  /** The call has written all. */
  end(): void {
    this.#show(this.#response.end());
  }

  /** An earlier try stands after all. */
  goBackTo(text: string): void {
    this.begin();
    this.#show(text);
  }

  #startTry(attempt: number): void {
    this.#attempt = this.#before + attempt;
    this.#response = new ResponseText();
  }

  #show(text: string): void {
    if (text !== "") this.#emit({ type: "subtask.delta", subtaskId: this.#subtaskId, attempt: this.#attempt, text });
  }
}
