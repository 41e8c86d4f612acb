import fc from "fast-check";
import { expect, test } from "vitest";
import { splitText } from "./split-text.ts";

const within = (most: number) => (part: string) => part.length <= most;

test("a text that fits is left whole", () => {
  expect(splitText("As it is.", within(9))).toEqual(["As it is."]);
  expect(splitText("", within(9))).toEqual([""]);
});

test("is divided between paragraphs, else between lines, else between sentences or words", () => {
  expect(splitText("One line\nand two.\n\nA second one.", within(20))).toEqual(["One line\nand two.\n\n", "A second one."]);
  expect(splitText("First line.\nSecond line.", within(20))).toEqual(["First line.\n", "Second line."]);
  expect(splitText("It rains. It pours.", within(12))).toEqual(["It rains. ", "It pours."]);
  expect(splitText("several plain words", within(15))).toEqual(["several ", "plain words"]);
});

test("is never divided inside a character, however it is made", () => {
  for (const character of ["👩‍👩‍👧", "é", "𝒳", "🇨🇭"]) {
    for (const part of splitText(character.repeat(20), within(12))) expect(part.length % character.length).toBe(0);
  }
});

test("its parts are the text, and each fits", () => {
  const texts = fc.array(fc.constantFrom("a", "word", " ", "\n", "\n\n", ". ", "😀", "ü", "long-word-without-an-end"), { maxLength: 200 });
  fc.assert(
    fc.property(texts, fc.integer({ min: 8, max: 60 }), (pieces, most) => {
      const text = pieces.join("");
      const parts = splitText(text, within(most));
      expect(parts.join("")).toBe(text);
      expect(parts.every(within(most))).toBe(true);
    }),
  );
});
