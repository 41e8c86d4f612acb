import { type Delta, type DeltaBody, type EventBody, type Fact, isDelta, type RunEvent } from "../events.ts";
import { isAside } from "../role.ts";
import type { Clock } from "../runtime.ts";

/** What there is of a text that is still being written. */
interface OpenText {
  text: string;
  last: Delta;
}

/**
 * The events of one run. Facts are kept; of each open text, what there is of it. A reader first gets the facts so far and each
 * open text as one delta, then follows. A slow reader gets merged deltas, never lost facts; without readers the run goes on.
 */
export class EventStream implements AsyncIterable<RunEvent> {
  readonly #runId: string;
  readonly #clock: Clock;
  readonly #facts: Fact[] = [];
  readonly #open = new Map<string, OpenText>();
  readonly #readers = new Set<Reader>();
  readonly #onFact: ((fact: Fact) => void) | undefined;
  #seq = 0;
  #over = false;

  /** @param past facts of a run that goes on: its readers begin with them */
  constructor(runId: string, clock: Clock, past: readonly Fact[], onFact?: (fact: Fact) => void) {
    this.#runId = runId;
    this.#facts.push(...past);
    this.#seq = (past.at(-1)?.seq ?? -1) + 1;
    this.#clock = clock;
    this.#onFact = onFact;
  }

  emit(body: EventBody): void {
    // A call that other runs wait for may outlive this one.
    if (this.#over) return;
    const stamp = { seq: this.#seq++, at: Math.round(this.#clock.now()), runId: this.#runId };
    if (isDelta(body)) {
      const delta: Delta = { ...body, ...stamp };
      const name = textName(delta);
      const open = this.#open.get(name);
      if (open?.last.attempt === delta.attempt) {
        open.text += delta.text;
        open.last = delta;
      } else this.#open.set(name, { text: delta.text, last: delta });
      for (const reader of this.#readers) reader.delta(name, delta);
      return;
    }
    const fact: Fact = { ...body, ...stamp };
    this.#facts.push(fact);
    const closed = closedText(fact);
    if (closed !== undefined) this.#open.delete(closed);
    this.#onFact?.(fact);
    for (const reader of this.#readers) reader.fact(fact);
    if (fact.type === "run.finished") this.end();
  }

  /** Nothing more will happen. */
  end(): void {
    this.#over = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, undefined> {
    const open = [...this.#open.values()].map(({ last, text }): RunEvent => ({ ...last, text }));
    const reader = new Reader([...this.#facts, ...open].sort((a, b) => a.seq - b.seq));
    if (this.#over) reader.end();
    else this.#readers.add(reader);
    try {
      for (;;) {
        const event = reader.take();
        if (event !== undefined) yield event;
        else if (reader.over) return;
        else await reader.more();
      }
    } finally {
      this.#readers.delete(reader);
    }
  }
}

/** One reader's way through the events: what it has not taken yet. */
class Reader {
  readonly #queue: RunEvent[];
  #from = 0;
  /** Where in the queue the last delta of each text stands, as long as more of the same may be added to it. */
  readonly #mergeable = new Map<string, number>();
  #waiting: PromiseWithResolvers<void> | undefined;
  over = false;

  constructor(queue: RunEvent[]) {
    this.#queue = queue;
  }

  take(): RunEvent | undefined {
    const event = this.#queue[this.#from];
    if (event === undefined) return undefined;
    this.#from++;
    if (this.#from === this.#queue.length) {
      this.#queue.length = 0;
      this.#from = 0;
      this.#mergeable.clear();
    }
    return event;
  }

  fact(fact: Fact): void {
    const closed = closedText(fact);
    if (closed !== undefined) this.#mergeable.delete(closed);
    this.#queue.push(fact);
    this.#wake();
  }

  delta(name: string, delta: Delta): void {
    const index = this.#mergeable.get(name) ?? -1;
    const before = index >= this.#from ? this.#queue[index] : undefined;
    if (before !== undefined && isDelta(before) && before.attempt === delta.attempt) {
      // Keeps the stamp of the first, so that the reader sees `seq` rise.
      this.#queue[index] = { ...before, text: before.text + delta.text };
      return;
    }
    this.#mergeable.set(name, this.#queue.push(delta) - 1);
    this.#wake();
  }

  end(): void {
    this.over = true;
    this.#wake();
  }

  more(): Promise<void> {
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  #wake(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}

/** Of the texts that are no subtask's; no id begins with a blank. */
const planText = " plan";
const answerText = " answer";

/** Asked for with each delta, so that no new text is made for it. */
function textName(delta: DeltaBody): string {
  if (delta.type === "subtask.delta") return delta.subtaskId;
  return delta.type === "plan.delta" ? planText : answerText;
}

/** The text that a fact brings to its end, or voids. */
function closedText(fact: Fact): string | undefined {
  switch (fact.type) {
    case "attempt.started":
      // The same try goes on; or the call writes nothing that is shown.
      if (fact.requeues > 0 || isAside(fact)) return undefined;
      if (fact.role === "orchestrator") return planText;
      return fact.subtaskId;
    case "subtask.finished":
    case "subtask.failed":
      return fact.subtaskId;
    case "plan.finished":
    case "plan.answered":
    case "plan.failed":
    case "plan.asked_again":
      return planText;
    case "run.finished":
      return answerText;
    default:
      return undefined;
  }
}
