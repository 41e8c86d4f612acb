import { expect, test } from "vitest";
import { cleanText, firstWords, lastWords, oneLine } from "./clean-text.ts";

test.each([
  ["colours", "a\u001B[31mred\u001B[0m", "ared"],
  ["cursor and screen", "a\u001B[2J\u001B[1;1Hb\u001B[?25lc", "abc"],
  ["window title, ended by BEL", "a\u001B]0;owned\u0007b", "ab"],
  ["clipboard, ended by ST", "a\u001B]52;c;cm0gLXJm\u001B\\b", "ab"],
  ["link", "\u001B]8;;https://evil.example\u0007good.example\u001B]8;;\u0007", "good.example"],
  ["a string that never ends takes its line and no more", "a\u001B]0;owned\nb", "a\nb"],
  ["device control and private messages", "a\u001BP1$r0m\u001B\\b\u001B^x\u001B\\c\u001B_y\u001B\\d", "abcd"],
  ["C1 forms", "a\u009B31mb\u009D0;t\u009Cc\u0090x\u009Cd", "abcd"],
  ["two-character commands", "a\u001Bcb\u001B(0c\u001B7d", "abcd"],
  ["a lone escape at the end", "a\u001B", "a"],
  ["other controls", "a\u0000b\u0008c\u007Fd\u0085e", "abcde"],
  ["carriage returns, which write over the line", "good\revil\r\nnext", "good\nevil\nnext"],
  ["direction overrides", "a\u202Eb\u202Cc\u2066d\u2069e", "abcde"],
  ["line separators", "a\u2028b\u2029c", "a\nb\nc"],
  ["half a character", "a\uD83Db", "a\uFFFDb"],
])("takes out %s", (_, text, clean) => {
  expect(cleanText(text)).toBe(clean);
});

test("leaves text of every script as it is", () => {
  const text = "Größe\t12\n日本語 👩‍👩‍👧 שלום\u200F (x) العربية";
  expect(cleanText(text)).toBe(text);
});

test("takes time linear in the text, whatever is in it", () => {
  const started = performance.now();
  for (const piece of ["\u001B]", "\u001B[1;", "\u009B", "\u001B", "\u0090x"]) cleanText(piece.repeat(200_000));
  expect(performance.now() - started).toBeLessThan(2000);
});

test("makes one line of several, and takes its beginning or end", () => {
  expect(oneLine("  a\n\n b\tc ")).toBe("a b c");
  expect(firstWords("one two three", 7)).toBe("one two");
  expect(lastWords("one two three", 5)).toBe("three");
  expect(lastWords("a👍", 1)).toBe("");
});
