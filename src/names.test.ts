import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../test/any-text.ts";
import { asId, keyOf, slug, withSuffix } from "./names.ts";

const anyName = fc.oneof(
  fc.string(),
  anyText(120),
  fc.array(fc.constantFrom("𠀀", "ﷺ", "A", "-", "_", " ", "İ", "ß", "\u0301"), { maxLength: 90 }).map((all) => all.join("")),
);

describe("a slug", () => {
  test.each([
    ["Technical Specifications", "technical-specifications"],
    ["  -- R&D / C++ (2025) -- ", "r-d-c-2025"],
    ["Überblick für Äpfel", "überblick-für-äpfel"],
    ["技术 规格", "技术-规格"],
    ["ﬁne①", "fine1"],
    ["snake_case.name", "snake-case-name"],
    ["!?", ""],
  ])("of %j is %j", (text, expected) => {
    expect(slug(text)).toBe(expected);
  });

  test("has at most 64 characters, none cut in half, and no hyphen at its ends", () => {
    fc.assert(
      fc.property(anyName, (text) => {
        const name = slug(text);
        return name.length <= 64 && name.isWellFormed() && !name.startsWith("-") && !name.endsWith("-");
      }),
    );
    expect(slug("𠀀".repeat(40))).toBe("𠀀".repeat(32));
    expect(slug(`a${"𠀀".repeat(40)}`)).toBe(`a${"𠀀".repeat(31)}`);
    expect(slug(`${"x".repeat(63)} y`)).toBe("x".repeat(63));
  });
});

describe("a key", () => {
  test("is what spellings of one id have in common", () => {
    for (const spelling of ["Step One", "step-one", "STEP_ONE", "step.one", " step  one "]) expect(keyOf(spelling)).toBe("step-one");
    expect(keyOf("step-1")).not.toBe(keyOf("step-2"));
  });

  test("tells long names apart by their ends, and names without a letter by themselves", () => {
    const long = "x".repeat(80);
    expect(keyOf(`${long}-1`)).not.toBe(keyOf(`${long}-2`));
    expect(keyOf("???")).toBe("???");
    expect(keyOf("!")).not.toBe(keyOf("?"));
  });

  test("of a slug that lost nothing is the slug", () => {
    fc.assert(fc.property(fc.string(), (text) => slug(text) === "" || keyOf(slug(text)) === slug(text)));
  });
});

describe("an id", () => {
  test("stands as it was given where letters, digits, dots, hyphens and underscores make it up", () => {
    for (const given of ["a", "Step_1.b-c", "1", "über", "技术"]) expect(asId(given)).toBe(given);
  });

  test("is else the slug of what was given", () => {
    expect([asId("two words"), asId("-x"), asId(".x"), asId('a"b'), asId("x".repeat(65)), asId("??"), asId("")]).toEqual([
      "two-words",
      "x",
      "x",
      "a-b",
      "x".repeat(64),
      "",
      "",
    ]);
  });

  test("that was made once is made again from itself", () => {
    fc.assert(fc.property(anyName, (given) => asId(asId(given)) === asId(given)));
  });
});

describe("a suffix", () => {
  test("tells apart in every spelling, within the longest name", () => {
    fc.assert(
      fc.property(anyName, fc.nat(2000), (text, n) => {
        const name = asId(text) || "x";
        const [first, second] = [withSuffix(name, `-${n}`), withSuffix(name, `-${n + 1}`)];
        expect(keyOf(first)).not.toBe(keyOf(second));
        expect(first.length).toBeLessThanOrEqual(64);
        expect(first.endsWith(`-${n}`)).toBe(true);
      }),
    );
  });
});
