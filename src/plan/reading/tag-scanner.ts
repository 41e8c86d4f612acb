import { TagEnd } from "./attributes.ts";

/** The tags of the plan format. Whatever else stands in angle brackets is text. */
export type TagName = "analysis" | "think" | "tasks" | "task" | "type" | "description" | "id" | "after" | "answer";

const tagNames: Readonly<Record<string, TagName>> = {
  analysis: "analysis",
  think: "think",
  thinking: "think",
  tasks: "tasks",
  task: "task",
  type: "type",
  description: "description",
  id: "id",
  after: "after",
  answer: "answer",
};

const longestName = Math.max(...Object.keys(tagNames).map((name) => name.length));

export interface Tag {
  readonly name: TagName;
  readonly kind: "open" | "close" | "empty";
  /** What stands between the name and the `>`. */
  readonly attributes: string;
  /** As written. */
  readonly raw: string;
}

export interface TagHandler {
  text(text: string): void;
  tag(tag: Tag): void;
  /** Text of a CDATA section: taken as it is. */
  cdata(text: string): void;
  /** Asked at `<`: can a tag stand here, or is it text? */
  takesTags(): boolean;
  /** Asked at `<![CDATA[`: does it open a section here? */
  takesCdata(): boolean;
}

const cdataOpen = "<![CDATA[";
const cdataClose = "]]>";

/** A tag whose name was read; it ends where a `>` comes. */
interface BegunTag {
  readonly name: TagName;
  readonly closing: boolean;
  /** Where its name is over, counted from its `<`. */
  readonly nameTo: number;
  readonly end: TagEnd;
}

/**
 * Splits text into tags of the plan format and everything else, chunk by chunk. At most one unfinished tag is held back.
 * A `<` never needs a second look: attributes hold no `<`, so that a tag which turns out to be none ends before the next one.
 */
export class TagScanner {
  steps = 0;
  readonly #handler: TagHandler;
  /** Text from a `<` on that may still become a tag. */
  #held = "";
  /** Which tag, where that is known already. */
  #begun: BegunTag | undefined;
  /** The open CDATA section, in pieces; joined once. */
  #cdata: string[] | undefined;
  #cdataTail = "";
  #cdataAllowed = true;

  constructor(handler: TagHandler) {
    this.#handler = handler;
  }

  push(chunk: string): void {
    this.#scanAll(chunk);
  }

  /** The text is over: what is held back is what it can be without more. A CDATA section that was never closed was none. */
  end(): void {
    if (this.#cdata !== undefined) {
      const unread = this.#cdata.join("");
      this.#cdata = undefined;
      this.#cdataAllowed = false;
      this.#handler.text(cdataOpen);
      this.#scanAll(unread);
    }
    this.#scan("", true);
  }

  #scanAll(chunk: string): void {
    this.steps += chunk.length;
    let rest = chunk;
    while (rest !== "") rest = this.#cdata === undefined ? this.#scan(rest) : this.#scanCdata(this.#cdata, rest);
  }

  /** Gives back what follows where a CDATA section opens. */
  #scan(chunk: string, isAll = false): string {
    const text = this.#held + chunk;
    let from = this.#held === "" ? text.indexOf("<") : 0;
    let done = 0;
    this.#held = "";
    while (from !== -1) {
      if (from > done) this.#handler.text(text.slice(done, from));
      done = from;
      const found = this.#tagAt(text, from, isAll);
      if (found === "unfinished") {
        this.#held = text.slice(from);
        return "";
      }
      this.#begun = undefined;
      if (found === "cdata") {
        this.#cdata = [];
        this.#cdataTail = "";
        return text.slice(from + cdataOpen.length);
      }
      if (found !== "text") {
        done = from + found.raw.length;
        this.#handler.tag(found);
      }
      from = text.indexOf("<", Math.max(done, from + 1));
    }
    if (done < text.length) this.#handler.text(text.slice(done));
    return "";
  }

  /** Gives back what follows where the section closes. */
  #scanCdata(pieces: string[], chunk: string): string {
    const text = this.#cdataTail + chunk;
    const close = text.indexOf(cdataClose);
    if (close === -1) {
      pieces.push(chunk);
      this.#cdataTail = text.slice(-(cdataClose.length - 1));
      return "";
    }
    const end = close + cdataClose.length - this.#cdataTail.length;
    pieces.push(chunk.slice(0, end));
    this.#cdata = undefined;
    this.#handler.cdata(pieces.join("").slice(0, -cdataClose.length));
    return chunk.slice(end);
  }

  /** What the `<` begins. `unfinished` where more of the text will tell; never where this is all of it. */
  #tagAt(text: string, from: number, isAll: boolean): Tag | "cdata" | "text" | "unfinished" {
    if (!this.#handler.takesTags()) return "text";
    const unfinished = isAll ? "text" : "unfinished";
    if (text.charCodeAt(from + 1) === 33 /* ! */ && this.#cdataAllowed && this.#handler.takesCdata()) {
      const start = text.slice(from, from + cdataOpen.length);
      if (start === cdataOpen) return "cdata";
      return cdataOpen.startsWith(start) ? unfinished : "text";
    }
    const begun = this.#begun ?? this.#nameAt(text, from);
    if (typeof begun === "string") return begun === "unfinished" ? unfinished : begun;
    this.#begun = begun;
    const { name, closing, nameTo, end } = begun;
    const before = end.steps;
    const to = end.find(text, from, isAll);
    this.steps += end.steps - before;
    if (typeof to === "string") return to;
    const inside = text.slice(from + nameTo, from + to);
    const empty = inside.endsWith("/");
    return {
      name,
      kind: closing ? "close" : empty ? "empty" : "open",
      attributes: empty ? inside.slice(0, -1) : inside,
      raw: text.slice(from, from + to + 1),
    };
  }

  #nameAt(text: string, from: number): BegunTag | "text" | "unfinished" {
    const closing = text.charCodeAt(from + 1) === 47; /* / */
    const nameFrom = from + (closing ? 2 : 1);
    let nameTo = nameFrom;
    while (nameTo < text.length && isLetter(text.charCodeAt(nameTo)) && nameTo - nameFrom <= longestName) nameTo++;
    this.steps += nameTo - from;
    const word = text.slice(nameFrom, nameTo).toLowerCase();
    if (nameTo === text.length) return couldBecomeName(word) ? "unfinished" : "text";
    const name = Object.hasOwn(tagNames, word) ? tagNames[word] : undefined;
    if (name === undefined || !endsName(text.charCodeAt(nameTo))) return "text";
    return { name, closing, nameTo: nameTo - from, end: new TagEnd(nameTo - from) };
  }
}

function couldBecomeName(start: string): boolean {
  return Object.keys(tagNames).some((name) => name.startsWith(start));
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

/** White space, `/` or `>`: what may follow a tag's name. */
function endsName(code: number): boolean {
  return code === 62 || code === 47 || code === 32 || (code >= 9 && code <= 13);
}
