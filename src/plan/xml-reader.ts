import { AnswerText } from "./answer-text.ts";
import { FieldText } from "./field-text.ts";
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
  /** Inside `<analysis>` or `<think>`: nothing in it is read as a plan. */
  | { readonly at: "aside"; readonly name: "analysis" | "think"; readonly back: Place; depth: number; readonly text: string[] }
  | { readonly at: "closed" };

type OpenTask = { -readonly [K in keyof Draft]: Draft[K] } & { loose: FieldText };

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
    takesCdata: () => this.#place.at === "field" || this.#place.at === "task",
  });
  #place: Place = { at: "outside" };
  #items: PlanItem[] = [];
  #task: OpenTask | undefined;
  #field = new FieldText();
  /** `</task>` and the white space after it, inside an open description: the next tag decides what it was. */
  #heldClose: string | undefined;
  readonly #answer = new AnswerText();
  #subtasks = 0;
  #analysis = "";
  #rereadSteps = 0;

  get steps(): number {
    return this.#scanner.steps + this.#rereadSteps;
  }

  push(chunk: string): PlanItem[] {
    this.#scanner.push(chunk);
    return this.#take();
  }

  end(): PlanEnd {
    this.#scanner.end();
    if (this.#heldClose !== undefined) this.#closeHeldTask();
    const place = this.#place;
    const unclosed = place.at === "aside" && place.name === "analysis" ? place.text.join("") : undefined;
    const tasksFrom = unclosed === undefined ? -1 : unclosed.search(/<tasks[\s>]/i);
    if (unclosed !== undefined && tasksFrom !== -1) {
      const analysis = unclosed.slice(0, tasksFrom);
      const rest = new XmlPlanReader();
      const items = [...this.#take(), ...rest.push(unclosed.slice(tasksFrom))];
      const end = rest.end();
      this.#rereadSteps = rest.steps;
      return { ...end, items: [...items, ...end.items], analysis: this.#joinAnalysis(analysis) };
    }
    const analysis = unclosed === undefined ? this.#analysis : this.#joinAnalysis(unclosed);
    return { items: this.#take(), state: this.#endState(), analysis: analysis.trim() };
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
        this.#addAnswer(text);
        break;
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
        return this.#inTask(tag);
      case "field":
        return place.name === "description" ? this.#inDescription(tag) : this.#inShortField(tag, place.name);
      case "answer":
        if (tag.name === "answer" && tag.kind !== "empty") place.depth += tag.kind === "open" ? 1 : -1;
        if (place.depth === 0) this.#place = { at: "closed" };
        else this.#addAnswer(tag.raw);
        return;
      case "aside":
        if (tag.name === place.name && tag.kind !== "empty") place.depth += tag.kind === "open" ? 1 : -1;
        if (place.depth > 0) {
          place.text.push(tag.raw);
          return;
        }
        if (place.name === "analysis") this.#analysis = this.#joinAnalysis(place.text.join(""));
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
        this.#place = tag.kind === "empty" ? { at: "closed" } : { at: "tasks" };
        return;
      }
      case "task":
        this.#openTask(tag);
        return;
      case "answer":
        if (this.#subtasks === 0 && tag.kind === "open") this.#place = { at: "answer", depth: 1 };
    }
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
      this.#closeHeldTask();
      this.#betweenTasks(tag);
      return;
    }
    if (this.#heldClose !== undefined) this.#keepHeldClose("");
    if (tag.kind === "close" && tag.name === "description") this.#closeField("description");
    else if (tag.kind === "close" && tag.name === "task") this.#heldClose = tag.raw;
    else this.#field.add(tag.raw);
  }

  #keepHeldClose(following: string): void {
    this.#field.add((this.#heldClose ?? "") + following);
    this.#heldClose = undefined;
  }

  #closeHeldTask(): void {
    this.#heldClose = undefined;
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
      if (name === "after") this.#task.after = [...this.#task.after, ...splitNames(text)];
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
    this.#items.push({ type: "subtask", draft: { ...draft, description } });
  }

  #addAnswer(text: string): void {
    const delta = this.#answer.add(text);
    if (delta !== "") this.#items.push({ type: "answer", delta });
  }

  #joinAnalysis(more: string): string {
    return [this.#analysis, more.trim()].filter((text) => text !== "").join("\n");
  }
}

function isFieldName(name: TagName): name is FieldName {
  return name === "type" || name === "description" || name === "id" || name === "after";
}
