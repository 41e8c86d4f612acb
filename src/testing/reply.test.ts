import { expect, test } from "vitest";
import { completeReply } from "./reply.ts";
import { type Question, spoken } from "./script.ts";

const question: Question = { modelId: "m", json: false, ...spoken([{ role: "user", text: "12345678" }]) };

test("a string is its text, with everything else by default", () => {
  expect(completeReply("Hello there, dear world.", question)).toEqual({
    text: "Hello there, dear world.",
    reasoning: "",
    deltas: [
      { type: "text", delta: "Hello there, dea" },
      { type: "text", delta: "r world." },
    ],
    finish: "stop",
    usage: { inputTokens: 2, outputTokens: 6 },
    headers: {},
    firstMs: 0,
    chunkMs: 0,
  });
});

test("reasoning comes first and counts as output", () => {
  const reply = completeReply({ text: "done", reasoning: "think", chunkSize: 3 }, question);
  expect(reply.deltas).toEqual([
    { type: "reasoning", delta: "thi" },
    { type: "reasoning", delta: "nk" },
    { type: "text", delta: "don" },
    { type: "text", delta: "e" },
  ]);
  expect(reply.usage).toEqual({ inputTokens: 2, outputTokens: 3, reasoningTokens: 2 });
});

test("usage is what the script says, or missing", () => {
  expect(completeReply({ usage: { inputTokens: 1, outputTokens: 2 } }, question).usage).toEqual({ inputTokens: 1, outputTokens: 2 });
  expect(completeReply({ usage: "missing" }, question).usage).toBe("missing");
});

test("no character is cut in half", () => {
  const { deltas } = completeReply({ text: "a😀b😀", chunkSize: 2 }, question);
  expect(deltas.map(({ delta }) => delta)).toEqual(["a😀", "b😀"]);
});

test("an empty reply has no deltas and no output", () => {
  expect(completeReply({}, question)).toMatchObject({ deltas: [], usage: { outputTokens: 0 } });
});

test("numbers that make no sense are refused", () => {
  expect(() => completeReply({ chunkSize: 0 }, question)).toThrow(RangeError);
  expect(() => completeReply({ chunkSize: 1.5 }, question)).toThrow(RangeError);
  expect(() => completeReply({ firstMs: -1 }, question)).toThrow(RangeError);
  expect(() => completeReply({ chunkMs: Number.NaN }, question)).toThrow(RangeError);
});
