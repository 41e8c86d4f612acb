import { AnswerText } from "./answer-text.ts";
import type { Tag } from "./tag-scanner.ts";

/** One `<answer>` while it is written: what stands in it is text, whatever tags it holds. */
export class XmlAnswer {
  readonly #text = new AnswerText();
  readonly #show: (delta: string) => void;
  readonly #mayQuote: boolean;
  /** Its own opening tags that are not closed yet. */
  #depth = 1;
  /** A `</answer>` where it spoke of `<answer>`, or may have, and the white space after it: what follows decides whether it was the end. */
  #heldClose: string | undefined;

  /**
   * @param show gets more of the answer; nothing empty
   * @param mayQuote it may hold closing tags that it quotes: only one that nothing follows closes it
   */
  constructor(show: (delta: string) => void, mayQuote = false) {
    this.#mayQuote = mayQuote;
    this.#show = (delta) => {
      if (delta !== "") show(delta);
    };
  }

  /** Some of it was shown. */
  get begun(): boolean {
    return this.#text.begun;
  }

  text(text: string): void {
    if (this.#heldClose !== undefined && /^\s*$/.test(text)) this.#heldClose += text;
    else this.#add(text);
  }

  /** True where the tag closes it. */
  tag(tag: Tag): boolean {
    const isOwn = tag.name === "answer" && tag.kind !== "empty";
    if (isOwn) this.#depth += tag.kind === "open" ? 1 : -1;
    if (this.#depth === 0 && this.#mayQuote) this.#depth = 1;
    if (this.#depth === 0) {
      this.#add("");
      return true;
    }
    if (isOwn && tag.kind === "close") {
      this.#add("");
      this.#heldClose = tag.raw;
    } else this.#add(tag.raw);
    return false;
  }

  /** The reply is over. True where the answer is, too. */
  end(): boolean {
    return this.#heldClose !== undefined;
  }

  /** Nothing else came in its place: whatever it says is the answer. */
  stands(): void {
    this.#show(this.#text.end());
  }

  /** What was held closed nothing: it is text. */
  #add(text: string): void {
    const whole = (this.#heldClose ?? "") + text;
    this.#heldClose = undefined;
    this.#show(this.#text.add(whole));
  }
}
