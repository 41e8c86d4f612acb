import { describe, expect, test } from "vitest";
import { chunksOf, draft, type Reading, readChunks, readsWith } from "../../test/plan-reading.ts";
import { xmlPlanReader } from "./xml-reader.ts";

const reads = readsWith(xmlPlanReader);

/** A plan of one task with this description as it is written. */
const describing = (markup: string): string => `<tasks><task><type>t</type><description>${markup}</description></task></tasks>`;
const described = (description: string): Partial<Reading> => ({ subtasks: [draft(description, { type: "t" })] });

describe("text in a description", () => {
  reads("keeps & and < that are not escaped", describing("R&D: a < b && c<d, 5 <6 & <"), described("R&D: a < b && c<d, 5 <6 & <"));
  reads(
    "keeps generics",
    describing("Return List<T>, Map<String, List<Type>> and Promise<Task[]>."),
    described("Return List<T>, Map<String, List<Type>> and Promise<Task[]>."),
  );
  reads(
    "keeps inline HTML",
    describing('Wrap it in <b>bold</b>, <br/> and <a href="x">link</a><!-- not -->.'),
    described('Wrap it in <b>bold</b>, <br/> and <a href="x">link</a><!-- not -->.'),
  );
  reads(
    "keeps names that only begin or end like the plan's",
    describing("<tasklist> <subtask> <task-1> <types> <identity> </tasking> <descriptions>"),
    described("<tasklist> <subtask> <task-1> <types> <identity> </tasking> <descriptions>"),
  );
  reads(
    "keeps the plan's own short tags where they are no boundary",
    describing("Write <type>, <id>5</id>, <after/> and <answer> as they are."),
    described("Write <type>, <id>5</id>, <after/> and <answer> as they are."),
  );
  reads(
    "resolves the five named entities and numeric ones, once",
    describing("a &lt;b&gt; &amp;amp; &quot;q&quot; &apos; &#8212; &#x1F600; &LT;"),
    described('a <b> &amp; "q" \' — 😀 <'),
  );
  reads(
    "keeps what is no entity",
    describing("&nbsp; &unknown; &#xD800; &#0; &#x110000; AT&T; & ; &amp"),
    described("&nbsp; &unknown; &#xD800; &#0; &#x110000; AT&T; & ; &amp"),
  );
  reads(
    "keeps lines, indentation and blank lines inside, none around",
    describing("\n  First line\n\n    - item\n\ttab\n"),
    described("First line\n\n    - item\n\ttab"),
  );
  reads("keeps characters outside the basic plane", describing("👩‍👩‍👧 and 𝒳 — ünïcödé 漢字"), described("👩‍👩‍👧 and 𝒳 — ünïcödé 漢字"));
  reads("keeps a fence and backticks in it", describing("Run:\n```ts\nconst a = `x`;\n```"), described("Run:\n```ts\nconst a = `x`;\n```"));
});

describe("CDATA", () => {
  reads(
    "is taken as it is, tags and entities in it too",
    describing("<![CDATA[a &lt; <b> </description></task> c]]>"),
    described("a &lt; <b> </description></task> c"),
  );
  reads("ends at its first closing mark, wherever that is cut", describing("<![CDATA[x]]]> y ]]> z"), described("x] y ]]> z"));
  reads("may come several times among text", describing("a &amp; <![CDATA[&amp;]]> b <![CDATA[<]]><![CDATA[]]>c"), described("a & &amp; b <c"));
  reads("may hold a whole task's text without a description", "<tasks><task><![CDATA[do <this>]]></task></tasks>", { subtasks: [draft("do <this>")] });
  reads("may hold a type", "<tasks><task><type><![CDATA[R&D]]></type><description>d</description></task></tasks>", { subtasks: [draft("d", { type: "R&D" })] });
  reads("is text outside of tasks", `<![CDATA[ no section ${describing("d")}`, described("d"));
  reads(
    "that is never closed was none, which only the end can tell",
    "<tasks><task><description>a <![CDATA[ b</description></task><task><description>c</description></task></tasks>",
    { subtasks: [draft("a <![CDATA[ b"), draft("c")] },
  );
  test("that is still open dispatches nothing, for it may be the description's text", () => {
    const reader = xmlPlanReader();
    const text = "<tasks><task><description><![CDATA[a</description></task></tasks>";
    expect(chunksOf(text, 1).flatMap((chunk) => reader.push(chunk))).toEqual([]);
  });
});

