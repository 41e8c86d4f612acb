import { isRecord } from "../../json.ts";
import { AnswerText } from "./answer-text.ts";
import { asCombine, type Draft, type PlanEnd, type PlanItem, type PlanReader, splitNames } from "./reader.ts";
import { type Tag, TagScanner } from "./tag-scanner.ts";

/**
 * Reads a plan written as JSON (`planJsonSchema`) while it is being written: each subtask is parsed once, when its object has
 * closed. Prose, a fence and a `<think>` block around the JSON are passed over; so is a pair of braces in prose.
 *
 * @param mark where the request holds JSON itself: an object is the plan only from `"mark": "<mark>"` on
 */
export function jsonPlanReader(mark?: string): PlanReader {
  return new JsonPlanReader(mark);
}

/** A value that is being read: a subtask's object, or the text of one of the plan's own strings. */
type Capture = { readonly kind: "subtask" | "string"; readonly depth: number; readonly pieces: string[] };

const planKeys: ReadonlySet<string> = new Set(["analysis", "answer", "combine", "subtasks", "tasks"]);

class JsonPlanReader implements PlanReader {
  readonly #scanner: TagScanner = new TagScanner({
    text: (text) => this.#onText(text),
    tag: (tag) => this.#onTag(tag),
    cdata: (text) => this.#onText(text),
    takesTags: () => this.#open.length === 0,
    takesCdata: () => false,
  });
  readonly #items: PlanItem[] = [];
  #thinking = false;
  /** Open braces and brackets, outermost first. Empty: no JSON has begun, or it is over. */
  #open: ("{" | "[")[] = [];
  #closed = false;
  #inString = false;
  #escaped = false;
  /** The key whose value comes next, in the outermost object. */
  #key = "";
  readonly #mark: string | undefined;
  /** That object may be the planner's: it bears the mark, or none is asked for. */
  #isOwn: boolean;
  /** That object has a key of the plan's: it is no other JSON that stands in the prose. */
  #isPlan = false;
  #expectsKey = false;
  #capture: Capture | undefined;
  readonly #answer = new AnswerText();
  /** The end of an answer's raw text that cannot be decoded yet: half an escape. */
  #undecoded = "";
  #subtasks = 0;
  #unreadable = 0;
  #analysis = "";

  constructor(mark: string | undefined) {
    this.#mark = mark;
    this.#isOwn = mark === undefined;
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
    if (this.#closed && this.#subtasks + this.#unreadable === 0) this.#showAnswer(this.#answer.end());
    const cut = this.#inString || this.#capture !== undefined || this.#unreadable > 0;
    const found = this.#subtasks > 0 || this.#answer.begun;
    const state = this.#closed && this.#unreadable === 0 ? "closed" : found && !cut ? "open" : "cut";
    return { items: this.#items.splice(0), state, analysis: this.#analysis.trim() };
  }

  #onTag(tag: Tag): void {
    if (tag.name === "think") this.#thinking = tag.kind === "open";
  }

  #onText(text: string): void {
    if (this.#thinking && this.#open.length === 0) return;
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      if (this.#closed) return;
      const before = this.#capture;
      const char = text.charAt(at);
      if (this.#inString) this.#inText(char);
      else this.#structure(char);
      // A capture takes in what lies between its opening and its closing character, pieces cut at the chunk's end.
      if (this.#capture !== before) {
        if (before !== undefined) this.#finish(before, text.slice(from, before.kind === "subtask" ? at + 1 : at));
        from = this.#capture?.kind === "subtask" ? at : at + 1;
      }
    }
    if (this.#capture !== undefined) this.#continue(this.#capture, text.slice(from));
  }

  #inText(char: string): void {
    if (this.#escaped) this.#escaped = false;
    else if (char === "\\") this.#escaped = true;
    else if (char === '"') {
      this.#inString = false;
      if (this.#capture?.kind === "string") this.#capture = undefined;
    }
  }

  #structure(char: string): void {
    const depth = this.#open.length;
    switch (char) {
      case '"':
        if (depth === 0) return;
        this.#inString = true;
        if (depth === 1 && this.#open[0] === "{") this.#capture = { kind: "string", depth, pieces: [] };
        return;
      case "{":
      case "[":
        this.#open.push(char);
        this.#expectsKey = depth === 0 && char === "{";
        if (char === "{" && this.#startsSubtask(depth)) this.#capture ??= { kind: "subtask", depth, pieces: [] };
        return;
      case "}":
      case "]":
        if (depth === 0) return;
        this.#open.pop();
        if (this.#capture?.depth === depth - 1) this.#capture = undefined;
        if (depth === 1) this.#closeOutermost();
        return;
      case ",":
        if (depth === 1 && this.#open[0] === "{") this.#expectsKey = true;
        return;
      case ":":
        if (depth === 1) this.#expectsKey = false;
    }
  }

  /** Braces and brackets in prose hold nothing of a plan: then it is still to come. */
  #closeOutermost(): void {
    this.#closed = this.#isPlan || this.#subtasks > 0;
    if (this.#closed) return;
    this.#unreadable = 0;
    this.#isOwn = this.#mark === undefined;
  }

  #startsSubtask(depth: number): boolean {
    if (!this.#isOwn) return false;
    if (depth === 1) return this.#open[0] === "[";
    return depth === 2 && this.#open[0] === "{" && this.#open[1] === "[" && (this.#key === "subtasks" || this.#key === "tasks");
  }

  #continue(capture: Capture, piece: string): void {
    if (this.#isAnswer(capture)) this.#addAnswer(piece);
    else capture.pieces.push(piece);
  }

  #finish(capture: Capture, piece: string): void {
    this.#continue(capture, piece);
    if (this.#isAnswer(capture)) {
      this.#addDecoded(this.#undecoded);
      this.#undecoded = "";
      return;
    }
    const raw = capture.pieces.join("");
    if (capture.kind === "subtask") this.#addSubtask(raw);
    else this.#addString(raw);
  }

  #isAnswer(capture: Capture): boolean {
    return capture.kind === "string" && !this.#expectsKey && this.#key === "answer";
  }

  #addString(raw: string): void {
    const text = decode(raw) ?? "";
    if (this.#expectsKey) {
      this.#key = text;
      this.#isPlan ||= this.#isOwn && planKeys.has(text);
    } else if (this.#key === "mark" && text === this.#mark) this.#isOwn = true;
    else if (!this.#isOwn) return;
    else if (this.#key === "analysis") this.#analysis = text;
    else if (this.#key === "combine") {
      const combine = asCombine(text);
      if (combine !== undefined) this.#items.push({ type: "combine", combine });
    }
  }

  #addAnswer(piece: string): void {
    const raw = this.#undecoded + piece;
    const end = wholeEscapes(raw);
    this.#undecoded = raw.slice(end);
    this.#addDecoded(raw.slice(0, end));
  }

  #addDecoded(raw: string): void {
    if (this.#isOwn && this.#subtasks === 0) this.#showAnswer(this.#answer.add(decode(raw) ?? ""));
  }

  #showAnswer(delta: string): void {
    if (delta !== "") this.#items.push({ type: "answer", delta });
  }

  #addSubtask(raw: string): void {
    const draft = toDraft(parse(raw));
    if (draft === undefined) {
      this.#unreadable++;
      return;
    }
    this.#subtasks++;
    this.#items.push({ type: "subtask", draft });
  }
}

/** Where an escape that is cut in half begins; else the end. */
function wholeEscapes(raw: string): number {
  const at = raw.lastIndexOf("\\");
  if (at === -1 || !/^\\(?:u[0-9a-fA-F]{0,3})?$/.test(raw.slice(at))) return raw.length;
  let from = at;
  while (raw.charAt(from - 1) === "\\") from--;
  const isEscaped = (at - from) % 2 === 1;
  return isEscaped ? raw.length : at;
}

/** The text of a JSON string's inside. */
function decode(inside: string): string | undefined {
  const value = parse(`"${inside}"`);
  return typeof value === "string" ? value : undefined;
}

function parse(json: string): unknown {
  try {
    // Repaired first, not when it has failed: an exception costs more than the repair, and an answer is parsed piece by piece.
    return JSON.parse(json.replace(/"[^"\\]*(?:\\[^][^"\\]*)*"/g, repairString));
  } catch {
    return undefined;
  }
}

/** Models write line breaks into strings as they are, and backslashes that escape nothing. */
function repairString(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])|[\\\u0000-\u001f]/g, (found) => {
    if (found.length > 1) return found;
    return found === "\\" ? "\\\\" : `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function toDraft(value: unknown): Draft | undefined {
  if (!isRecord(value)) return undefined;
  const text = (key: string): string => nameOf(value[key])?.trim() ?? "";
  const description = text("description");
  if (description === "") return undefined;
  const after = value["after"] ?? value["dependsOn"];
  const names = (Array.isArray(after) ? after : [after]).flatMap((name) => splitNames(nameOf(name) ?? ""));
  const id = text("id");
  return { type: text("type"), description, after: names, ...(id && { id }) };
}

/** Ids are texts; models also number their subtasks. */
function nameOf(value: unknown): string | undefined {
  return typeof value === "number" ? String(value) : typeof value === "string" ? value : undefined;
}
