import { expect, test } from "vitest";
import { planGrammar } from "./plan-grammar.ts";

/** A grammar's rules as one regular expression: this one has neither recursion nor strings that hold rule names. */
function asPattern(grammar: string): RegExp {
  const rules = new Map(grammar.split("\n").map((line) => [line.slice(0, line.indexOf(" ::= ")), line.slice(line.indexOf(" ::= ") + 5)]));
  const pattern = (rule: string): string =>
    rule.replace(/"((?:\\.|[^"\\])*)"|(\[(?:\\.|[^\]\\])*\])|([a-z]+)|(\{[\d,]+\})|\s+/g, (found, text?: string, set?: string, name?: string) => {
      if (text !== undefined) return text.replace(/\\n|\\"|[.()?*+]/g, (c) => (c === '\\"' ? '"' : c === "\\n" ? c : `\\${c}`));
      if (set !== undefined) return set;
      if (name !== undefined) return `(?:${pattern(rules.get(name) ?? "")})`;
      return found.trim();
    });
  return new RegExp(`^${pattern("root")}$`);
}

const task = (description: string): string => `<task><type>factual</type><description>${description}</description></task>\n`;
const plan = (...descriptions: string[]): string =>
  `<analysis>Students want facts and a warm tone.</analysis>\n<tasks combine="keep">\n${descriptions.map(task).join("")}</tasks>`;
const good = "Write a clear text about the new coffee shop.";

test("is followed by two or three subtasks, in our form", () => {
  const pattern = asPattern(planGrammar());
  expect(plan(good, good)).toMatch(pattern);
  expect(plan(good, good, good)).toMatch(pattern);
  for (const wrong of [plan(good), plan(good, good, good, good), `${plan(good, good)}\n`, plan(good, "Too short.")]) expect(wrong).not.toMatch(pattern);
});

test("lets no text break the plan, nor run on", () => {
  const [tiny, any] = [asPattern(planGrammar()), asPattern(planGrammar({ imperative: false, maxSubtasks: 5 }))];
  for (const text of [
    `Write about <b> in the text about it.`,
    "Write this & that in the text about it.",
    `Write ${"and ".repeat(150)}on.`,
    "Write this\nand also that, in two lines.",
  ]) {
    expect(plan(good, text)).not.toMatch(tiny);
    expect(plan(good, text)).not.toMatch(any);
  }
  expect(plan(good, "Сравните солнечную и ветровую энергию.")).toMatch(any);
  expect(plan(...Array.from({ length: 5 }, () => good))).toMatch(any);
});
