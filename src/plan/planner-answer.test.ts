import { describe, expect, test } from "vitest";
import { fault } from "../../test/fake-calls.ts";
import { plan, planning, task } from "./planning-fixture.ts";

describe("a direct answer", () => {
  test("takes one call and is handed over as it is written", async () => {
    const planned = planning([{ parts: ["<analysis>Simple.</analysis><answer>\nFor", "ty-", "two. ", "\n</answer>"] }]);
    expect(await planned.ending).toEqual({ kind: "direct", analysis: "Simple.", answer: "Forty-two." });
    expect(planned.seen).toEqual(["answer: For", "answer: ty-", "answer: two."]);
    expect(planned.fake.asked).toHaveLength(1);
  });

  test("counts where it is not closed but ended by itself, and where the stream broke after its end", async () => {
    expect(await planning(["<answer>Yes."]).ending).toMatchObject({ kind: "direct", answer: "Yes." });
    expect(await planning([{ parts: ["<answer>Yes.</answer>"], error: fault("stream_broken") }]).ending).toMatchObject({ kind: "direct", answer: "Yes." });
  });

  test("that breaks off is no answer", async () => {
    const error = fault("stream_broken");
    await expect(planning([{ parts: ["<answer>Half"], error }]).ending).rejects.toBe(error);
  });

  test("is not taken where the caller wants a division: the plan is asked for again, without offering it", async () => {
    const planned = planning(["<answer>Yes.</answer>", plan("a")], { direct: false });
    expect(await planned.ending).toMatchObject({ kind: "subtasks" });
    expect(planned.seen).toEqual(["a"]);
    expect(planned.fake.prompt(1)).not.toContain("<answer>");
  });

  test("is not taken once subtasks stand", async () => {
    const planned = planning([`<tasks>${task("a")}<task>`, "<answer>no</answer>"]);
    expect(await planned.ending).toMatchObject({ kind: "subtasks" });
    expect(planned.seen).toEqual(["a"]);
  });

  describe.each(["xml", "json"] as const)("beside subtasks, in %s,", (format) => {
    const both = (answer: string, ...ids: readonly string[]): string =>
      format === "xml"
        ? `<answer>${answer}</answer><tasks>${ids.map((id) => task(id)).join("")}</tasks>`
        : JSON.stringify({ analysis: "", answer, combine: "keep", subtasks: ids.map((id) => ({ id, type: "t", description: `do ${id}`, after: [] })) });

    test("is taken back: a plan that has subtasks is a plan", async () => {
      const planned = planning([both("All of it.", "a", "b")], { format });
      expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "" });
      expect(planned.seen).toEqual(["answer: All of it.", "restart", "a", "b"]);
    });

    test("stands where some of it has left through a door that cannot take it back: the subtasks are not started", async () => {
      const planned = planning([both("All of it.", "a", "b")], { format, canTakeBack: false });
      expect(await planned.ending).toEqual({ kind: "direct", analysis: "", answer: "All of it." });
      expect(planned.seen).toEqual(["answer: All of it."]);
    });

    test.each(["", " ", "N/A", "n/a.", "None", "null", '"none"', "-", "...", "(not applicable)"])("is never shown where it says %j", async (nothing) => {
      const reply = both(nothing, "a", "b");
      const planned = planning([{ parts: [...reply] }], { format, canTakeBack: false });
      expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "" });
      expect(planned.seen).toEqual(["a", "b"]);
    });

    test("is no answer where it says nothing and the first subtask is cut off: the plan is asked for again", async () => {
      const reply = both("N/A", "a");
      const planned = planning([{ parts: [reply.slice(0, reply.indexOf("do a"))], error: fault("output_truncated") }, both("N/A", "a")], { format });
      expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "" });
      expect(planned.seen).toEqual(["a"]);
    });

    test("of which there are none, is the answer even where it says nothing", async () => {
      const planned = planning([both("None.")], { format });
      expect(await planned.ending).toEqual({ kind: "direct", analysis: "", answer: "None." });
      expect(planned.seen).toEqual(["answer: None."]);
    });
  });

  test("in JSON is passed over where the caller wants a division", async () => {
    const planned = planning(['{"answer":"All of it.","subtasks":[{"id":"a","description":"d"}]}'], { format: "json", direct: false });
    expect(await planned.ending).toMatchObject({ kind: "subtasks" });
    expect(planned.seen).toEqual(["a"]);
    expect(planned.fake.asked[0]?.request.responseFormat?.schema).not.toHaveProperty("properties.answer");
  });

  test("in JSON has a field of its own", async () => {
    const planned = planning(['{"answer":"Yes."}'], { format: "json" });
    expect(await planned.ending).toMatchObject({ kind: "direct", answer: "Yes." });
    expect(planned.fake.asked[0]?.request.responseFormat?.schema).toHaveProperty("properties.answer");
  });
});
