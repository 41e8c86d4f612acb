/** A direct answer on its way, without the white space around it: what is shown in pieces, whole characters only, is what the whole will be. */
export class AnswerText {
  #begun = false;
  /** White space at the end so far: part of the answer only if more text follows. */
  #heldSpace = "";
  /** The first half of a character whose other half is still to come. */
  #half = "";

  get begun(): boolean {
    return this.#begun;
  }

  /** What can be shown now; empty where nothing can. */
  add(text: string): string {
    const all = this.#half + text;
    const end = /[\ud800-\udbff]$/.test(all.slice(-1)) ? all.length - 1 : all.length;
    this.#half = all.slice(end);
    const from = this.#begun ? all.slice(0, end) : all.slice(0, end).trimStart();
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
