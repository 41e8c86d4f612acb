import { describe, expect, test } from "vitest";
import { chunksOf, draft, readsWith } from "../../../test/plan-reading.ts";
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
