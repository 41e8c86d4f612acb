import { expect, test } from "vitest";
import { textPart, toMessages } from "./messages.ts";

test("a plain text is the user's message; what is shared comes first, in a part of its own", () => {
  expect(toMessages("Do it.")).toEqual([{ role: "user", content: [textPart("Do it.")] }]);
  expect(toMessages({ system: "S", shared: "Before.", prompt: "Do it." })).toEqual([
    { role: "system", content: "S" },
    { role: "user", content: [textPart("Before."), textPart("Do it.")] },
  ]);
});

test("half of a character, which has no bytes, is sent as the mark for what is no character", () => {
  expect(toMessages({ system: "a\ud83d", shared: "\ude00b", prompt: "c\ud83d\ude00\udbff" })).toEqual([
    { role: "system", content: "a\ufffd" },
    { role: "user", content: [textPart("\ufffdb"), textPart("c\u{1f600}\ufffd")] },
  ]);
  expect(textPart("\ud83d")).toEqual({ type: "text", text: "\ufffd" });
});
