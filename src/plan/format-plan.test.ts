import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../../test/any-text.ts";
import { readChunks } from "../../test/plan-reading.ts";
import type { Plan } from "../subtask.ts";
import { formatPlan, type PlanFormat } from "./format-plan.ts";
import { givenPlan, parsePlan } from "./given-plan.ts";
import { jsonPlanReader } from "./reading/json-reader.ts";
import { xmlPlanReader } from "./reading/xml-reader.ts";

const marks = [
  "<task>",
  "</task>",
  "</description>",
  "<tasks combine='merge'>",
  "</tasks>",
  "</TYPE>",
  "<analysis>",
  "</analysis>",
  "<think>",
  "</thinking>",
  "<![CDATA[",
  "]]>",
  "&lt;",
  "&amp;lt;",
  "&",
  "&#65;",
  "&AMP;",
  "<",
  "</",
  "<description",
  "<ans",
  "wer>",
  "List<T>",
  "\n",
  " ",
  "{",
  '"',
  "\\",
  "\\u0041",
  "`",
  "😀",
  "é",
  "a",
];
/** Texts that a plan may hold: no white space around them, since a plan's texts never have it. */
const text = fc
  .oneof(
    fc.array(fc.constantFrom(...marks), { maxLength: 12 }).map((all) => all.join("")),
    anyText(),
  )
  .map((any) => any.trim());
const nonEmpty = text.filter((any) => any !== "");

const subtasksPlan: fc.Arbitrary<Plan> = fc
  .record({
    analysis: text,
    combine: fc.constantFrom("merge", "keep", "choose"),
    drafts: fc.array(
      fc.record({
        type: text,
        description: nonEmpty,
        id: fc.constantFrom("", "a", "A-b", "über.2", "x_1", "z".repeat(64)),
        after: fc.array(fc.nat(30), { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  })
  .map(({ analysis, combine, drafts }) => {
    const taken = new Set<string>();
    const unique = drafts.map(({ id, after, ...draft }, index) => {
      const own = id === "" || taken.has(id) ? `n${index}` : id;
      taken.add(own);
      return { ...draft, id: own, after };
    });
    const ids = unique.map(({ id }) => id);
    const subtasks = unique.map(({ after, ...draft }) => ({ ...draft, dependsOn: after.map((n) => ids[n % ids.length] ?? "") }));
    return givenPlan({ analysis, combine, subtasks });
  });

/** An answer is written as it is, without escapes: tags of its own name have to come in pairs. */
const directPlan: fc.Arbitrary<Plan> = fc
  .record({ analysis: text, answer: nonEmpty })
  .filter(({ answer }) => !/<\/?answer[\s/>]/i.test(answer) && answer.isWellFormed())
  .map(({ analysis, answer }) => ({ kind: "direct", analysis, answer }));

const formats: readonly PlanFormat[] = ["xml", "json"];

describe.each(formats)("a plan formatted as %s", (format) => {
  test("reads as the same plan", () => {
    fc.assert(
      fc.property(fc.oneof(subtasksPlan, directPlan), (plan) => {
        expect(parsePlan(formatPlan(plan, format))).toEqual(plan);
      }),
      { numRuns: 1000 },
    );
  });

  test("that is cut off anywhere reads as the subtasks that were complete by then, and no other", () => {
    fc.assert(
      fc.property(subtasksPlan, fc.double({ min: 0, max: 1, noNaN: true }), (plan, share) => {
        const formatted = formatPlan(plan, format);
        const newReader = format === "xml" ? xmlPlanReader : jsonPlanReader;
        const whole = readChunks(newReader(), [formatted]);
        const beginning = readChunks(newReader(), [formatted.slice(0, Math.floor(share * formatted.length))]);
        expect(beginning.subtasks).toEqual(whole.subtasks.slice(0, beginning.subtasks.length));
      }),
      { numRuns: 1000 },
    );
  });
});

test("text that cannot be taken for markup is written as it is, for models to read", () => {
  const description = "R&D: List<T>, a < b && c, <b>bold</b>";
  const plan: Plan = { kind: "subtasks", analysis: "A & B", combine: "merge", subtasks: [{ id: "a", type: "t & u", description, dependsOn: ["b", "c"] }] };
  expect(formatPlan(plan)).toBe(`<analysis>A & B</analysis>
<tasks combine="merge">
<task id="a" after="b,c">
<type>t & u</type>
<description>${description}</description>
</task>
</tasks>`);
});

test("a direct answer may quote whole answers", () => {
  const plan: Plan = { kind: "direct", analysis: "", answer: "Write <answer>x</answer>, then <answer></answer>." };
  for (const format of formats) expect(parsePlan(formatPlan(plan, format))).toEqual(plan);
});

test("a plan that was turned into JSON by JSON.stringify reads as the same plan, dependencies included", () => {
  const plan: Plan = {
    kind: "subtasks",
    analysis: "why",
    combine: "choose",
    subtasks: [
      { id: "a", type: "t", description: "d", dependsOn: [] },
      { id: "b", type: "t", description: "e", dependsOn: ["a"] },
    ],
  };
  expect(parsePlan(JSON.stringify(plan))).toEqual(plan);
  const direct: Plan = { kind: "direct", analysis: "", answer: "Yes.\n\nReally." };
  expect(parsePlan(JSON.stringify(direct, null, 2))).toEqual(direct);
});
