import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stamped } from "../../test/events-fixture.ts";
import type { EventBody } from "../events.ts";
import { reduce } from "../reduce.ts";
import { initialRunState, type SubtaskState } from "../run-state.ts";
import { SubtaskParts } from "./subtask-parts.ts";
import type { SubtaskPart } from "./ui-message.ts";

const subtask = { id: "facts", type: "facts", description: "List them.", dependsOn: [] };
const planned: EventBody = { type: "subtask.planned", subtask, ordinal: 0, sample: 0 };
const started: EventBody = { type: "subtask.started", subtaskId: "facts", model: "p:m" };
const write = (text: string, attempt = 1): EventBody => ({ type: "subtask.delta", subtaskId: "facts", attempt, text });
const done = (result: string): EventBody => ({ type: "subtask.finished", subtaskId: "facts", result, truncated: false, attempts: 1 });

/** What is sent of a subtask to which this happens. */
function sent(bodies: readonly EventBody[], sendResults = true): SubtaskPart[] {
  const parts = new SubtaskParts(sendResults);
  let state = initialRunState;
  return stamped([planned, started, ...bodies]).flatMap((event) => {
    state = reduce(state, event);
    return state.subtasks.flatMap((task: SubtaskState) => {
      const chunk = parts.of(task);
      return chunk?.type === "data-subtask" ? [chunk.data] : [];
    });
  });
}

describe("the text of a subtask", () => {
  test("is sent at most three times over while it is written, and once when it is done, in whatever pieces it comes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 60 }), (pieces) => {
        const bodies = pieces.map((length) => write("x".repeat(length)));
        const whole = pieces.reduce((sum, length) => sum + length, 0);
        const parts = sent([...bodies, done("x".repeat(whole))]);
        const characters = parts.reduce((sum, { text }) => sum + text.length, 0);
        expect(parts.at(-1)?.text).toHaveLength(whole);
        expect(characters).toBeLessThanOrEqual(4 * whole);
      }),
    );
  });

  test("is not sent for a few more characters", () => {
    const texts = sent([write("a".repeat(100)), write("b"), write("c")]).map(({ text }) => text);
    expect(texts).toEqual(["", "", "a".repeat(100)]);
  });

  test("is taken back at once by a new attempt, however short it was", () => {
    const parts = sent([write("a".repeat(100)), write("", 2), write("b".repeat(20), 2), done("b".repeat(20))]);
    expect(parts.map(({ text }) => text)).toEqual(["", "", "a".repeat(100), "", "b".repeat(20)]);
  });

  test("is never sent where results are not wanted, and how the subtask stands is", () => {
    const parts = sent([write("a".repeat(500)), done("a".repeat(500))], false);
    expect(parts.map(({ status, text }) => [status, text])).toEqual([
      ["waiting", ""],
      ["queued", ""],
      ["done", ""],
    ]);
  });
});

test("who is skipped for the sake of another one than was said is sent again", () => {
  const skipped = (because: string): EventBody => ({ type: "subtask.skipped", subtaskId: "facts", reason: "upstream", because });
  expect(sent([skipped("a"), skipped("a"), skipped("b")]).map(({ because }) => because)).toEqual([undefined, undefined, "a", "b"]);
});

test("nothing is sent twice alike", () => {
  const parts = sent([started, write("a".repeat(100)), done("b"), done("b")]);
  const all = parts.map((part) => JSON.stringify(part));
  expect(new Set(all).size).toBe(all.length);
});

test("subtasks of a plan that was sent back or edited are said to be left out, once, and may be planned again", () => {
  const parts = new SubtaskParts(true);
  const state = stamped([planned]).reduce(reduce, initialRunState);
  const sendAll = (): unknown[] => state.subtasks.flatMap((task) => parts.of(task) ?? []);
  sendAll();
  expect(parts.void()).toMatchObject([{ id: "facts", data: { status: "skipped", skipped: "approval" } }]);
  expect(parts.void()).toEqual([]);
  expect(sendAll()).toMatchObject([{ id: "facts", data: { status: "waiting" } }]);
});
