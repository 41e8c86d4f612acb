import { describe, expect, test } from "vitest";
import { chunksOf, draft, readChunks, readsWith } from "../../../test/plan-reading.ts";
import { jsonPlanReader } from "./json-reader.ts";
import type { PlanItem } from "./reader.ts";

const reads = readsWith(jsonPlanReader);

const plan = { analysis: "Two parts.", combine: "merge", subtasks: [{ id: "a", type: "t", description: "d", after: [] as string[] }] };
const text = JSON.stringify(plan);
const told = { analysis: "Two parts.", combine: [["merge", 0] as const], subtasks: [draft("d", { id: "a", type: "t" })] };

describe("the whole reply", () => {
  reads("is read compact", text, told);
  reads("is read spread over lines", JSON.stringify(plan, null, 2), told);
  reads(
    "may stand in a code fence with prose around it",
    `Here is the plan:\n\`\`\`json\n${text}\n\`\`\`\nI hope it fits. {"subtasks":[{"description":"no"}]}`,
    told,
  );
  reads("may come after a <think> block with drafts in it", `<think>{"subtasks":[{"description":"draft"}]} {</think>\n${text}`, told);
  reads("may come after braces and brackets in prose", `I use {braces}, [1], [a {b}] and {} "quotes". ${text}`, told);
  reads("may come after other JSON", `You gave me {"audience": "x", "n": [1, {"a": 2}]}. ${text}`, told);
  reads("may be a bare array of subtasks", '[{"type":"t","description":"d"},{"description":"e","after":["t"]}]', {
    subtasks: [draft("d", { type: "t" }), draft("e", { after: ["t"] })],
  });
  reads("may call its list tasks", '{"tasks":[{"description":"d"}]}', { subtasks: [draft("d")] });
  reads(
    "may have its keys in any order, and others",
    '{"subtasks":[{"description":"d","x":{"y":[{"description":"no"}]}}],"more":{"subtasks":[{"description":"no"}]},"combine":"choose","analysis":"late"}',
    {
      analysis: "late",
      combine: [["choose", 1]],
      subtasks: [draft("d")],
    },
  );
  reads("keeps tags and CDATA marks in its texts", '{"subtasks":[{"description":"Use <task id=\\"a\\"> & <![CDATA[x]]> in <think>."}]}', {
    subtasks: [draft('Use <task id="a"> & <![CDATA[x]]> in <think>.')],
  });
  reads("may be empty on purpose", '{"analysis":"","combine":"keep","subtasks":[]}', { combine: [["keep", 0]] });
  reads("that is prose only holds nothing", "I would write three texts { } [ ].", { state: "cut" });
  reads("that is empty holds nothing", "", { state: "cut" });
});

describe("a subtask", () => {
  reads("may have numbers for ids", '[{"id":1,"description":"a"},{"id":2,"description":"b","after":[1]},{"id":3,"description":"c","after":2}]', {
    subtasks: [draft("a", { id: "1" }), draft("b", { id: "2", after: ["1"] }), draft("c", { id: "3", after: ["2"] })],
  });
  reads("may name several dependencies in one string", '[{"description":"d","after":"a, b"}]', { subtasks: [draft("d", { after: ["a", "b"] })] });
  reads("may name them as a plan that is a value does", '[{"description":"d","dependsOn":["a"]}]', { subtasks: [draft("d", { after: ["a"] })] });
  reads("may lack everything but its description", '[{"description":" d "}]', { subtasks: [draft("d")] });
  reads("may have line breaks and tabs in its texts as they are", '[{"description":"one\n\ttwo\r\nthree"}]', { subtasks: [draft("one\n\ttwo\r\nthree")] });
  reads("may have backslashes that escape nothing", String.raw`[{"description":"cost \$5, match \d+, \'x\', \u12 C:\Users and \\ \" \n."}]`, {
    subtasks: [draft("cost \\$5, match \\d+, \\'x\\', \\u12 C:\\Users and \\ \" \n.")],
  });
  reads("may have braces, brackets and quotes in its texts", String.raw`[{"description":"} ] \" { [ \\","type":"\\"},{"description":"e"}]`, {
    subtasks: [draft('} ] " { [ \\', { type: "\\" }), draft("e")],
  });
  reads("without a description leaves the plan incomplete", '{"subtasks":[{"id":"a"},{"description":"d"}]}', { subtasks: [draft("d")], state: "cut" });
  reads("that is no JSON leaves the plan incomplete", '{"subtasks":[{description:"a"},{"description":"d"}]}', { subtasks: [draft("d")], state: "cut" });

  test("is handed out with its closing brace, and not before", () => {
    const whole = '{"subtasks":[{"description":"a <task of {x}"},{"description":"b","more":{"y":1}}]}';
    const reader = jsonPlanReader();
    const at: number[] = [];
    for (const [index, char] of [...whole].entries()) if (reader.push(char).length > 0) at.push(index + 1);
    expect(at).toEqual([whole.indexOf('"},') + 2, whole.indexOf("}}") + 2]);
  });
});

