import type { RunEvent } from "../events.ts";
import type { Run } from "../orchestrator/run-handle.ts";

/**
 * A run as one sequence: its events, and its answer as text that is never taken back. Facts come before the text that was written
 * after them, also where the run is over and all of it is replayed. It ends when the run has ended.
 */
export async function* runFeed(run: Pick<Run, "events" | "textStream">): AsyncGenerator<RunEvent | string, void, undefined> {
  const events = run.events[Symbol.asyncIterator]();
  const texts = run.textStream[Symbol.asyncIterator]();
  let event: Promise<{ event: IteratorResult<RunEvent> }> | undefined;
  let text: Promise<{ text: IteratorResult<string> }> | undefined;
  /** What the events have said that there is of the answer; that of a void try too, so that text may be asked for early, but never late. */
  let written = 0;
  let given = 0;
  try {
    for (;;) {
      event ??= events.next().then((next) => ({ event: next }));
      // Text is asked for when an event has said that there is some: what nobody has asked for can still be written anew.
      if (written > given) text ??= texts.next().then((next) => ({ text: next }));
      const next = await Promise.race(text === undefined ? [event] : [event, text]);
      if ("text" in next) {
        text = undefined;
        given = next.text.done === true ? Number.POSITIVE_INFINITY : given + next.text.value.length;
        if (next.text.done !== true) yield next.text.value;
        continue;
      }
      event = undefined;
      if (next.event.done === true) break;
      if (next.event.value.type === "answer.delta") written += next.event.value.text.length;
      yield next.event.value;
    }
    for (let next = await (text?.then((last) => last.text) ?? texts.next()); next.done !== true; next = await texts.next()) yield next.value;
  } finally {
    await Promise.all([events.return?.(), texts.return?.()]);
  }
}
