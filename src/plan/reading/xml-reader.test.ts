import { describe, expect, test } from "vitest";
import { draft, readChunks, readsWith } from "../../../test/plan-reading.ts";
import { xmlPlanReader } from "./xml-reader.ts";

const reads = readsWith(xmlPlanReader);

const one = "<task><type>t</type><description>d</description></task>";
const read = { subtasks: [draft("d", { type: "t" })] };

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
  reads("may stand on one line", `<analysis>why</analysis><tasks>${one}${one}</tasks>`, {
    analysis: "why",
    subtasks: [draft("d", { type: "t" }), draft("d", { type: "t" })],
  });
  reads("may stand in a code fence", "```xml\n" + `<analysis>why</analysis>\n<tasks>\n${one}\n</tasks>\n` + "```\n", { analysis: "why", ...read });
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
  reads("may leave the type unclosed", "<tasks><task><type>t\n<description>d</description></task></tasks>", read);
  reads("is over at </tasks>: what follows is no part of it", `<tasks>${one}</tasks><tasks combine="merge">${one}</tasks>${one}<answer>no</answer>`, read);
  reads("may hold an empty <tasks> before the real one", `I write <tasks></tasks> then. <tasks combine="merge">${one}</tasks>`, {
    combine: [["merge", 0]],
    ...read,
  });
  reads("leaves out tasks without any instruction", `<tasks><task></task><task/><task><description> </description></task>${one}</tasks>`, read);
  reads("may speak of its tags before the plan", `Each <task> gets a <type> and a <description>, all inside:\n<tasks combine="merge">${one}</tasks>`, {
    combine: [["merge", 0]],
    ...read,
  });
  reads("that is prose only holds nothing", "I think the best would be to write three texts.", { state: "cut" });
  reads("that is empty holds nothing", "", { state: "cut" });
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