describe("tags", () => {
  reads("may be upper case or mixed", '<ANALYSIS>why</Analysis><TASKS COMBINE="MERGE"><Task ID="a"><TYPE>t</type><DESCRIPTION>d</Description></TASK></TASKS>', {
    analysis: "why",
    combine: [["merge", 0]],
    subtasks: [draft("d", { type: "t", id: "a" })],
  });
  reads(
    "may carry id, type and dependencies as attributes, in either quotes or none",
    `<tasks><task id="a" type='x y' after="b,c"><description>d</description></task><task id='b' after=a><description>e</description></task><task after="a; b  c," id = "c" ><description>f</description></task></tasks>`,
    {
      subtasks: [
        draft("d", { id: "a", type: "x y", after: ["b", "c"] }),
        draft("e", { id: "b", after: ["a"] }),
        draft("f", { id: "c", after: ["a", "b", "c"] }),
      ],
    },
  );
  reads("may carry them as child tags, in any order", "<tasks><task><description>d</description><after>a, b</after><id> x </id><type>t</type></task></tasks>", {
    subtasks: [draft("d", { id: "x", type: "t", after: ["a", "b"] })],
  });
  reads("may give dependencies both ways", '<tasks><task after="a"><after>b</after><description>d</description></task></tasks>', {
    subtasks: [draft("d", { after: ["a", "b"] })],
  });
  reads("may be empty, with everything in attributes", '<tasks><task id="a" type="t" description="do it" after="b"/></tasks>', {
    subtasks: [draft("do it", { id: "a", type: "t", after: ["b"] })],
  });
  reads("may spread over lines", '<tasks\n combine="choose"\n><task\n\tid="a"\n><description >d</description\n></task ></tasks\n>', {
    combine: [["choose", 0]],
    subtasks: [draft("d", { id: "a" })],
  });
  reads(
    "may have attributes that mean nothing",
    '<tasks count="1" combine="sum"><task priority="1" ID="a" data-id="no"><description lang="en">d</description></task></tasks>',
    { subtasks: [draft("d", { id: "a" })] },
  );
  reads("that are longer than any tag are text", `<tasks><task><description>a <task ${"x".repeat(1100)}> b</description></task></tasks>`, {
    subtasks: [draft(`a <task ${"x".repeat(1100)}> b`)],
  });
  reads(
    "may say again how results are combined, before and after",
    '<tasks combine="keep"></tasks><tasks combine="merge"><task><description>d</description></task></tasks>',
    {
      combine: [
        ["keep", 0],
        ["merge", 0],
      ],
      subtasks: [draft("d")],
    },
  );
});

describe("the whole reply", () => {
  const one = "<task><type>t</type><description>d</description></task>";
  reads("may stand on one line", `<analysis>why</analysis><tasks>${one}${one}</tasks>`, {
    analysis: "why",
    subtasks: [draft("d", { type: "t" }), draft("d", { type: "t" })],
  });
  reads("may stand in a code fence", "```xml\n" + `<analysis>why</analysis>\n<tasks>\n${one}\n</tasks>\n` + "```\n", { analysis: "why", ...described("d") });
  reads(
    "may have prose before, between and after",
    `Sure! Here is my plan: 3 < 4.\n<analysis>why</analysis>\nNow the tasks:\n<tasks>\nFirst:\n${one}\nand then\n${one}\n</tasks>\nShall I go on?`,
    {
      analysis: "why",
      subtasks: [draft("d", { type: "t" }), draft("d", { type: "t" })],
    },
  );
  reads("may leave <tasks> out", `<analysis>why</analysis>${one}\n${one}`, {
    state: "open",
    analysis: "why",
    subtasks: [draft("d", { type: "t" }), draft("d", { type: "t" })],
  });
  reads("may leave the type out, or empty", "<tasks><task><description>d</description></task><task><type> </type><description>e</description></task></tasks>", {
    subtasks: [draft("d"), draft("e")],
  });
  reads("may leave the type unclosed", "<tasks><task><type>t\n<description>d</description></task></tasks>", described("d"));
  reads(
    "is over at </tasks>: what follows is no part of it",
    `<tasks>${one}</tasks><tasks combine="merge">${one}</tasks>${one}<answer>no</answer>`,
    described("d"),
  );
  reads("may hold an empty <tasks> before the real one", `I write <tasks></tasks> then. <tasks combine="merge">${one}</tasks>`, {
    combine: [["merge", 0]],
    ...described("d"),
  });
  reads("leaves out tasks without any instruction", `<tasks><task></task><task/><task><description> </description></task>${one}</tasks>`, described("d"));
  reads("may speak of its tags before the plan", `Each <task> gets a <type> and a <description>, all inside:\n<tasks combine="merge">${one}</tasks>`, {
    combine: [["merge", 0]],
    ...described("d"),
  });
  reads("that is prose only holds nothing", "I think the best would be to write three texts.", { state: "cut" });
  reads("that is empty holds nothing", "", { state: "cut" });
});

