import { readAttributes } from "./attributes.ts";
import { FieldText } from "./field-text.ts";
import { type Draft, splitNames } from "./reader.ts";
import type { Tag, TagName } from "./tag-scanner.ts";

type FieldName = "type" | "description" | "id" | "after";

/** What a tag means for the task in which it stands. */
export type TagInTask =
  | "taken"
  /** It stands between two fields, and is none of the task's. */
  | "beside"
  /** It closes the task. */
  | "closes"
  /** The task was over before it. */
  | "over";

/** One `<task>` while it is written: its attributes, its fields, and what stands beside them. */
export class XmlTask {
  readonly #draft: { -readonly [K in keyof Draft]: Draft[K] };
  readonly #after: string[];
  /** What stands beside its fields: its description, where it has none. */
  readonly #loose: FieldText = new FieldText();
  #open: { readonly name: FieldName; readonly text: FieldText } | undefined;
  /** A `</task>` in an open description, and the white space after it: what follows decides whether it closed the task. */
  #heldClose: string | undefined;
  readonly #mayQuote: boolean;

  /** @param mayQuote its description may hold closing tags that it quotes: only those that no text follows close it */
  constructor(tag: Tag, mayQuote = false) {
    this.#mayQuote = mayQuote;
    const attributes = readAttributes(tag.attributes);
    const id = attributes.get("id")?.trim();
    this.#after = splitNames(attributes.get("after") ?? "");
    this.#draft = {
      type: attributes.get("type")?.trim() ?? "",
      description: attributes.get("description")?.trim() ?? "",
      after: this.#after,
      ...(id && { id }),
    };
  }

  /** Nothing where it holds no instruction. */
  get draft(): Draft | undefined {
    const description = this.#draft.description || this.#loose.toString();
    return description === "" ? undefined : { ...this.#draft, description };
  }

  text(text: string): void {
    if (this.#open === undefined) this.#loose.add(text);
    else if (this.#heldClose === undefined) this.#open.text.add(text);
    // A fence that closes the whole plan may stand between the last task and the end.
    else if (/^[\s`]*$/.test(text)) this.#heldClose += text;
    else this.#keepHeldClose(text);
  }

  cdata(text: string): void {
    this.#keepHeldClose("");
    (this.#open?.text ?? this.#loose).addVerbatim(text);
  }

  tag(tag: Tag): TagInTask {
    if (this.#open?.name === "description") return this.#inDescription(tag);
    if (this.#open !== undefined) {
      // Ids, types and dependencies hold no tags: whatever tag comes ends them.
      const { name } = this.#open;
      this.#closeField();
      if (tag.kind === "close" && tag.name === name) return "taken";
    }
    if (isFieldName(tag.name)) {
      if (tag.kind === "open") this.#open = { name: tag.name, text: new FieldText() };
      return "taken";
    }
    if (tag.name === "task") return tag.kind === "close" ? "closes" : "over";
    return tag.name === "tasks" && tag.kind === "close" ? "over" : "beside";
  }

  /** The reply is over: what of the plan was over before it? Where only the task was, `</description>` alone may have been forgotten. */
  end(): "task" | "plan" | undefined {
    const held = this.#heldClose;
    if (held === undefined) return undefined;
    this.#closeField();
    return /<\/tasks\s*>/i.test(held) ? "plan" : "task";
  }

  /**
   * Only `</description>` ends a description. `</task>` does where another task, `</tasks>` or the end follows: there
   * `</description>` was forgotten.
   */
  #inDescription(tag: Tag): TagInTask {
    if (this.#mayQuote) {
      if (this.#holds(tag)) {
        this.#heldClose = (this.#heldClose ?? "") + tag.raw;
        return "taken";
      }
      if (this.#heldClose !== undefined && isFieldName(tag.name) && tag.kind === "open") {
        this.#closeField();
        return this.tag(tag);
      }
    }
    const endsTask = (tag.name === "task" && tag.kind === "open") || (tag.name === "tasks" && tag.kind === "close");
    if (this.#heldClose !== undefined && endsTask) {
      this.#closeField();
      return "over";
    }
    this.#keepHeldClose("");
    if (tag.kind === "close" && tag.name === "description") this.#closeField();
    else if (tag.kind === "close" && tag.name === "task") this.#heldClose = tag.raw;
    else this.#open?.text.add(tag.raw);
    return "taken";
  }

  /** May it be one of the closing tags of the task, in their order? */
  #holds({ name, kind }: Tag): boolean {
    return kind === "close" && (name === "description" || name === "task" || (name === "tasks" && this.#heldClose !== undefined));
  }

  /** It closed nothing: it is text. */
  #keepHeldClose(following: string): void {
    if (this.#heldClose !== undefined) this.#open?.text.add(this.#heldClose + following);
    this.#heldClose = undefined;
  }

  #closeField(): void {
    if (this.#open === undefined) return;
    const { name } = this.#open;
    const text = this.#open.text.toString();
    if (name === "after") for (const needed of splitNames(text)) this.#after.push(needed);
    else if (text !== "") this.#draft[name] = text;
    this.#open = undefined;
    this.#heldClose = undefined;
  }
}

function isFieldName(name: TagName): name is FieldName {
  return name === "type" || name === "description" || name === "id" || name === "after";
}
