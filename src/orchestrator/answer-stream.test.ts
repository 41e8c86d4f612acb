import { expect, test } from "vitest";
import type { EventBody } from "../events.ts";
import { AnswerStream } from "./answer-stream.ts";

test("an answer that is taken back is void at once for who has shown it, whether more comes or not", () => {
  const events: EventBody[] = [];
  const answer = new AnswerStream((event) => events.push(event));
  answer.write("Half a");
  expect(answer.restart()).toBe(true);
  expect(events).toEqual([
    { type: "answer.delta", attempt: 1, text: "Half a" },
    { type: "answer.delta", attempt: 2, text: "" },
  ]);
  expect(answer.text).toBe("");
});

test("an answer of which nothing was written is not taken back", () => {
  const events: EventBody[] = [];
  const answer = new AnswerStream((event) => events.push(event));
  expect(answer.restart()).toBe(true);
  expect(events).toEqual([]);
});