describe("missing closing tags", () => {
  reads("</task> before another task and before </tasks>", "<tasks><task><description>a</description>\n<task><description>b</description>\n</tasks>", {
    subtasks: [draft("a"), draft("b")],
  });
  reads("</description> before another task and before </tasks>", "<tasks><task><description>a</task>\n<task><description>b</task>\n</tasks>", {
    subtasks: [draft("a"), draft("b")],
  });
  reads("</description> before the end, a closing fence included", "<tasks><task><description>a</task>\n```\n", { state: "open", subtasks: [draft("a")] });
  reads("</tasks> at the end", "<tasks><task><description>a</description></task>\n", { state: "open", subtasks: [draft("a")] });
  reads(
    "</task> in a description is text where the description goes on",
    describing("Close it with </task> and </task>\n\nthen </tasks>."),
    described("Close it with </task> and </task>\n\nthen </tasks>."),
  );
  reads("</task> in a description is text where only </description> follows", describing("It ends in </task>"), described("It ends in </task>"));
  reads(
    "a whole task quoted in a description is text while no boundary repeats",
    describing("Like <task><type>x</type></task>; nothing else."),
    described("Like <task><type>x</type></task>; nothing else."),
  );
  reads(
    "a description that repeats a whole boundary does add a subtask",
    "<tasks><task><description>a</task> <task><description>b</description></task></tasks>",
    { subtasks: [draft("a"), draft("b")] },
  );
});

describe("a reply that is cut off", () => {
  const first = '<tasks combine="merge"><task id="a"><type>t</type><description>d</description></task>';
  const second = '\n<task id="b"><type>t</type><description>e</description></task>';
  const whole = { combine: [["merge", 0] as const], subtasks: [draft("d", { id: "a", type: "t" })] };

  test("never hands out the subtask in which it breaks off, wherever that is", () => {
    for (let length = 1; length < second.length; length++) {
      const text = first + second.slice(0, length);
      const { subtasks, state } = readChunks(xmlPlanReader(), [text]);
      expect(subtasks, text).toEqual(whole.subtasks);
      // Before the second task has opened, nothing in the plan is cut in half.
      expect(state, text).toBe(length < second.indexOf(">") + 1 ? "open" : "cut");
    }
  });
  reads("inside a description", `${first}<task><description>half of`, { ...whole, state: "cut" });
  reads("inside a CDATA section", `${first}<task><description><![CDATA[half of`, { ...whole, state: "cut" });
  reads("inside a closing tag", `${first}<task><description>all</description></tas`, { ...whole, state: "cut" });
  reads("between two tasks", first, { ...whole, state: "open" });
});

test("a subtask is handed out with the last character of its closing tag, and not before", () => {
  const text = "<tasks><task><type>t</type><description>d</description></task><task><description>e</task><task>";
  const reader = xmlPlanReader();
  const at: number[] = [];
  for (const [index, char] of [...text].entries()) if (reader.push(char).some(({ type }) => type === "subtask")) at.push(index + 1);
  const firstClosed = text.indexOf("</task>") + "</task>".length;
  // The second one's description was left open: the tag that follows decides.
  expect(at).toEqual([firstClosed, text.length]);
});
