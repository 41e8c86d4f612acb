import { describe, expect, test } from "vitest";
import { chunksOf, draft, readsWith } from "../../test/plan-reading.ts";
import { xmlPlanReader } from "./xml-reader.ts";

const reads = readsWith(xmlPlanReader);

const draftTasks = "<tasks combine='choose'><task><type>x</type><description>a draft</description></task></tasks>";
const tasks = "<tasks><task><type>t</type><description>real</description></task></tasks>";
const real = { subtasks: [draft("real", { type: "t" })] };

describe("<analysis>", () => {
  reads("is kept whole, over several lines", `<analysis>\n  One.\n  Two & <b>three</b>.\n</analysis>${tasks}`, {
    ...real,
    analysis: "One.\n  Two & <b>three</b>.",
  });
  reads("has its entities resolved", `<analysis>R&amp;D &lt;task&gt;</analysis>${tasks}`, { ...real, analysis: "R&D <task>" });
  reads("may come twice", `<analysis>One.</analysis> <analysis></analysis> <analysis>Two.</analysis>${tasks}`, { ...real, analysis: "One.\nTwo." });
  reads("may quote the tasks of a whole plan", `<analysis>I could write ${draftTasks} but no.</analysis>${tasks}`, {
    ...real,
    analysis: `I could write ${draftTasks} but no.`,
  });
  reads("may quote the whole format, its own tags included", `<analysis>Form: <analysis>why</analysis>${draftTasks} ok</analysis>${tasks}`, {
    ...real,
    analysis: `Form: <analysis>why</analysis>${draftTasks} ok`,
  });
  reads("may speak of its own opening tag", `<analysis>First <analysis>, then ${draftTasks}.</analysis>${tasks}`, {
    ...real,
    analysis: `First <analysis>, then ${draftTasks}.`,
  });
  reads("that is never closed ends where <tasks> begins", `<analysis>Two parts.\n${tasks}`, { ...real, analysis: "Two parts." });
  reads("that is never closed may also be cut later on", `<analysis>Two parts.\n${tasks.replace("</tasks>", "<task><description>ha")}`, {
    ...real,
    analysis: "Two parts.",
    state: "cut",
  });
  reads("that is never closed and has no <tasks> is all there is", "<analysis>Two parts: <task><description>d</description></task>", {
    analysis: "Two parts: <task><description>d</description></task>",
    state: "cut",
  });
  reads(
    "between tasks holds nothing of the plan",
    `<tasks><task><description>a</description></task><analysis>${draftTasks}</analysis><task><description>b</description></task></tasks>`,
    {
      subtasks: [draft("a"), draft("b")],
      analysis: draftTasks,
    },
  );
  reads("inside a task is not the task's text", "<tasks><task><analysis>hm</analysis><description>d</description></task></tasks>", {
    subtasks: [draft("d")],
    analysis: "hm",
  });
  reads("is text inside a description", "<tasks><task><description>Write an <analysis> of it.</description></task></tasks>", {
    subtasks: [draft("Write an <analysis> of it.")],
  });

  test("that is open dispatches nothing before the end", () => {
    const reader = xmlPlanReader();
    expect(chunksOf(`<analysis>Two parts.\n${tasks}`, 1).flatMap((chunk) => reader.push(chunk))).toEqual([]);
    expect(reader.end().items).toHaveLength(1);
  });
});

describe("<think>", () => {
  reads("with draft tags in it is passed over", `<think>Maybe ${draftTasks} or <answer>no</answer>?</think>${tasks}`, real);
  reads("may be called <thinking>, and close by the other name", `<thinking>${draftTasks}</think>${tasks}`, real);
  reads(
    "may stand between analysis and tasks, and between tasks",
    `<analysis>why</analysis><think>${draftTasks}</think><tasks><think>${draftTasks}</think>${tasks}`,
    { ...real, analysis: "why" },
  );
  reads("may hold an analysis", `<think><analysis>no</analysis></think><analysis>yes</analysis>${tasks}`, { ...real, analysis: "yes" });
  reads("may speak of its own opening tag", `<think>The user says no <think> here.</think>${tasks}`, real);
  reads("that is never closed dispatches nothing", `<think>Let me see. ${tasks}`, { state: "cut" });
});

describe("<answer>", () => {
  reads("is read without the white space around it", "<answer>\n\n  Forty-two.\n\nReally.  \n</answer>\n", { answer: "Forty-two.\n\nReally." });
  reads("keeps markup and entities as they are", "<answer>a < b && <b>c</b> &amp; List<T> <![CDATA[x]]></answer>", {
    answer: "a < b && <b>c</b> &amp; List<T> <![CDATA[x]]>",
  });
  reads("may hold a whole plan, which is not dispatched", `<answer>Write:\n${draftTasks}\n<task><description>x</description></task></answer>`, {
    answer: `Write:\n${draftTasks}\n<task><description>x</description></task>`,
  });
  reads("may quote itself", "<answer>Use <answer>x</answer>\n\nlike that.</answer>", { answer: "Use <answer>x</answer>\n\nlike that." });
  reads("may speak of its own opening tag", "<answer>Put it into <answer> tags.</answer>\n", { answer: "Put it into <answer> tags." });
  reads("ends the plan: tasks after it are not dispatched", `<answer>Done.</answer>${tasks}`, { answer: "Done." });
  reads("after an analysis", "<analysis>Simple.</analysis>\n<answer>Yes.</answer>", { analysis: "Simple.", answer: "Yes." });
  reads("with prose around it is the answer alone", "I can do this myself.\n<answer>Yes.</answer>\nBye!", { answer: "Yes." });
  reads("after a subtask is no answer", `<task><description>d</description></task><answer>no</answer>`, { subtasks: [draft("d")], state: "open" });
  reads("that is not closed is open", "<answer>Half of the", { answer: "Half of the", state: "open" });
  reads("that has not begun is cut", "<answer>\n ", { state: "cut" });
  reads("that is empty may be followed by a plan", `<answer></answer>${tasks}`, real);

  test("is handed out as it is written, in whole characters", () => {
    const reader = xmlPlanReader();
    const deltas = chunksOf("<answer> Hi 😀  you", 1).flatMap((chunk) => reader.push(chunk).map((item) => (item.type === "answer" ? item.delta : item.type)));
    expect(deltas).toEqual(["H", "i", " 😀", "  y", "o", "u"]);
  });
});
