import { AnswerText } from "./answer-text.ts";
import { decodeEntities, FieldText } from "./field-text.ts";
import { asCombine, type Draft, type PlanEnd, type PlanItem, type PlanReader, splitNames } from "./reader.ts";
import { readAttributes, type Tag, type TagName, TagScanner } from "./tag-scanner.ts";

type FieldName = "type" | "description" | "id" | "after";

/** Where in the plan the reader stands. */
type Place =
  | { readonly at: "outside" }
  /** Inside `<tasks>`, between two tasks. */
  | { readonly at: "tasks" }
  | { readonly at: "task" }
  | { readonly at: "field"; readonly name: FieldName }
  | { readonly at: "answer"; depth: number }
  | Aside
  | { readonly at: "closed" };

/** Inside `<analysis>` or `<think>`: nothing in it is read as a plan. */
type Aside = { readonly at: "aside"; readonly name: "analysis" | "think"; readonly back: Place; depth: number; readonly text: string[] };

/** `loose`: what stands in it beside its fields. */
type OpenTask = { -readonly [K in keyof Draft]: Draft[K] } & { readonly after: string[]; readonly loose: FieldText };

/**
 * Reads the pattern's XML as models write it. XML parsers lose text at a stray `<` or `&`; this one knows the plan's own
 * tags and takes everything else as text.
 */
export function xmlPlanReader(): PlanReader {
  return new XmlPlanReader();
}

