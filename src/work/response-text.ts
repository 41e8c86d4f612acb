const opening = "<response>";
const closing = "</response>";

/**
 * A worker's text on its way: without white space around it, and without a `<response>` around the whole, in which the pattern
 * has workers wrap what they deliver. What is shown in pieces is, put together, exactly the result.
 */
export class ResponseText {
  #begun = false;
  /** How many `<response>` are open, the wrapper among them; 0 where there is none, or it is over. */
  #depth = 0;
  /** Some text has been shown. */
  #shown = false;
  /** Before the text has begun: what may be the wrapper. Later: an end that may be white space or the closing tag. */
  #held = "";
  /** From a closing tag on that something followed: the wrapper's own, or one that the worker quotes. The reply's end tells. */
  #doubtful: string[] | undefined;

  /** What can be shown now; empty where nothing can. */
  add(text: string): string {
    if (this.#doubtful !== undefined) {
      this.#doubtful.push(text);
      return "";
    }
    if (text.trim() === "" && (this.#begun || this.#held === "")) {
      if (this.#begun) this.#held += text;
      return "";
    }
    return this.#take(this.#held + text, false);
  }

  /** The rest, when the reply is over. */
  end(): string {
    const shown = this.#take(this.#held, true);
    return this.#doubtful === undefined ? shown : shown + this.#decided(this.#doubtful.join(""));
  }

  #take(text: string, over: boolean): string {
    this.#held = "";
    let rest = text;
    if (!this.#begun) {
      rest = rest.trimStart();
      const start = rest.slice(0, opening.length).toLowerCase();
      if (!over && start.length < opening.length && opening.startsWith(start)) {
        this.#held = rest;
        return "";
      }
      if (this.#depth === 0 && start === opening) {
        this.#depth = 1;
        rest = rest.slice(opening.length).trimStart();
      }
      if (rest === "") return "";
      this.#begun = true;
    }
    return this.#depth === 0 ? this.#showTo(rest.length, rest) : this.#unwrap(rest, over);
  }

  /** Takes the wrapper's closing tag out where nothing follows it; where something does, the reply's end tells which one that is. */
  #unwrap(text: string, over: boolean): string {
    for (const { 0: tag, 1: slash, index } of text.matchAll(/<(\/?)response>/gi)) {
      const rest = text.slice(index + tag.length);
      if (slash === "") this.#depth++;
      else if (rest.search(/\S/) === -1) return this.#showTo(index, text, over);
      else if (--this.#depth === 0) {
        const shown = this.#showTo(index, text, true);
        this.#doubtful = [text.slice(shown.length)];
        return shown;
      }
    }
    const from = text.lastIndexOf("<");
    const tail = from === -1 ? "" : text.slice(from).trimEnd().toLowerCase();
    const mayBeTag = !over && tail !== "" && [opening, closing].some((tag) => tag.length > tail.length && tag.startsWith(tail));
    return this.#showTo(mayBeTag ? from : text.length, text);
  }

  /** The wrapper's closing tag is the one that ends the reply, if one does; else the first, and the worker went on after it. */
  #decided(text: string): string {
    const whole = text.trimEnd();
    const first = whole.search(/\S/);
    const afterFirst = first + closing.length;
    const endsWithIt = whole.length > afterFirst && whole.toLowerCase().endsWith(closing);
    const shown = endsWithIt ? whole.slice(0, -closing.length) : whole.slice(0, first) + whole.slice(afterFirst);
    return this.#showTo(shown.length, this.#shown ? shown : shown.trimStart(), true);
  }

  /** Shows the text up to there, and holds what follows, with the white space before it. */
  #showTo(to: number, text: string, over = false): string {
    const shown = text.slice(0, to).trimEnd();
    this.#shown ||= shown !== "";
    if (!over) this.#held = text.slice(shown.length);
    return shown;
  }
}

/** The text of a worker's whole reply. */
export function responseText(reply: string): string {
  const text = new ResponseText();
  return text.add(reply) + text.end();
}

/** What a worker says is missing, where its whole answer is `<unable>...</unable>`. */
export function unableReason(result: string): string | undefined {
  const inside = /^<unable>([^]*)<\/unable>$/i.exec(result)?.[1]?.trim();
  if (inside === undefined || !closesNoMoreThanItOpens(inside)) return undefined;
  return inside === "" ? "it does not say what is missing" : inside;
}

/** A result may begin and end with such an element and be no such answer: then the first is closed before the last is opened. */
function closesNoMoreThanItOpens(inside: string): boolean {
  let depth = 0;
  for (const [, slash] of inside.matchAll(/<(\/?)unable>/gi)) {
    depth += slash === "" ? 1 : -1;
    if (depth < 0) return false;
  }
  return true;
}
