import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../../../test/any-text.ts";
import { readChunks } from "../../../test/plan-reading.ts";
import { planPieces as pieces, wholePlans as plans } from "../../../test/plan-texts.ts";
import { jsonPlanReader } from "./json-reader.ts";
import { xmlPlanReader } from "./xml-reader.ts";

const readers = [
  { name: "xml", newReader: () => xmlPlanReader() },
  { name: "json", newReader: () => jsonPlanReader() },
  { name: "xml, with a mark,", newReader: () => xmlPlanReader("m4rk") },
  { name: "json, with a mark,", newReader: () => jsonPlanReader("m4rk") },
] as const;

/** A plan in which some places were overwritten, doubled or taken out. */
const mutated = fc
  .tuple(fc.constantFrom(...plans), fc.array(fc.tuple(fc.nat(400), fc.nat(40), fc.oneof(fc.constantFrom(...pieces), fc.constant(""))), { maxLength: 4 }))
  .map(([plan, edits]) => edits.reduce((text, [at, length, piece]) => text.slice(0, at) + piece + text.slice(at + length), plan));

const anyReply = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((all) => all.join("")) },
  { weight: 4, arbitrary: mutated },
  { weight: 1, arbitrary: anyText(60) },
);

/** The same text, cut wherever chance has it; an empty chunk may come at any time. */
const chunked = fc.tuple(anyReply, fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 12 })).map(([text, sizes]) => {
  const chunks: string[] = [];
  for (let from = 0, n = 0; from < text.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    // Sizes that are all 0 would never come to the end.
    const to = from + (size === 0 && n % sizes.length > 0 ? 0 : Math.max(1, size));
    chunks.push(text.slice(from, to));
    from = to;
  }
  return { text, chunks };
});

describe.each(readers)("the $name reader", ({ newReader }) => {
  test("never throws, and reads the same however the text is cut", () => {
    fc.assert(
      fc.property(chunked, ({ text, chunks }) => {
        expect(readChunks(newReader(), chunks)).toEqual(readChunks(newReader(), [text]));
      }),
      { numRuns: 3000 },
    );
  });
});

/** Shapes that make naive readers look again and again at what they have seen. */
const shapes: Readonly<Record<string, (length: number) => string>> = {
  "many <": repeated("<"),
  "many < in a description": repeated("<", "<task><description>"),
  "long tags that never close": repeated(`<task ${"a".repeat(1010)}`),
  "<task , again and again": repeated("<task "),
  "attributes of open and of nested quotes": repeated(`<task ${`a="b='`.repeat(160)}>`, "<tasks>"),
  "quotes that never close": repeated('<task a="'),
  "quotes that never close, among many >": repeated(`<task a=">${">".repeat(300)}`),
  "a quoted value of many >": repeated(`<task a="${">".repeat(250)}"b `),
  "values of either quotes, which hold the other": repeated(`<task ${`a='>"' b=">'" `.repeat(100)}`),
  "quotes that close nothing, line by line": repeated(`<task ${'a="\n'.repeat(200)}`),
  "an attribute's name and a thousand spaces": repeated(`<task a${" ".repeat(1000)}>`, "<tasks>"),
  "only spaces": repeated(" "),
  "spaces in a description": repeated(" ", "<task><description>x"),
  "spaces in an answer": repeated(" ", "<answer>x"),
  "words among many spaces in an answer": repeated(`x${" ".repeat(1000)}`, "<answer>"),
  "spaces after a </task> that may close": repeated(" ", "<task><description>x</task>"),
  "</task> in a description": repeated("</task> ", "<task><description>"),
  "CDATA that never closes": repeated("]]", "<task><description><![CDATA["),
  "CDATA that opens again and again": repeated("<![CDATA[", "<task><description>"),
  "many CDATA sections": repeated("<![CDATA[x]]>", "<task><description>"),
  "analyses in analyses": repeated("<analysis>"),
  "unclosed analyses, each with tasks": repeated("<analysis><tasks>"),
  "an unclosed analysis with many ends": repeated("</analysis> <tasks>", "<analysis>".repeat(20_000)),
  "many analyses": repeated("<analysis>x</analysis>"),
  "many answers in one": repeated("<answer>"),
  ampersands: repeated("&#", "<task><description>"),
  "many dependencies": repeated("<after>a b</after>", "<task>"),
  "one long list of dependencies": repeated("a ", "<task><after>"),
  "backslashes in JSON": repeated("\\", '{"answer":"'),
  "half escapes in JSON": repeated("\\u12", '{"answer":"'),
  "backslashes in a subtask": repeated("\\d", '{"subtasks":[{"description":"'),
  braces: repeated("{"),
  "subtasks that are no JSON": repeated("{x},", '{"subtasks":['),
  "quotes in JSON": repeated('"', "{"),
  "tags in a JSON text": repeated("<task ", '{"answer":"'),
  "marked tags": repeated('<task mark="m4rk">'),
  "marked plans in an analysis that never closes": repeated('<tasks mark="m4rk">', "<analysis>"),
  "closing tags that may be quoted": repeated("</description></task></tasks> ", '<tasks mark="m4rk"><task mark="m4rk"><description>'),
  "ends of an answer that may be quoted": repeated("</answer> ", '<answer mark="m4rk">'),
  "spaces after an end that may be quoted": repeated(" ", '<answer mark="m4rk">x</answer>'),
  "marks in JSON": repeated('{"mark":"m4rk"}'),
  "JSON that bears no mark": repeated('{"subtasks":[{"description":"d"}]}'),
};

function repeated(unit: string, before = ""): (length: number) => string {
  return (length) => (before + unit.repeat(Math.ceil(length / unit.length))).slice(0, length);
}

describe.each(readers)("the steps of the $name reader are linear", ({ newReader }) => {
  const length = 60_000;
  test.each(Object.keys(shapes))("%s", (shape) => {
    const text = shapes[shape]?.(length) ?? "";
    expect(text).toHaveLength(length);
    for (const chunks of [[text], [...text]]) {
      const reader = newReader();
      for (const chunk of chunks) reader.push(chunk);
      reader.end();
      expect(reader.steps).toBeGreaterThanOrEqual(length);
      // A character is looked at as text, as part of a name, and once more where an analysis was never closed.
      expect(reader.steps).toBeLessThanOrEqual(16 * length);
    }
  });
});
