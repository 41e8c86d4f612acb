import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonIn } from "./json-in.ts";

describe("the JSON in a reply", () => {
  test("is found, whatever prose, brackets and fences stand around it, and stays as it was written", () => {
    const prose = fc.stringMatching(/^[A-Za-z ,.:'[\]{}\n]{0,40}$/);
    const value = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 30 }), fc.array(fc.jsonValue(), { minLength: 60 }));
    fc.assert(
      fc.property(value, prose, prose, fc.constantFrom(undefined, 2), (written, before, after, indent) => {
        const text = JSON.stringify(written, undefined, indent);
        // A bracket before it that is closed after it makes one text of all.
        fc.pre(!/[[{]/.test(before) || !/[\]}]/.test(after));
        for (const reply of [text, `\`\`\`json\n${text}\n\`\`\``, `${before}\n${text}\n${after}`, `${before}\n\`\`\`\n${text}\n\`\`\`\n${after}`]) {
          expect(jsonIn(reply)).toEqual({ text, value: JSON.parse(text) });
        }
      }),
    );
  });

  test.each(["42", '"text"', "null", "true", "[]"])("may be any value where it is alone: %s", (text) => {
    expect(jsonIn(` ${text}\n`)).toEqual({ text, value: JSON.parse(text) });
    expect(jsonIn(`\`\`\`json\n${text}\n\`\`\``)?.text).toBe(text);
  });

  test("is the longest of several, and goes by brackets outside of strings alone", () => {
    expect(jsonIn('Not {"a":1}, but {"b":"}{ \\" ]"}.')?.text).toBe('{"b":"}{ \\" ]"}');
  });

  test.each(["", "No JSON here.", '{"cut":"in the mid', "{not json}"])("is nothing where there is none: %j", (reply) => {
    expect(jsonIn(reply)).toBeUndefined();
  });

  // By a pattern that tries each of them as the end, 200,000 line breaks would take years.
  test("is not looked for at each of a great many line breaks in a fence", () => {
    expect(jsonIn(`\`\`\`json\n${"\n".repeat(200_000)}none`)).toBeUndefined();
    expect(jsonIn(`\`\`\`json${" \n".repeat(200_000)}{"a":1}${" \n".repeat(200_000)}\`\`\``)?.value).toEqual({ a: 1 });
  });

  // Each opening gone through to the end would be 80,000,000,000 steps: no test would come to its end.
  test("is not looked for at each of a great many brackets", () => {
    expect(jsonIn("[{".repeat(200_000))).toBeUndefined();
  });
});
