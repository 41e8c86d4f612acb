import { describe, expect, test } from "vitest";
import { chunksOf, draft, readsWith } from "../../../test/plan-reading.ts";
import { xmlPlanReader } from "./xml-reader.ts";

const reads = readsWith(xmlPlanReader);

const one = "<task><type>t</type><description>d</description></task>";
const tasks = `<tasks>${one}</tasks>`;
const read = { subtasks: [draft("d", { type: "t" })] };

describe("<answer>", () => {
  reads("is read without the white space around it", "<answer>\n\n  Forty-two.\n\nReally.  \n</answer>\n", { answer: "Forty-two.\n\nReally." });
  reads("keeps markup and entities as they are", "<answer>a < b && <b>c</b> &amp; List<T> <![CDATA[x]]></answer>", {
    answer: "a < b && <b>c</b> &amp; List<T> <![CDATA[x]]>",
  });
  reads("may hold a whole plan, which is not dispatched", `<answer>Write:\n${tasks}\n<task><description>x</description></task></answer>`, {
    answer: `Write:\n${tasks}\n<task><description>x</description></task>`,
  });
  reads("may quote itself", "<answer>Use <answer>x</answer>\n\nlike that.</answer>", { answer: "Use <answer>x</answer>\n\nlike that." });
  reads("may speak of its own opening tag", "<answer>Put it into <answer> tags.</answer>\n", { answer: "Put it into <answer> tags." });
  reads("may be followed by a plan, which voids it", `<answer>Done.</answer>\n<analysis>why</analysis>${tasks}`, { answer: "Done.", analysis: "why", ...read });
  reads("is followed by a plan only where <tasks> opens", `<answer>Done.</answer>\nThere was no need of a ${one}.`, { answer: "Done." });
  reads("is followed by no other answer", "<answer>Done.</answer> <answer>Really.</answer>", { answer: "Done." });
  reads("that says nothing is none where a plan follows", `<answer>N/A</answer>${tasks}`, read);
  reads("that says nothing gives way to another", "<answer>None</answer> <answer>Yes.</answer>", { answer: "Yes." });
  reads("that says nothing is the answer where nothing else comes", "<answer> None. </answer>\n", { answer: "None." });
  reads("that says nothing is no answer where a plan after it is cut off", "<answer>N/A</answer><tasks><task><description>half", { state: "cut" });
  reads("is whole, whatever is begun after it", "<answer>Yes.</answer> I need not <think> twice.", { answer: "Yes." });
  reads("may begin like one that says nothing", "<answer>None of them, nor N/A.</answer>", { answer: "None of them, nor N/A." });
  reads("after an analysis", "<analysis>Simple.</analysis>\n<answer>Yes.</answer>", { analysis: "Simple.", answer: "Yes." });
  reads("with prose around it is the answer alone", "I can do this myself.\n<answer>Yes.</answer>\nBye!", { answer: "Yes." });
  reads("after a subtask is no answer", `<task><description>d</description></task><answer>no</answer>`, { subtasks: [draft("d")], state: "open" });
  reads("that is not closed is open", "<answer>Half of the", { answer: "Half of the", state: "open" });
  reads("that has not begun is cut", "<answer>\n ", { state: "cut" });
  reads("that is empty may be followed by a plan", `<answer></answer>${tasks}`, read);

  test("is handed out as it is written, in whole characters", () => {
    const reader = xmlPlanReader();
    const deltas = chunksOf("<answer> Hi 😀  you", 1).flatMap((chunk) => reader.push(chunk).map((item) => (item.type === "answer" ? item.delta : item.type)));
    expect(deltas).toEqual(["H", "i", " 😀", "  y", "o", "u"]);
  });
});
