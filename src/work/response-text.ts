const opening = "<response>";
const closing = "</response>";

/**
 * A worker's text on its way: without white space around it, and without a `<response>` around the whole, in which the pattern
 * has workers wrap what they deliver. What is shown in pieces is, put together, exactly the result.
 */
export class ResponseText {
  #begun = false;
  #wrapped = false;
  /** Before the text has begun: what may be the wrapper. Later: an end that may be white space or the closing tag. */
  #held = "";

  /** What can be shown now; empty where nothing can. */
  add(text: string): string {
    if (text.trim() === "" && (this.#begun || this.#held === "")) {
      if (this.#begun) this.#held += text;
      return "";
    }
    return this.#take(this.#held + text, false);
  }

  /** The rest, when the reply is over. */
  end(): string {
    return this.#take(this.#held, true);
  }

  #take(text: string, over: boolean): string {
    let rest = text;
    if (!this.#begun) {
      rest = rest.trimStart();
      const start = rest.slice(0, opening.length).toLowerCase();
      if (!over && start.length < opening.length && opening.startsWith(start)) {
        this.#held = rest;
        return "";
      }
      if (!this.#wrapped && start === opening) {
        this.#wrapped = true;
        rest = rest.slice(opening.length).trimStart();
      }
      if (rest === "") {
        this.#held = "";
        return "";
      }
      this.#begun = true;
    }
    const shown = rest.slice(0, this.#endOf(rest, over));
    this.#held = over ? "" : rest.slice(shown.length);
    return shown;
  }

  /** Where what can be shown ends: before white space, and before what is or may become the closing tag. */
  #endOf(text: string, over: boolean): number {
    const end = text.trimEnd().length;
    if (!this.#wrapped) return end;
    const from = text.lastIndexOf("<", end);
    if (from === -1) return end;
    const tail = text.slice(from, end).toLowerCase();
    const isClosing = over ? tail === closing : closing.startsWith(tail);
    return isClosing ? text.slice(0, from).trimEnd().length : end;
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
  return inside === "" ? "it does not say what is missing" : inside;
}