describe("a direct answer", () => {
  reads("is read with all escapes", String.raw`{"analysis":"","answer":"a\n\t\"b\" \\ \/ \u00e9 \ud83d\ude00 c"}`, { answer: 'a\n\t"b" \\ / é 😀 c' });
  reads("is read with characters as they are", '{"answer":"é 😀\n漢"}', { answer: "é 😀\n漢" });
  reads("has no white space around it", String.raw`{"answer":"\n  Yes.\n\nNo. \n\t "}`, { answer: "Yes.\n\nNo." });
  reads("keeps escapes that are none", String.raw`{"answer":"\d \u12 \u1\u0041 \ud83d. \x"}`, { answer: "\\d \\u12 \\u1A \ud83d. \\x" });
  reads("may look like a plan", String.raw`{"answer":"{\"subtasks\":[{\"description\":\"no\"}]} <answer>"}`, {
    answer: '{"subtasks":[{"description":"no"}]} <answer>',
  });
  reads("after a subtask is none", '{"subtasks":[{"description":"d"}],"answer":"no"}', { subtasks: [draft("d")] });
  reads("may be followed by subtasks, which void it", '{"answer":"Done.","subtasks":[{"description":"d"}]}', { answer: "Done.", subtasks: [draft("d")] });
  reads("that is empty leaves the subtasks", '{"answer":"","subtasks":[{"description":"d"}]}', { subtasks: [draft("d")] });
  reads("that is no text leaves the subtasks", '{"answer":null,"subtasks":[{"description":"d"}]}', { subtasks: [draft("d")] });
  reads("that says nothing leaves the subtasks", '{"answer":" N/A\\n","subtasks":[{"description":"d"}]}', { subtasks: [draft("d")] });
  reads("that says nothing is the answer where there are none", '{"answer":"None.","subtasks":[]}', { answer: "None." });
  reads("that says nothing is no answer where a subtask cannot be read", '{"answer":"N/A","subtasks":[{"id":"a"}]}', { state: "cut" });
  reads("that says nothing is no answer where a subtask is cut off", '{"answer":"N/A","subtasks":[{"description":"half', { state: "cut" });
  reads("may begin like one that says nothing", '{"answer":"Nonetheless, yes."}', { answer: "Nonetheless, yes." });
  reads("that is cut off is cut", '{"answer":"Half of the', { answer: "Half of the", state: "cut" });
  reads("whose object is not closed is open", '{"answer":"All of it"', { answer: "All of it", state: "open" });

  test.each([1, 2, 3, 5, 7])("never shows half an escape or half a character (chunks of %s)", (size) => {
    const answer = 'é😀\\ "q"\n\u2028𝒳';
    const escaped = [...answer]
      .flatMap((char) =>
        char.length > 1 ? [char, ...Array.from({ length: 2 }, (_, i) => `\\u${char.charCodeAt(i).toString(16)}`)] : JSON.stringify(char).slice(1, -1),
      )
      .join("");
    const reader = jsonPlanReader();
    const isDelta = (item: PlanItem): item is PlanItem & { type: "answer" } => item.type === "answer";
    const deltas = chunksOf(`{"answer":"${escaped}"}`, size).flatMap((chunk) =>
      reader
        .push(chunk)
        .filter(isDelta)
        .map(({ delta }) => delta),
    );
    expect(deltas.join("")).toBe('é😀😀\\ "q"\n\u2028𝒳𝒳');
    for (const delta of deltas) expect(delta.isWellFormed(), JSON.stringify(delta)).toBe(true);
  });
});

describe("a reply that is cut off", () => {
  const whole = '{"combine":"merge","subtasks":[{"description":"a"},{"description":"b"}]}';
  const firstEnds = whole.indexOf("},") + 1;

  test("never hands out the subtask in which it breaks off, wherever that is", () => {
    for (let length = firstEnds; length < whole.length - 3; length++) {
      const { subtasks, state } = readChunks(jsonPlanReader(), [whole.slice(0, length)]);
      expect(subtasks, whole.slice(0, length)).toEqual([draft("a")]);
      expect(state, whole.slice(0, length)).toBe(length <= firstEnds + 1 ? "open" : "cut");
    }
  });
  reads("after its last subtask lacks only its closing marks", whole.slice(0, -2), {
    combine: [["merge", 0]],
    subtasks: [draft("a"), draft("b")],
    state: "open",
  });
  reads("before anything was found", '{"analysis":"Two', { state: "cut" });
});
