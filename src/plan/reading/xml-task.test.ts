import { describe, expect, test } from "vitest";
import { chunksOf, draft, type Reading, readsWith } from "../../../test/plan-reading.ts";
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
