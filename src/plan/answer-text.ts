/** A direct answer on its way, without the white space around it: what is shown in pieces is what the whole will be. */
export class AnswerText {
  #begun = false;
  /** White space at the end so far: part of the answer only if more text follows. */
  #heldSpace = "";

  get begun(): boolean {
    return this.#begun;
  }

  /** What can be shown now; empty where nothing can. */
  add(text: string): string {
    const from = this.#begun ? text : text.trimStart();
    const shown = from.trimEnd();
    if (shown === "") {
      this.#heldSpace += from;
      return "";
    }
    const whole = this.#heldSpace + shown;
    this.#heldSpace = from.slice(shown.length);
    this.#begun = true;
    return whole;
  }
}
