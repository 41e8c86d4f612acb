import { describe, expect, test } from "vitest";
import { outcome } from "../../test/events-fixture.ts";
import type { EventBody } from "../events.ts";
import { AnswerStream } from "../orchestrator/answer-stream.ts";
import { EventStream } from "../orchestrator/event-stream.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { runFeed } from "./run-feed.ts";

const note: EventBody = { type: "run.noticed", notice: { code: "upstream_cut", message: "Cut." } };

function aRun(): { events: EventStream; answer: AnswerStream; feed: AsyncGenerator } {
  const events = new EventStream("run-1", virtualClock(), []);
  const answer = new AnswerStream((event) => events.emit(event));
  const feed = runFeed({ events, textStream: { [Symbol.asyncIterator]: () => answer.read() } });
  return { events, answer, feed };
}

const shown = (item: unknown): unknown => (typeof item === "string" ? `text ${item}` : Object(item).type);

describe("events and text of a run", () => {
  test("come in the order in which they happened, and text when an event has said that there is some", async () => {
    const { events, answer, feed } = aRun();
    events.emit(note);
    answer.write("Red, ");
    const first = [await feed.next(), await feed.next(), await feed.next()].map(({ value }) => shown(value));
    expect(first).toEqual(["run.noticed", "answer.delta", "text Red, "]);
    events.emit(note);
    answer.write("then blue.");
    answer.end();
    events.emit({ type: "run.finished", outcome });
    const rest = (await Array.fromAsync(feed)).map(shown);
    expect(rest).toEqual(["run.noticed", "answer.delta", "run.finished", "text then blue."]);
  });

  test("begin with all facts where the run is over, and end with the whole text, deltas or none", async () => {
    const { events, answer, feed } = aRun();
    events.emit(note);
    answer.write("Red, then blue.");
    answer.end();
    events.emit({ type: "run.finished", outcome });
    expect((await Array.fromAsync(feed)).map(shown)).toEqual(["run.noticed", "run.finished", "text Red, then blue."]);
  });

  test("leave the text to be written anew until it is asked for", async () => {
    const { events, answer, feed } = aRun();
    events.emit(note);
    answer.write("Red, ");
    await feed.next();
    expect(answer.restart()).toBe(true);
    answer.write("Blue.");
    answer.end();
    events.emit({ type: "run.finished", outcome });
    const texts = (await Array.fromAsync(feed)).filter((item) => typeof item === "string");
    expect(texts).toEqual(["Blue."]);
  });

  test("go on where a void text is followed by none", async () => {
    const { events, answer, feed } = aRun();
    answer.write("Red, ");
    await feed.next();
    answer.restart();
    answer.end();
    events.emit(note);
    events.emit({ type: "run.finished", outcome });
    expect((await Array.fromAsync(feed)).map(shown)).toEqual(["answer.delta", "run.noticed", "run.finished"]);
  });
});
