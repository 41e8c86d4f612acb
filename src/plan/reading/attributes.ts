/** A tag longer than this is text: it bounds what may be held back while a tag is not yet closed. */
const longestTag = 1024;

/** A quote that is not closed within so many characters opens no value. */
const longestValue = 256;

const lineFeed = 10;
const carriageReturn = 13;
const doubleQuote = 34;
const singleQuote = 39;
const slash = 47;
const less = 60;
const equals = 61;
const greater = 62;

/** A value in quotes. Places are counted from the tag's `<`. */
interface Quoted {
  readonly quote: number;
  readonly at: number;
  /** The first `>` in it. */
  greaterAt?: number;
}

/**
 * Finds where a tag ends, piece by piece, looking at each character once: at the first `>` that stands in no quoted value. A
 * quote that is not closed in its line, before a `<` and within its bound opened no value, so that a forgotten one swallows
 * nothing of the plan: then the first `>` after it ends the tag.
 */
export class TagEnd {
  steps = 0;
  /** What comes next. */
  #at: number;
  /** The value that is open. */
  #open: Quoted | undefined;
  /** The value that was closed by the last character. */
  #closed: Quoted | undefined;
  /** The first `>` in any value: the tag's end, where it would have no other. */
  #greaterAt: number | undefined;
  /** After an `=`: here a quote opens a value. */
  #valueIsNext = false;

  /** @param from where its name is over, counted from its `<` */
  constructor(from: number) {
    this.#at = from;
  }

  /**
   * Where the `>` stands, counted from the tag's `<`; `text` where it is no tag.
   *
   * @param text what there is: from the tag's `<` on the same as the last time, and more
   * @param from where its `<` stands
   * @param isAll nothing more comes
   */
  find(text: string, from: number, isAll: boolean): number | "text" | "unfinished" {
    const to = Math.min(text.length - from, longestTag);
    for (; this.#at < to; this.#at++) {
      this.steps++;
      const code = text.charCodeAt(from + this.#at);
      const end = this.#open === undefined ? this.#outside(code) : this.#inValue(code, this.#open);
      if (end !== undefined) return end;
    }
    return isAll || to === longestTag ? this.#otherwise() : "unfinished";
  }

  #inValue(code: number, value: Quoted): number | "text" | undefined {
    if (code === value.quote) {
      this.#open = undefined;
      this.#closed = value;
    } else if (code === less) {
      return this.#otherwise();
    } else if (code === lineFeed || code === carriageReturn || this.#at - value.at > longestValue) {
      this.#open = undefined;
      return value.greaterAt;
    } else if (code === greater) {
      value.greaterAt ??= this.#at;
      this.#greaterAt ??= this.#at;
    }
    return undefined;
  }

  #outside(code: number): number | "text" | undefined {
    // Here another attribute or the end follows a value. Where anything else does, its last quote opened some other text.
    const before = this.#closed;
    this.#closed = undefined;
    if (before?.greaterAt !== undefined && !isSpace(code) && code !== slash && code !== greater) return before.greaterAt;
    if (code === greater) return this.#at;
    if (code === less) return this.#otherwise();
    if (this.#valueIsNext && (code === doubleQuote || code === singleQuote)) this.#open = { quote: code, at: this.#at };
    this.#valueIsNext = code === equals || (this.#valueIsNext && isSpace(code));
    return undefined;
  }

  /** No `>` comes outside of values. */
  #otherwise(): number | "text" {
    return this.#open?.greaterAt ?? this.#greaterAt ?? "text";
  }
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** `name="value"`, `name='value'` or `name=value`, names in lower case. The look-behind keeps the search linear. */
export function readAttributes(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name, double, single, bare] of text.matchAll(/(?<![a-z_-])([a-z_-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))/gi)) {
    if (name !== undefined) found.set(name.toLowerCase(), double ?? single ?? bare ?? "");
  }
  return found;
}
