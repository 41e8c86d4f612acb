import fc from "fast-check";
import { expect, test } from "vitest";
import { beginningOf, shortened, shortLine } from "./shortened.ts";

test("a text is cut to so many characters, none of them in half, and only where it is longer", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(20), (text, length) => {
      const beginning = beginningOf(text, length);
      expect(text.startsWith(beginning)).toBe(true);
      expect(beginning.length).toBeLessThanOrEqual(length);
      expect(beginning.length).toBeGreaterThanOrEqual(Math.min(text.length, length) - 1);
      expect(beginning.isWellFormed()).toBe(true);
      if (text.length <= length) expect(beginning).toBe(text);
      expect(shortened(text, length)).toBe(text.length > length ? `${beginning}…` : text);
    }),
  );
});

test("a line has no line breaks, and counts without them", () => {
  expect(shortLine(" one\n\n two\t", 7)).toBe("one two");
  expect(shortLine("one\ntwo", 5)).toBe("one t…");
});
