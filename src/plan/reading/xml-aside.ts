import type { Tag } from "./tag-scanner.ts";

type AsideName = "analysis" | "think";

/** An `<analysis>` or a `<think>` while it is written: nothing in it is read as a plan, whatever tags it quotes. */
export class XmlAside {
  readonly name: AsideName;
  /** Its own opening tags that are not closed yet. */
  #depth = 1;
  readonly #pieces: string[] = [];

  constructor(name: AsideName) {
    this.name = name;
  }

  get content(): string {
    return this.#pieces.join("");
  }

  text(text: string): void {
    this.#pieces.push(text);
  }

  /** True where the tag closes it. */
  tag(tag: Tag): boolean {
    if (tag.name === this.name && tag.kind !== "empty") this.#depth += tag.kind === "open" ? 1 : -1;
    if (this.#depth > 0) this.#pieces.push(tag.raw);
    return this.#depth === 0;
  }

  /**
   * Takes it apart where it never came to its end: its own text, and what it held back. It ended at its last closing tag,
   * where it spoke of its own opening tag; an analysis without any, where `<tasks>` begins.
   *
   * @param mark what it quotes may have opened or closed it: then the last `<tasks>` with this mark is the planner's own
   */
  takeApart(mark?: string): { readonly own: string; readonly rest: string } {
    const text = this.content;
    const plan = mark === undefined ? undefined : lastOf(text, new RegExp(`<tasks\\s[^<>]*${mark}`, "gi"));
    const head = plan === undefined ? text : text.slice(0, plan.index);
    const close = lastOf(head, this.name === "think" ? /<\/think(?:ing)?\s*>/gi : /<\/analysis\s*>/gi);
    const own = close === undefined ? head : head.slice(0, close.index);
    if (plan !== undefined) return { own, rest: text.slice(plan.index) };
    if (close !== undefined) return { own, rest: text.slice(close.index + close[0].length) };
    const from = this.name === "analysis" ? text.search(/<tasks[\s>]/i) : -1;
    return from === -1 ? { own: text, rest: "" } : { own: text.slice(0, from), rest: text.slice(from) };
  }
}

function lastOf(text: string, tag: RegExp): RegExpExecArray | undefined {
  return [...text.matchAll(tag)].at(-1);
}

/** The aside that begins with this tag, if one does. */
export function asideOpenedBy({ name, kind }: Tag): XmlAside | undefined {
  return kind === "open" && (name === "analysis" || name === "think") ? new XmlAside(name) : undefined;
}