class XmlPlanReader implements PlanReader {
  readonly #scanner: TagScanner = new TagScanner({
    text: (text) => this.#onText(text),
    tag: (tag) => this.#onTag(tag),
    cdata: (text) => this.#onCdata(text),
    takesTags: () => true,
    takesCdata: () => this.#place.at === "field" || this.#place.at === "task",
  });
  #place: Place = { at: "outside" };
  #items: PlanItem[] = [];
  #task: OpenTask | undefined;
  #field = new FieldText();
  /** What may close an open description (`</task>`) or answer, and the white space after it: what follows decides. */
  #heldClose: string | undefined;
  readonly #answer = new AnswerText();
  #subtasks = 0;
  /** `<tasks>` has opened, or a task has closed: what stands in tags now is the plan, not prose that speaks of it. */
  #begun = false;
  readonly #analyses: string[] = [];

  get steps(): number {
    return this.#scanner.steps;
  }

  push(chunk: string): PlanItem[] {
    this.#scanner.push(chunk);
    return this.#take();
  }

  end(): PlanEnd {
    this.#scanner.end();
    if (this.#place.at === "aside") this.#endAside(this.#place);
    if (this.#heldClose !== undefined) this.#takeHeldClose();
    return { items: this.#take(), state: this.#endState(), analysis: this.#analyses.join("\n") };
  }

  /** An aside that was never closed: what it held back is read again, once; a second time would not be linear. */
  #endAside({ name, text, back }: Aside): void {
    const { own, rest } = splitAside(name, text.join(""));
    if (name === "analysis") this.#addAnalysis(own);
    if (rest === "") return;
    this.#place = back;
    this.#scanner.push(rest);
    this.#scanner.end();
  }

  #endState(): PlanEnd["state"] {
    switch (this.#place.at) {
      case "closed":
        return "closed";
      case "answer":
        return this.#answer.begun ? "open" : "cut";
      case "tasks":
      case "outside":
        return this.#subtasks > 0 ? "open" : "cut";
      default:
        return "cut";
    }
  }

  #take(): PlanItem[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #onText(text: string): void {
    const place = this.#place;
    switch (place.at) {
      case "aside":
        place.text.push(text);
        break;
      case "task":
        this.#task?.loose.add(text);
        break;
      case "field":
        if (this.#heldClose === undefined) this.#field.add(text);
        // A fence that closes the whole plan may stand between the last task and the end.
        else if (/^[\s`]*$/.test(text)) this.#heldClose += text;
        else this.#keepHeldClose(text);
        break;
      case "answer":
        if (this.#heldClose === undefined) this.#addAnswer(text);
        else if (/^\s*$/.test(text)) this.#heldClose += text;
        else this.#keepHeldClose(text);
        break;
      default:
      // Prose around the plan.
    }
  }

  #onCdata(text: string): void {
    if (this.#heldClose !== undefined) this.#keepHeldClose("");
    if (this.#place.at === "task") this.#task?.loose.addVerbatim(text);
    else this.#field.addVerbatim(text);
  }

  #onTag(tag: Tag): void {
    const place = this.#place;
    switch (place.at) {
      case "outside":
      case "tasks":
      case "closed":
        return this.#betweenTasks(tag);
      case "task":
        if (this.#wasMention(tag)) return this.#betweenTasks(tag);
        return this.#inTask(tag);
      case "field":
        if (this.#wasMention(tag)) return this.#betweenTasks(tag);
        return place.name === "description" ? this.#inDescription(tag) : this.#inShortField(tag, place.name);
      case "answer":
        if (this.#heldClose !== undefined) this.#keepHeldClose("");
        if (tag.name === "answer" && tag.kind !== "empty") place.depth += tag.kind === "open" ? 1 : -1;
        if (place.depth === 0) this.#place = { at: "closed" };
        // An answer may speak of <answer> without closing it: then this was the end, if nothing follows.
        else if (tag.name === "answer" && tag.kind === "close") this.#heldClose = tag.raw;
        else this.#addAnswer(tag.raw);
        return;
      case "aside":
        if (tag.name === place.name && tag.kind !== "empty") place.depth += tag.kind === "open" ? 1 : -1;
        if (place.depth > 0) {
          place.text.push(tag.raw);
          return;
        }
        if (place.name === "analysis") this.#addAnalysis(place.text.join(""));
        this.#place = place.back;
    }
  }

  #betweenTasks(tag: Tag): void {
    // After its closing mark the plan is over; only where it was empty may another one follow.
    if (this.#place.at === "closed" && (this.#subtasks > 0 || this.#answer.begun)) return;
    if (tag.kind === "close") {
      if (tag.name === "tasks") this.#place = { at: "closed" };
      return;
    }
    switch (tag.name) {
      case "analysis":
      case "think":
        if (tag.kind === "open") this.#place = { at: "aside", name: tag.name, back: this.#place, depth: 1, text: [] };
        return;
      case "tasks": {
        const combine = asCombine(readAttributes(tag.attributes).get("combine"));
        if (combine !== undefined) this.#items.push({ type: "combine", combine });
        this.#begun = true;
        this.#place = tag.kind === "empty" ? { at: "closed" } : { at: "tasks" };
        return;
      }
      case "task":
        this.#openTask(tag);
        return;
      case "answer":
        if (this.#subtasks === 0 && tag.kind === "open") this.#place = { at: "answer", depth: 1 };
        return;
      default:
      // A field of no task.
    }
  }

  /** Prose before the plan may speak of `<task>`: where `<tasks>` then opens for the first time, it did. */
  #wasMention(tag: Tag): boolean {
    if (this.#begun || tag.name !== "tasks" || tag.kind !== "open") return false;
    this.#task = undefined;
    this.#heldClose = undefined;
    return true;
  }

  #inTask(tag: Tag): void {
    if (isFieldName(tag.name)) {
      if (tag.kind === "open") this.#openField(tag.name);
      return;
    }
    if (tag.name === "task" || (tag.name === "tasks" && tag.kind === "close")) {
      this.#closeTask();
      if (tag.name === "tasks") this.#place = { at: "closed" };
      else if (tag.kind !== "close") this.#openTask(tag);
      return;
    }
    if ((tag.name === "think" || tag.name === "analysis") && tag.kind === "open") {
      this.#place = { at: "aside", name: tag.name, back: this.#place, depth: 1, text: [] };
    }
  }

  /** Ids, types and dependencies hold no tags: whatever tag comes ends them. */
  #inShortField(tag: Tag, name: FieldName): void {
    this.#closeField(name);
    if (tag.kind !== "close" || tag.name !== name) this.#inTask(tag);
  }

  /**
   * Only `</description>` ends a description. `</task>` does where another task, `</tasks>` or the end follows: there
   * `</description>` was forgotten.
   */
  #inDescription(tag: Tag): void {
    const endsTask = (tag.name === "task" && tag.kind === "open") || (tag.name === "tasks" && tag.kind === "close");
    if (this.#heldClose !== undefined && endsTask) {
      this.#takeHeldClose();
      this.#betweenTasks(tag);
      return;
    }
    if (this.#heldClose !== undefined) this.#keepHeldClose("");
    if (tag.kind === "close" && tag.name === "description") this.#closeField("description");
    else if (tag.kind === "close" && tag.name === "task") this.#heldClose = tag.raw;
    else this.#field.add(tag.raw);
  }

  /** It closed nothing: it is text. */
  #keepHeldClose(following: string): void {
    const text = (this.#heldClose ?? "") + following;
    this.#heldClose = undefined;
    if (this.#place.at === "answer") this.#addAnswer(text);
    else this.#field.add(text);
  }

  /** It closed what was open. */
  #takeHeldClose(): void {
    this.#heldClose = undefined;
    if (this.#place.at === "answer") {
      this.#place = { at: "closed" };
      return;
    }
    this.#closeField("description");
    this.#closeTask();
  }

  #openTask(tag: Tag): void {
    const attributes = readAttributes(tag.attributes);
    const id = attributes.get("id")?.trim();
    this.#task = {
      type: attributes.get("type")?.trim() ?? "",
      description: attributes.get("description")?.trim() ?? "",
      after: splitNames(attributes.get("after") ?? ""),
      loose: new FieldText(),
      ...(id && { id }),
    };
    this.#place = { at: "task" };
    if (tag.kind === "empty") this.#closeTask();
  }

  #openField(name: FieldName): void {
    this.#field = new FieldText();
    this.#place = { at: "field", name };
  }

  #closeField(name: FieldName): void {
    const text = this.#field.toString();
    if (this.#task !== undefined) {
      if (name === "after") for (const needed of splitNames(text)) this.#task.after.push(needed);
      else if (text !== "") this.#task[name] = text;
    }
    this.#place = { at: "task" };
  }

  #closeTask(): void {
    this.#place = { at: "tasks" };
    const task = this.#task;
    this.#task = undefined;
    if (task === undefined) return;
    const { loose, ...draft } = task;
    const description = draft.description || loose.toString();
    if (description === "") return;
    this.#subtasks++;
    this.#begun = true;
    this.#items.push({ type: "subtask", draft: { ...draft, description } });
  }

  #addAnswer(text: string): void {
    const delta = this.#answer.add(text);
    if (delta !== "") this.#items.push({ type: "answer", delta });
  }

  #addAnalysis(markup: string): void {
    const text = decodeEntities(markup).trim();
    if (text !== "") this.#analyses.push(text);
  }
}

function isFieldName(name: TagName): name is FieldName {
  return name === "type" || name === "description" || name === "id" || name === "after";
}

/**
 * Takes apart an aside that never came to its end: its own text, and what it held back. It ended at its last closing tag, where it
 * spoke of its own opening tag; an analysis without any, where `<tasks>` begins.
 */
function splitAside(name: "analysis" | "think", text: string): { own: string; rest: string } {
  const last = [...text.matchAll(name === "think" ? /<\/think(?:ing)?\s*>/gi : /<\/analysis\s*>/gi)].at(-1);
  if (last !== undefined) return { own: text.slice(0, last.index), rest: text.slice(last.index + last[0].length) };
  const from = name === "analysis" ? text.search(/<tasks[\s>]/i) : -1;
  return from === -1 ? { own: text, rest: "" } : { own: text.slice(0, from), rest: text.slice(from) };
}
