import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../../test/any-text.ts";
import { DivvyError } from "../errors.ts";
import { checkPrompt, renderPrompt } from "./role-prompt.ts";
import { contextText, contextVariables, fillTemplate, variablesOf } from "./template.ts";

const fill = (template: string, values: Readonly<Record<string, string>>): string => fillTemplate("worker", template, new Map(Object.entries(values)));

function errorOf(run: () => unknown): DivvyError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof DivvyError) return thrown;
    throw thrown;
  }
  throw new Error("It did not throw.");
}

describe("a template", () => {
  test("of the pattern's published shape gets plain values, unchanged around them", () => {
    const orchestrator =
      "Analyze this task and break it down.\n\nTask: {task}\nContext: {context}\n\n<tasks>\n    <task>\n    <type>formal</type>\n    </task>\n</tasks>";
    expect(fill(orchestrator, { task: "T", context: "C" })).toBe(orchestrator.replace("{task}", "T").replace("{context}", "C"));
    const worker = "Original Task: {original_task}\nStyle: {task_type}\nGuidelines: {task_description} of {task}\n\n<response>Your content here.</response>";
    expect(fill(worker, { original_task: "T", task: "T", task_type: "S", task_description: "D" })).toBe(
      "Original Task: T\nStyle: S\nGuidelines: D of T\n\n<response>Your content here.</response>",
    );
  });

  test("has only {identifier} for a variable; other braces are text", () => {
    const template = 'if (x) { return {"a": {1}, b: { }, {}, {a b}, {a-b}, {a.b}, {ä} } } ${task}';
    expect(variablesOf(template)).toEqual(["task"]);
    expect(fill(template, { task: "T" })).toBe(template.replace("{task}", "T"));
  });

  test("has {{name}} for a literal {name}", () => {
    expect(fill("{{task}} {task} {{unknown}} {{ task }} {{1}}", { task: "T" })).toBe("{task} T {unknown} {{ task }} {{1}}");
    expect(variablesOf("{{task}}")).toEqual([]);
  });

  test("names each of its variables once, in order", () => {
    expect(variablesOf("{b} {a} {b} {_x1}")).toEqual(["b", "a", "_x1"]);
  });

  test("gets values as they are: nothing in them is looked into", () => {
    const values = { task: "$& $1 $$ $` $' {context} {{task}} {unknown}", context: "\\n {task}" };
    expect(fill("<{task}|{context}|{task}>", values)).toBe(`<${values.task}|${values.context}|${values.task}>`);
  });

  test("puts any value in unchanged", () => {
    fc.assert(fc.property(anyText(), (value) => fill("a{x}b", { x: value }) === `a${value}b`));
  });

  test("with an unknown variable names it, lists what there is, and says what to do", () => {
    const error = errorOf(() => fill("{task} {tsak}", { task: "T", audience: "A" }));
    expect(error.code).toBe("invalid_template");
    expect(error.message).toBe("The worker's prompt has the variable {tsak}, which has no value here. There is: {task}, {audience}.");
    expect(error.hint).toBe('Correct {tsak}, pass it as a key of the context, or write {{tsak}} for the text "{tsak}".');
    expect(error.evidence).toEqual({ known: ["task", "audience"] });
  });

  test("does not find its variables among what every object inherits", () => {
    expect(errorOf(() => fill("{constructor}", {})).message).toContain("{constructor}");
  });
});

describe("a prompt is checked before it is used", () => {
  test("a template for variables without a value", () => {
    expect(errorOf(() => checkPrompt("orchestrator", "{task} {colour}", ["task", "context"])).message).toBe(
      "The orchestrator's prompt has the variable {colour}, which has no value here. There is: {task}, {context}.",
    );
    expect(() => checkPrompt("orchestrator", "{task} {{colour}}", ["task"])).not.toThrow();
  });

  test("a function not at all: it gets the values", () => {
    expect(() => checkPrompt("worker", () => "{anything}", [])).not.toThrow();
  });
});

describe("a rendered prompt", () => {
  test("of a template or of a plain string is one user message", () => {
    const expected = [{ role: "user", content: [{ type: "text", text: "Do T" }] }];
    expect(renderPrompt("worker", "Do {task}", { task: "ignored" }, new Map([["task", "T"]]))).toEqual(expected);
    expect(renderPrompt("worker", ({ task }: { task: string }) => `Do ${task}`, { task: "T" }, new Map())).toEqual(expected);
  });

  test("of a function may have a system text, and a shared part that comes first as a part of its own", () => {
    expect(renderPrompt("worker", () => ({ system: "S", shared: "same", prompt: "own" }), {}, new Map())).toEqual([
      { role: "system", content: "S" },
      {
        role: "user",
        content: [
          { type: "text", text: "same" },
          { type: "text", text: "own" },
        ],
      },
    ]);
  });
});

describe("a context", () => {
  test("that is a text stands as it is, and offers no variables", () => {
    expect(contextText(" free {text}\n")).toBe(" free {text}\n");
    expect(contextVariables("free")).toEqual([]);
  });

  test("that is a record is one line a key; lists of plain values are joined, other values are JSON", () => {
    const context = { audience: "cyclists", features: ["light", 3, true, null], price: 49.5, nested: { a: [1] }, rows: [{ a: 1 }], none: null };
    expect(contextText(context)).toBe('audience: cyclists\nfeatures: light, 3, true, null\nprice: 49.5\nnested: {"a":[1]}\nrows: [{"a":1}]\nnone: null');
  });

  test("that is a record offers each key that can be a variable's name, with the value as text", () => {
    expect(contextVariables({ target_audience: "x", list: ["a", "b"], "not-a-name": 1, "1st": 2, _ok: 3 })).toEqual([
      ["target_audience", "x"],
      ["list", "a, b"],
      ["_ok", "3"],
    ]);
  });
});
