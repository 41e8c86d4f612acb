import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { givenPlan, givenSubtask, parsePlan, parseTasks } from "./given-plan.ts";

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof DivvyError && thrown.code === "invalid_plan") return thrown.message;
    throw thrown;
  }
  return "no error";
}

describe("a plan that is handed in", () => {
  test("is completed: types, ids and the way of combining", () => {
    expect(
      givenPlan({
        subtasks: [{ description: " d " }, { description: "e", type: "Some  Kind" }, { description: "f", type: "some kind", dependsOn: ["SOME-KIND"] }],
      }),
    ).toEqual({
      kind: "subtasks",
      analysis: "",
      combine: "keep",
      subtasks: [
        { id: "default", type: "default", description: "d", dependsOn: [] },
        { id: "some-kind", type: "Some Kind", description: "e", dependsOn: [] },
        { id: "some-kind-2", type: "some kind", description: "f", dependsOn: ["some-kind"] },
      ],
    });
  });

  test("may be a direct answer", () => {
    expect(givenPlan({ kind: "direct", answer: "Yes." })).toEqual({ kind: "direct", analysis: "", answer: "Yes." });
  });

  test.each([
    ["what is no object", "a plan", "A plan is an object with subtasks."],
    ["no subtasks", { subtasks: [] }, "It has no subtasks."],
    ["subtasks that are no list", { subtasks: { a: {} } }, "It has no subtasks."],
    ["a subtask that is no object", { subtasks: [{ description: "d" }, "e"] }, "Subtask 2 is not an object."],
    ["a subtask without a description", { subtasks: [{ type: "t", description: " " }] }, "Subtask 1 has no description."],
    ["a description that is no text", { subtasks: [{ description: 5 }] }, "Subtask 1: description must be a text."],
    ["dependencies that are no list of ids", { subtasks: [{ description: "d", dependsOn: "a" }] }, "Subtask 1: dependsOn must be a list of ids."],
    ["another way of combining", { combine: "sum", subtasks: [{ description: "d" }] }, "`combine` must be one of merge, keep, choose."],
    [
      "an id given twice, in another case",
      {
        subtasks: [
          { id: "a", description: "d" },
          { id: "A", description: "e" },
        ],
      },
      'The id "A" of subtask 2 is taken',
    ],
    ["an id that cannot be one", { subtasks: [{ id: "a b", description: "d" }] }, 'The id "a b" of subtask 1 is taken, or has characters other than'],
    ["a dependency that is not there", { subtasks: [{ id: "a", description: "d", dependsOn: ["b"] }] }, '"a" depends on "b", which is not in the plan.'],
    ["a direct answer without text", { kind: "direct", answer: " " }, "A direct answer has no text."],
  ])("is refused with %s, saying what and where", (_, plan, message) => {
    const said = messageOf(() => givenPlan(plan));
    expect(said).toContain("The plan cannot be carried out. ");
    expect(said).toContain(message);
  });

  test("is taken back as it was given out, however the ids came about", () => {
    const longest = "x".repeat(80);
    const plan = givenPlan({ subtasks: Array.from({ length: 12 }, (_, n) => ({ type: n % 2 === 0 ? longest : "𠀀".repeat(50), description: `${n}` })) });
    expect(givenPlan(plan)).toEqual(plan);
    expect(new Set(plan.kind === "subtasks" ? plan.subtasks.map(({ id }) => id) : [])).toHaveProperty("size", 12);
  });
});

test("a subtask that is handed in is completed, and its dependencies stand unexamined", () => {
  expect(givenSubtask({ description: " d ", dependsOn: ["anything"] })).toEqual({ id: "default", type: "default", description: "d", dependsOn: ["anything"] });
  expect(messageOf(() => givenSubtask({}))).toContain("Subtask 1 has no description.");
});

describe("a plan in a text", () => {
  test("says where it has nothing, or breaks off", () => {
    expect(messageOf(() => parsePlan("no plan"))).toContain("There is no complete subtask in this text.");
    expect(messageOf(() => parsePlan("<tasks><task><description>d</description></task><task>"))).toContain("It breaks off after 1 subtask.");
    expect(messageOf(() => parsePlan('{"subtasks":[{"description":"d"},{"desc'))).toContain("It breaks off after 1 subtask.");
  });

  test.each(["<answer>half an ans", '{"answer":"half an ans'])("is not half an answer: %s", (text) => {
    expect(messageOf(() => parsePlan(text))).toContain("Its answer breaks off.");
  });

  test("is JSON where it begins like JSON, else XML, with anything around it", () => {
    const plan = { kind: "subtasks", analysis: "", combine: "keep", subtasks: [{ id: "t", type: "t", description: "d", dependsOn: [] }] };
    expect(parsePlan('\n [{"type":"t","description":"d"}]')).toEqual(plan);
    expect(parsePlan("A plan {1}: <task><type>t</type><description>d</description></task>")).toEqual(plan);
    expect(parsePlan('```json\n{"subtasks":[{"type":"t","description":"d"}]}\n```')).toEqual(plan);
    expect(parsePlan('Here it is: {"subtasks":[{"type":"t","description":"d"}]}')).toEqual(plan);
    expect(parsePlan("[The plan] <task><type>t</type><description>d</description></task>")).toEqual(plan);
  });

  test("is a plan where it has subtasks, whatever stands as its answer", () => {
    const subtasks = [{ id: "t", type: "t", description: "d", dependsOn: [] }];
    expect(parsePlan('{"answer":"See below.","subtasks":[{"type":"t","description":"d"}]}')).toMatchObject({ kind: "subtasks", subtasks });
    expect(parsePlan("<answer>See below.</answer><tasks><task><type>t</type><description>d</description></task></tasks>")).toMatchObject({ subtasks });
    expect(parsePlan('{"answer":"None.","subtasks":[]}')).toEqual({ kind: "direct", analysis: "", answer: "None." });
  });

  test("keeps a dependency only where it is known", () => {
    expect(messageOf(() => parsePlan('<tasks><task id="a" after="b"><description>d</description></task></tasks>'))).toContain('"a" depends on "b"');
  });
});

describe("parseTasks", () => {
  test("reads the pattern's tasks in order, multi-line text whole, without a type too", () => {
    expect(
      parseTasks("<task>\n<type>formal</type>\n<description>Line one\nline two</description>\n</task>\n<task><description>x</description></task>"),
    ).toEqual([
      { id: "formal", type: "formal", description: "Line one\nline two", dependsOn: [] },
      { id: "default", type: "default", description: "x", dependsOn: [] },
    ]);
  });

  test("leaves out what is cut off, and gives an empty list where there is nothing", () => {
    expect(parseTasks("<task><description>a</description></task><task><description>b")).toHaveLength(1);
    expect(parseTasks("nothing")).toEqual([]);
  });

  test("leaves out references to nothing", () => {
    expect(parseTasks('<task id="a" after="b,zzz"><description>d</description></task><task id="B"><description>e</description></task>')[0]?.dependsOn).toEqual([
      "B",
    ]);
  });
});
