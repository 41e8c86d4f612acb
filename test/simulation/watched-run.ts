import { getEventListeners } from "node:events";
import { isDelta, type RunEvent } from "../../src/events.ts";
import type { Run } from "../../src/orchestrator/run-handle.ts";
import type { Outcome } from "../../src/outcome.ts";
import { reduce } from "../../src/reduce.ts";
import { initialRunState, type RunState } from "../../src/run-state.ts";
import { chance } from "./chance.ts";
import type { SimProcess } from "./sim-process.ts";
import type { Timeline } from "./timeline.ts";

export interface Watching {
  readonly controller: AbortController;
  /** Facts of lives before this one. */
  readonly pastSeq: number;
  readonly timeline: Timeline;
  readonly seed: number;
  readonly onEvent: (event: RunEvent) => void;
}

/** A run in one process, with those who read it. */
export class WatchedRun {
  readonly run: Run;
  readonly process: SimProcess;
  readonly controller: AbortController;
  /** Facts of lives before this one. */
  readonly pastSeq: number;
  outcome: Outcome | undefined;
  abortedAt: number | undefined;
  /** What `textStream` gave to whoever read it from the start. */
  text: string | undefined;
  textOver = false;
  eventsOver = false;
  /** Its end was looked at. */
  isChecked = false;
  /** What readers saw that cannot be. */
  readonly oddities: string[] = [];
  /** What the events come to that were read as they happened. */
  state: RunState = initialRunState;

  readonly #onEvent: (event: RunEvent) => void;

  constructor(run: Run, process: SimProcess, { controller, pastSeq, timeline, seed, onEvent }: Watching) {
    this.run = run;
    this.process = process;
    this.controller = controller;
    this.pastSeq = pastSeq;
    this.#onEvent = onEvent;
    const { readsText, readsEvents, readerMs } = process.plan;
    const draw = chance(seed, `readers of ${process.pid} ${run.runId}`);
    const linger = async (): Promise<void> => {
      if (readerMs > 0) await new Promise<void>((go) => timeline.after(draw.random() * readerMs, go));
    };
    void run.outcome.then((outcome) => {
      this.outcome = outcome;
    });
    if (readsText) void this.#readText(linger);
    if (readsEvents) void this.#readEvents(linger);
  }

  get isOver(): boolean {
    const { readsText, readsEvents } = this.process.plan;
    return this.outcome !== undefined && (!readsText || this.textOver) && (!readsEvents || this.eventsOver);
  }

  abort(bySignal: boolean, now: number): void {
    if (this.outcome !== undefined || this.abortedAt !== undefined) return;
    this.abortedAt = now;
    if (bySignal) this.controller.abort();
    else this.run.abort();
  }

  get listeners(): number {
    return getEventListeners(this.controller.signal, "abort").length;
  }

  async #readText(linger: () => Promise<void>): Promise<void> {
    this.text = "";
    for await (const piece of this.run.textStream) {
      this.text += piece;
      await linger();
    }
    this.textOver = true;
  }

  async #readEvents(linger: () => Promise<void>): Promise<void> {
    let last = -1;
    for await (const event of this.run.events) {
      if (event.seq <= last) this.oddities.push(`an event with seq ${event.seq} came after ${last}`);
      last = event.seq;
      this.#onEvent(event);
      this.#look(event);
      this.state = reduce(this.state, event);
      await linger();
    }
    if (this.state.outcome === undefined) this.oddities.push("its events ended without run.finished");
    this.eventsOver = true;
  }

  /** Texts, as they came in pieces, are what in the end they are said to be. */
  #look(event: RunEvent): void {
    if (isDelta(event) || event.seq <= this.pastSeq) return;
    if (event.type === "subtask.finished" && event.attempts > 0) {
      const text = this.state.subtasks.find(({ subtask }) => subtask.id === event.subtaskId)?.text;
      if (text !== event.result)
        this.oddities.push(`${event.subtaskId}: its pieces are ${JSON.stringify(text)}, its result is ${JSON.stringify(event.result)}`);
    }
    if (event.type === "run.finished" && "text" in event.outcome && this.state.answer.text !== event.outcome.text) {
      this.oddities.push(`the answer's pieces are ${JSON.stringify(this.state.answer.text)}, its text is ${JSON.stringify(event.outcome.text)}`);
    }
  }
}
