/**
 * A direct answer on its way, without the white space around it: what is shown in pieces, whole characters only, is what the
 * whole will be. A word for "no answer" is held back: where a field for the answer has to be filled, models fill it with one
 * and write the plan after it.
 */
export class AnswerText {
  #shown = false;
  /** What may yet become a word for "no answer". */
  #held = "";
  /** White space at the end so far: part of the answer only if more text follows. */
  #heldSpace = "";
  /** The first half of a character whose other half is still to come. */
  #half = "";

  /** Some of it was given out. */
  get begun(): boolean {
    return this.#shown;
  }

  /** What can be shown now; empty where nothing can. */
  add(text: string): string {
    const more = this.#trimmed(text);
    if (this.#shown || more === "") return more;
    const held = this.#held + more;
    this.#held = maySayNothing(held) ? held : "";
    this.#shown = this.#held === "";
    return this.#shown ? held : "";
  }

  /** The reply is over, and whole, and has nothing else: then what was held back is the answer. */
  end(): string {
    const held = this.#held;
    this.#held = "";
    this.#shown ||= held !== "";
    return held;
  }

  #trimmed(text: string): string {
    const all = this.#half + text;
    const end = /[\ud800-\udbff]$/.test(all.slice(-1)) ? all.length - 1 : all.length;
    this.#half = all.slice(end);
    const from = this.#shown || this.#held !== "" ? all.slice(0, end) : all.slice(0, end).trimStart();
    const shown = from.trimEnd();
    if (shown === "") {
      this.#heldSpace += from;
      return "";
    }
    const whole = this.#heldSpace + shown;
    this.#heldSpace = from.slice(shown.length);
    return whole;
  }
}

/** As letters and digits alone. */
const sayingNothing = ["na", "nil", "none", "null", "empty", "undefined", "noanswer", "notapplicable"];

/** Longer than any of them, with quotes or brackets around it. */
const longestNothing = 32;

/** Is it a word for "no answer", or the beginning of one? */
function maySayNothing(text: string): boolean {
  if (text.length > longestNothing) return false;
  const said = text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
  return sayingNothing.some((word) => word.startsWith(said));
}
