import { describe, expect, test } from "vitest";
import { vary } from "./variation.ts";

const plan = `<analysis>Three parts.</analysis>
<tasks combine="merge">
  <task id="market" type="research"><description>Size the market.</description></task>
  <task id="rivals"><type>research</type><description>Name the rivals.</description></task>
  <task id="memo" after="market, rivals"><type>writing</type><description>Write the memo.</description></task>
</tasks>`;

interface Task {
  readonly id: string;
  readonly after: readonly string[];
  readonly text: string;
}

function tasksOf(xml: string): Task[] {
  return [...xml.matchAll(/<task\b([^>]*)>([^]*?)<\/task>/g)].map(([, attributes = "", body = ""]) => {
    const read = (name: string): string => (new RegExp(`${name}="([^"]*)"`).exec(attributes) ?? new RegExp(`<${name}>([^<]*)</${name}>`).exec(body))?.[1] ?? "";
    const after = read("after");
    return { id: read("id"), after: after === "" ? [] : after.split(/[\s,]+/), text: /<description>([^<]*)/.exec(body)?.[1] ?? "" };
  });
}

describe("a plan in XML", () => {
  test("is given verbatim at first", () => {
    expect(vary(plan, 1)).toBe(plan);
  });

  test("comes with other ids, types and order, and the same descriptions", () => {
    const before = tasksOf(plan);
    const after = tasksOf(vary(plan, 2));
    expect(after.map((task) => task.text).toSorted()).toEqual(before.map((task) => task.text).toSorted());
    expect(after.map((task) => task.text)).not.toEqual(before.map((task) => task.text));
    for (const task of after) expect(before.map((old) => old.id)).not.toContain(task.id);
    expect(vary(plan, 2)).not.toContain("<type>research</type>");
    expect(vary(plan, 2)).not.toContain('type="research"');
  });

  test("keeps every dependency, and prerequisites before what needs them", () => {
    for (const answer of [2, 3, 4, 5]) {
      const tasks = tasksOf(vary(plan, answer));
      const memo = tasks.findIndex((task) => task.text === "Write the memo.");
      const needed = tasks.filter((task) => tasks[memo]?.after.includes(task.id)).map((task) => task.text);
      expect(needed.toSorted()).toEqual(["Name the rivals.", "Size the market."]);
      expect(memo).toBe(2);
    }
  });

  test("keeps what stands around the tasks", () => {
    const varied = vary(plan, 2);
    expect(varied.startsWith('<analysis>Three parts.</analysis>\n<tasks combine="merge">\n  <task')).toBe(true);
    expect(varied.endsWith("</task>\n</tasks>")).toBe(true);
  });

  test("gives an id to a task that others call by its type", () => {
    const byType =
      "<tasks><task><type>Market scan</type><description>a</description></task><task><type>x</type><description>b</description><after>market-scan</after></task></tasks>";
    const tasks = tasksOf(vary(byType, 2));
    expect(tasks.map((task) => task.text)).toEqual(["a", "b"]);
    expect(tasks[0]?.id).toMatch(/^market-scan-.+2$/);
    expect(tasks[1]?.after).toEqual([tasks[0]?.id]);
    expect(tasks[1]?.id).toBe("");
  });

  test("rewrites a task that is cut off in the same way", () => {
    const cut = '<tasks><task id="a"><description>one</description></task><task id="b" after="a"><description>tw';
    const [, newId] = /<task id="(a-[^"]+)">/.exec(vary(cut, 2)) ?? [];
    expect(vary(cut, 2)).toMatch(new RegExp(`<task id="b-[^"]+" after="${newId}"><description>tw$`));
  });

  test("survives a circle of dependencies", () => {
    const circle = '<tasks><task id="a" after="b"><description>one</description></task><task id="b" after="a"><description>two</description></task></tasks>';
    expect(tasksOf(vary(circle, 2))).toHaveLength(2);
  });
});

describe("JSON", () => {
  test("stays a plan of the same shape, with ids, order and references changed together", () => {
    const json = JSON.stringify({
      analysis: "In two parts.",
      combine: "merge",
      subtasks: [
        { id: "a", type: "t", description: "Do this now.", after: [] },
        { id: "b", type: "t", description: "Do that now.", after: [] },
        { id: "c", type: "t", description: "Join them.", after: ["a", "outside"] },
      ],
    });
    const varied: unknown = JSON.parse(vary(json, 2));
    const id = (name: string): unknown => expect.stringMatching(new RegExp(`^${name}-[a-z]+2$`));
    expect(varied).toEqual({
      analysis: expect.stringContaining("In two parts."),
      combine: "merge",
      subtasks: [
        { id: id("b"), type: id("t"), description: expect.stringContaining("Do that now."), after: [] },
        { id: id("a"), type: id("t"), description: expect.stringContaining("Do this now."), after: [] },
        { id: id("c"), type: id("t"), description: expect.stringContaining("Join them."), after: [id("a"), "outside"] },
      ],
    });
    expect(vary(json, 2)).not.toContain('"Do that now."');
  });

  test("keeps a choice: one word is a name, not prose", () => {
    const varied: unknown = JSON.parse(vary('{"id":"headline","reason":"It is short."}', 2));
    expect(varied).toEqual({ id: "headline", reason: expect.stringMatching(/It is short\. \([a-z]+ 2\)$/) });
  });

  test("differs even where nothing in it may change", () => {
    expect(vary('{"n":1}', 3)).toBe('{"n":1}\n\n');
  });
});

describe("other text", () => {
  test("is different text in every answer, with the original words in it", () => {
    const answers = [1, 2, 3, 4].map((answer) => vary("The launch is in May.", answer));
    expect(new Set(answers).size).toBe(4);
    for (const answer of answers) expect(answer).toContain("The launch is in May.");
    expect(answers[1]?.startsWith("The launch")).toBe(false);
  });

  test("is the same under the same seed, and another under another seed", () => {
    expect(vary("one two", 2, 1)).toBe(vary("one two", 2, 1));
    const bySeed = new Set(Array.from({ length: 20 }, (_, seed) => vary("one two", 2, seed)));
    expect(bySeed.size).toBeGreaterThan(5);
  });

  test("changes inside of tags, never the tags or what stands outside", () => {
    expect(vary("<unable>the price list</unable>", 2)).toMatch(/^<unable>[^<>]+: the price list \([a-z]+ 2\)<\/unable>$/);
    expect(vary("<choice>headline</choice>", 2)).toBe("<choice>headline</choice>\n");
  });

  test("changes one line of several", () => {
    const varied = vary("# Title\nThe longest line is this.\nEnd", 2).split("\n");
    expect(varied).toEqual(["# Title", expect.stringContaining("The longest line is this."), "End"]);
  });

  test("varies one word, and leaves empty text empty", () => {
    expect(vary("ok", 2)).toMatch(/^.+ ok \([a-z]+ 2\)$/);
    expect(vary(" ", 2)).toBe(" ");
  });

  test("takes broken JSON for text", () => {
    expect(vary("{not json", 2)).toContain("{not json (");
  });
});
