import { readAttributes } from "./attributes.ts";
import { decodeEntities } from "./field-text.ts";
import { asCombine, type PlanEnd, type PlanItem, type PlanReader } from "./reader.ts";
import { type Tag, TagScanner } from "./tag-scanner.ts";
import { XmlAnswer } from "./xml-answer.ts";
import { asideOpenedBy, type XmlAside } from "./xml-aside.ts";
import { XmlTask } from "./xml-task.ts";

/** Where in the plan the reader stands. */
type Place =
  | { readonly at: "outside" }
  /** Inside `<tasks>`, between two tasks. */
  | { readonly at: "tasks" }
  | { readonly at: "task"; readonly task: XmlTask }
  | { readonly at: "answer"; readonly answer: XmlAnswer }
  | { readonly at: "aside"; readonly aside: XmlAside; readonly back: Place }
  | { readonly at: "closed" };

/**
 * Reads the pattern's XML as models write it. XML parsers lose text at a stray `<` or `&`; this one knows the plan's own
 * tags and takes everything else as text.
 *
 * @param mark where the request holds such tags itself: `<tasks>`, `<task>` and `<answer>` count only with this mark
 */
export function xmlPlanReader(mark?: string): PlanReader {
  return new XmlPlanReader(mark);
}

class XmlPlanReader implements PlanReader {
  readonly #scanner: TagScanner = new TagScanner({
    text: (text) => this.#onText(text),
    tag: (tag) => this.#onTag(tag),
    cdata: (text) => this.#onCdata(text),
    takesTags: () => true,
    takesCdata: () => this.#place.at === "task",
  });
  readonly #items: PlanItem[] = [];
  readonly #mark: string | undefined;
  #place: Place = { at: "outside" };
  /** The last one that opened. */
  #answer: XmlAnswer | undefined;
  #subtasks = 0;
  /** `<tasks>` has opened, or a task has closed: what stands in tags now is the plan, not prose that speaks of it. */
  #begun = false;
  readonly #analyses: string[] = [];
  /** An analysis is over, with or without a word in it. */
  #analysed = false;

  constructor(mark: string | undefined) {
    this.#mark = mark;
  }

  get steps(): number {
    return this.#scanner.steps;
  }

  push(chunk: string): PlanItem[] {
    this.#scanner.push(chunk);
    return this.#items.splice(0);
  }

  end(): PlanEnd {
    this.#scanner.end();
    if (this.#place.at === "aside") this.#endAside(this.#place.aside, this.#place.back);
    const place = this.#place;
    const over = place.at === "task" ? place.task.end() : undefined;
    if (place.at === "task" && over !== undefined) this.#closeTask(place.task);
    if (over === "plan") this.#place = { at: "closed" };
    if (place.at === "answer" && place.answer.end()) this.#place = { at: "closed" };
    if (this.#subtasks === 0 && (place.at === "answer" || place.at === "closed")) this.#answer?.stands();
    return { items: this.#items.splice(0), state: this.#endState(), analysis: this.#analyses.join("\n") };
  }

  /** An aside that was never closed: what it held back is read again, once; a second time would not be linear. */
  #endAside(aside: XmlAside, back: Place): void {
    // First thoughts that were cut may hold drafts.
    const { own, rest } = aside.takeApart(aside.name === "analysis" ? this.#mark : undefined);
    if (aside.name === "analysis") this.#addAnalysis(own);
    // After the closing mark, even one that is cut takes nothing away.
    if (rest === "" && back.at !== "closed") return;
    this.#place = back;
    this.#scanner.push(rest);
    this.#scanner.end();
  }

  #endState(): PlanEnd["state"] {
    const place = this.#place;
    switch (place.at) {
      case "closed":
        return "closed";
      case "answer":
        return place.answer.begun ? "open" : "cut";
      case "tasks":
      case "outside":
        return this.#subtasks > 0 ? "open" : "cut";
      default:
        return "cut";
    }
  }

  #onText(text: string): void {
    const place = this.#place;
    switch (place.at) {
      case "aside":
        place.aside.text(text);
        break;
      case "task":
        place.task.text(text);
        break;
      case "answer":
        place.answer.text(text);
        break;
      default:
      // Prose around the plan.
    }
  }

  #onCdata(text: string): void {
    if (this.#place.at === "task") this.#place.task.cdata(text);
  }

  #onTag(tag: Tag): void {
    if (this.#mark !== undefined) return this.#onTagOrQuote(tag, this.#mark);
    this.#onOwnTag(tag);
  }

  /** With a mark: a tag that opens a part of a plan without it is a quote, hence text. */
  #onTagOrQuote(tag: Tag, mark: string): void {
    const place = this.#place;
    const opensPart = tag.kind !== "close" && (tag.name === "tasks" || tag.name === "task" || tag.name === "answer");
    const isMarked = opensPart && readAttributes(tag.attributes).get("mark") === mark;
    if (place.at === "answer") {
      // It quotes what it likes; but where it may be over and something of the plan's own comes, it is.
      if (isMarked && place.answer.end()) this.#place = { at: "closed" };
    } else if (opensPart && !isMarked) {
      return this.#onText(tag.raw);
    }
    this.#onOwnTag(tag);
  }

  #onOwnTag(tag: Tag): void {
    const place = this.#place;
    switch (place.at) {
      case "outside":
      case "tasks":
      case "closed":
        return this.#betweenTasks(tag);
      case "task":
        return this.#wasMention(tag) ? this.#betweenTasks(tag) : this.#inTask(tag, place.task);
      case "answer":
        if (place.answer.tag(tag)) this.#place = { at: "closed" };
        return;
      case "aside":
        if (!place.aside.tag(tag)) return;
        if (place.aside.name === "analysis") this.#addAnalysis(place.aside.content);
        this.#place = place.back;
    }
  }

  #betweenTasks(tag: Tag): void {
    const isClosed = this.#place.at === "closed";
    // After its closing tag the plan is over; only where it was empty, or an answer, may another one follow. That tag may be quoted, too.
    if (isClosed && this.#subtasks > 0 && this.#mark === undefined) return;
    if (tag.kind === "close") {
      // It bears no mark: of a quote that never began for us, nothing ends either.
      const isOurs = this.#mark === undefined || this.#begun || this.#subtasks > 0;
      if (tag.name === "tasks" && isOurs) this.#place = { at: "closed" };
      return;
    }
    switch (tag.name) {
      case "tasks": {
        const combine = asCombine(readAttributes(tag.attributes).get("combine"));
        if (combine !== undefined) this.#items.push({ type: "combine", combine });
        this.#begun = true;
        this.#place = tag.kind === "empty" ? { at: "closed" } : { at: "tasks" };
        return;
      }
      case "task": {
        // Words about an answer may speak of <task>; a plan in its place has <tasks>.
        if (isClosed && this.#answer?.begun) return;
        const task = new XmlTask(tag, this.#mark !== undefined);
        if (tag.kind === "empty") this.#closeTask(task);
        else this.#place = { at: "task", task };
        return;
      }
      case "answer":
        if (this.#subtasks === 0 && !this.#answer?.begun && tag.kind === "open") this.#openAnswer();
        return;
      default:
        this.#openAside(tag);
    }
  }

  /** Prose before the plan may speak of `<task>`: where `<tasks>` then opens for the first time, it did. */
  #wasMention(tag: Tag): boolean {
    return !this.#begun && tag.name === "tasks" && tag.kind === "open";
  }

  #inTask(tag: Tag, task: XmlTask): void {
    switch (task.tag(tag)) {
      case "taken":
        return;
      case "beside":
        return this.#openAside(tag);
      case "closes":
        return this.#closeTask(task);
      case "over":
        this.#closeTask(task);
        this.#betweenTasks(tag);
    }
  }

  #openAside(tag: Tag): void {
    // A quote that closed the analysis may open another one, over the plan.
    if (this.#mark !== undefined && this.#analysed) return;
    const aside = asideOpenedBy(tag);
    if (aside !== undefined) this.#place = { at: "aside", aside, back: this.#place };
  }

  #closeTask({ draft }: XmlTask): void {
    this.#place = { at: "tasks" };
    if (draft === undefined) return;
    this.#subtasks++;
    this.#begun = true;
    this.#items.push({ type: "subtask", draft });
  }

  #openAnswer(): void {
    const answer = new XmlAnswer((delta) => void this.#items.push({ type: "answer", delta }), this.#mark !== undefined);
    this.#answer = answer;
    this.#place = { at: "answer", answer };
  }

  #addAnalysis(markup: string): void {
    this.#analysed = true;
    const text = decodeEntities(markup).trim();
    if (text !== "") this.#analyses.push(text);
  }
}
