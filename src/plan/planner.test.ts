import { describe, expect, test } from "vitest";
import { type FakeReply, fault } from "../../test/fake-calls.ts";
import { DivvyError } from "../errors.ts";
import type { Planning } from "./planner.ts";
import { plan, type Planned, planning, task } from "./planning-fixture.ts";

async function errorOf(ending: Promise<Planning>): Promise<DivvyError> {
  const thrown = await ending.then(
    (planned) => (planned.kind === "subtasks" ? planned.error : undefined),
    (reason: unknown) => reason,
  );
  if (thrown instanceof DivvyError) return thrown;
  throw new Error("There was no error.");
}

const formatsOf = ({ fake }: Planned): string[] => fake.asked.map(({ request }) => request.responseFormat?.type ?? "text");
const reasonsOf = ({ events }: Planned): string[] => events.flatMap((event) => (event.type === "plan.asked_again" ? [event.reason] : []));

describe("a plan that comes whole", () => {
  test("takes one call, and each subtask is handed over before the stream ends", async () => {
    const seenThen: string[][] = [];
    const look = (): void => void seenThen.push([...planned.seen]);
    const planned = planning([{ parts: ["<analysis>why</analysis><tasks>", task("a"), look, task("b").slice(0, -1), look, ">", look, "</tasks>"] }]);
    expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "why" });
    expect(seenThen).toEqual([["a"], ["a"], ["a", "b"]]);
    expect(planned.fake.asked).toHaveLength(1);
    expect(reasonsOf(planned)).toEqual([]);
  });

  test("counts as complete where only its closing mark is missing and the model ended by itself", async () => {
    const planned = planning([`<tasks>${task("a")}`]);
    expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "" });
  });

  test("counts as complete whatever happens after </tasks>", async () => {
    for (const code of ["stream_broken", "output_truncated", "content_filter"] as const) {
      const planned = planning([{ parts: [plan("a", "b"), " And so"], error: fault(code) }]);
      expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "why" });
      expect(planned.fake.asked).toHaveLength(1);
    }
  });

  test("shows its raw text as it is written, with the attempt it belongs to", async () => {
    const planned = planning([
      { parts: ["<tas", { type: "reasoning", delta: "<task>hm</task>" }, { type: "attempt", attempt: 2 }, "<tasks>", `${task("a")}</tasks>`] },
    ]);
    await planned.ending;
    expect(planned.events).toEqual([
      { type: "plan.delta", attempt: 1, text: "<tas" },
      { type: "plan.delta", attempt: 2, text: "<tasks>" },
      { type: "plan.delta", attempt: 2, text: `${task("a")}</tasks>` },
    ]);
    expect(planned.seen).toEqual(["a"]);
  });

  test("stays within the limit, and what is over it does not make it incomplete", async () => {
    const planned = planning([plan("a", "b", "c")], { maxSubtasks: 2 });
    expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "why" });
    expect(planned.seen).toEqual(["a", "b"]);
    expect(planned.builder.dropped).toBe(1);
  });
});

describe("a plan that is incomplete", () => {
  test("because its whole cap went to reasoning is not asked for again: the error says what to raise", async () => {
    const planned = planning([{ parts: [{ type: "reasoning", delta: "hm" }], error: fault("output_truncated") }, plan("a")]);
    expect((await errorOf(planned.ending)).code).toBe("output_truncated");
    expect(planned.fake.asked).toHaveLength(1);
  });

  test.each([
    ["empty", ""],
    ["prose only", "I would write three texts."],
    ["an analysis only", "<analysis>why</analysis>"],
    ["nothing but an unfinished subtask", "<tasks><task><description>half"],
  ])("because it is %s is asked for again", async (_, first) => {
    const planned = planning([first, plan("a")]);
    expect(await planned.ending).toMatchObject({ kind: "subtasks" });
    expect(reasonsOf(planned)).toEqual(["empty"]);
    expect(planned.fake.prompt(1)).toMatch(/^The request\.\n\nYour reply held no complete subtask\. /);
  });

  test("because it was cut is asked for the rest only: what was dispatched stands", async () => {
    const planned = planning([
      { parts: [`<analysis>One.</analysis><tasks combine="merge">${task("a")}${task("b")}<task id="c"><description>half`] },
      `<analysis>Two.</analysis><tasks combine="keep">${task("c")}</tasks>`,
    ]);
    expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "One.\nTwo." });
    expect(planned.seen).toEqual(["a", "b", "c"]);
    expect(planned.builder.combine).toBe("merge");
    expect(reasonsOf(planned)).toEqual(["cut"]);
    const asked = planned.fake.prompt(1);
    expect(asked).toContain("These subtasks are complete and are being carried out:");
    expect(asked).toContain("do a");
    expect(asked).toContain("do b");
    expect(asked).not.toContain("half");
  });

  test("because its stream failed after two subtasks is asked for the rest", async () => {
    for (const code of ["stream_broken", "idle_timeout", "output_truncated"] as const) {
      const planned = planning([{ parts: ["<tasks>", task("a"), task("b"), "<task>"], error: fault(code) }, plan("c")]);
      expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "why" });
      expect(planned.seen).toEqual(["a", "b", "c"]);
      expect(reasonsOf(planned)).toEqual([code]);
    }
  });

  test("may come to its end with nothing more: an empty <tasks> says that nothing is missing", async () => {
    const planned = planning([{ parts: [`<tasks combine="choose">${task("a")}`], error: fault("stream_broken") }, '<tasks combine="choose"></tasks>']);
    expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "" });
    expect(planned.fake.prompt(1)).toContain('<tasks combine="choose"></tasks>');
  });

  test("repeats nothing where the orchestrator writes the whole plan again", async () => {
    const planned = planning([`<tasks>${task("a")}${task("b")}<task>`, plan("a", "b", "c")]);
    await planned.ending;
    expect(planned.seen).toEqual(["a", "b", "c"]);
  });

  test("takes a subtask under a used id as a new one where it says something else", async () => {
    const planned = planning([`<tasks>${task("a")}<task>`, `<tasks>${task("a", "something else")}</tasks>`]);
    await planned.ending;
    expect(planned.seen).toEqual(["a", "a-2"]);
  });

  test("is asked for twice in its own format, then as JSON", async () => {
    const planned = planning([
      "",
      "prose",
      "<tasks>",
      '{"analysis":"at last","answer":"","combine":"choose","subtasks":[{"id":"a","type":"t","description":"d","after":[]}]}',
    ]);
    expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "at last" });
    expect(formatsOf(planned)).toEqual(["text", "text", "text", "json"]);
    expect(planned.builder.combine).toBe("choose");
    expect(planned.fake.prompt(3)).toMatch(/Your reply held no complete subtask\. Reply with one JSON object alone/);
    // Each time only the last note is added to the request.
    expect(planned.fake.prompt(3).match(/Your reply held/g)).toHaveLength(1);
  });

  test("as JSON from the start is asked for as JSON, and not once more after that", async () => {
    const planned = planning(["", "", ""], { format: "json" });
    expect((await errorOf(planned.ending)).message).toBe("The orchestrator (m) was asked 3 times and gave no complete plan.");
    expect(formatsOf(planned)).toEqual(["json", "json", "json"]);
  });

  test("has failed after all that, with everything it said as evidence", async () => {
    const planned = planning(["one", "two", "three", { parts: ["four"] }]);
    const error = await errorOf(planned.ending);
    expect(error.code).toBe("plan_failed");
    expect(error.evidence?.partialText).toBe("one\n\ntwo\n\nthree\n\nfour");
    await expect(planned.ending).rejects.toBe(error);
  });

  test("has failed in part where subtasks were dispatched: they stand, and the error tells of all replies", async () => {
    const cut: FakeReply = {
      parts: ["<tasks><task>x"],
      error: new DivvyError("stream_broken", "broken", { evidence: { partialText: "the last only", status: 200 } }),
    };
    const planned = planning([{ parts: [`<tasks>${task("a")}<task>`] }, cut, cut, { parts: ["{"], error: cut.error ?? fault("internal") }]);
    const ending = await planned.ending;
    const error = await errorOf(planned.ending);
    expect(ending).toEqual({ kind: "subtasks", analysis: "", error });
    expect(error.code).toBe("plan_failed");
    expect(error.evidence).toEqual({ status: 200, partialText: `<tasks>${task("a")}<task>\n\n<tasks><task>x\n\n<tasks><task>x\n\n{` });
    expect(error.cause).toBe(cut.error);
  });

  test("is not asked for again where no completions are allowed, but for JSON", async () => {
    const planned = planning(["", ""], { completions: 0 });
    expect((await errorOf(planned.ending)).code).toBe("plan_failed");
    expect(formatsOf(planned)).toEqual(["text", "json"]);
  });

  test("gets the note in the last user message, or in one of its own", async () => {
    const planned = planning(["", plan("a")], {
      messages: [
        { role: "user", content: [{ type: "text", text: "q" }] },
        { role: "assistant", content: [{ type: "text", text: "x" }] },
      ],
    });
    await planned.ending;
    expect(planned.fake.asked[1]?.request.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  });

  test("gets the options of the planner's own format only in that format", async () => {
    const planned = planning(["", "", "", "[]"], {
      formatOptions: { local: { grammar: "g" } },
      settings: { maxOutputTokens: 100, providerOptions: { other: { x: 1 } } },
    });
    await errorOf(planned.ending);
    expect(planned.fake.asked.map(({ request }) => request.settings.providerOptions)).toEqual([
      ...Array.from({ length: 3 }, () => ({ other: { x: 1 }, local: { grammar: "g" } })),
      { other: { x: 1 } },
    ]);
  });
});

describe("an error", () => {
  test("that no further try can mend ends a plan at once; what was dispatched stands", async () => {
    for (const code of ["authentication", "content_filter", "refused", "quota_exhausted", "total_timeout"] as const) {
      const planned = planning([{ parts: ["<tasks>", task("a"), "<task>"], error: fault(code) }]);
      expect(await planned.ending).toMatchObject({ kind: "subtasks", error: { code } });
      expect(planned.seen).toEqual(["a"]);
      expect(planned.fake.asked).toHaveLength(1);
    }
  });

  test("before anything stood ends the plan as it came: it was retried in vain below", async () => {
    for (const code of ["authentication", "stream_broken", "server_error"] as const) {
      const error = fault(code);
      const planned = planning([{ parts: ["<tasks><task>"], error }]);
      await expect(planned.ending).rejects.toBe(error);
      expect(planned.fake.asked).toHaveLength(1);
    }
  });

  test("that is an abort ends everything with its reason", async () => {
    const controller = new AbortController();
    const reason = new DivvyError("run_timeout", "time is up");
    const planned = planning([{ parts: ["<tasks>", task("a"), () => controller.abort(reason)], error: reason }], { signal: controller.signal });
    await expect(planned.ending).rejects.toBe(reason);
    expect(planned.seen).toEqual(["a"]);
  });

  test("whatever was thrown, is one of ours", async () => {
    const calls = (): Promise<never> => Promise.reject(new TypeError("boom"));
    await expect(planning([], { calls }).ending).rejects.toMatchObject({ code: "internal", message: "Unexpected fault: boom" });
  });
});

describe("a new attempt of one call", () => {
  const mayRestart = (planned: Planned): boolean => planned.fake.asked.at(-1)?.ctx.mayRestart?.() ?? true;

  test("starts over: nothing of what came before is read", async () => {
    const planned = planning([
      {
        parts: ['<analysis>old</analysis><tasks combine="merge"><task id="a"><description>ha', { type: "attempt", attempt: 2 }, `<tasks>${task("b")}</tasks>`],
      },
    ]);
    expect(await planned.ending).toEqual({ kind: "subtasks", analysis: "" });
    expect(planned.seen).toEqual(["b"]);
    expect(planned.builder.combine).toBe("keep");
  });

  test("may come only until a subtask stands", async () => {
    const allowed: boolean[] = [];
    const look = (): void => void allowed.push(mayRestart(planned));
    const planned = planning([
      { parts: [look, "<tasks><task>", look, task("a"), look], error: fault("stream_broken") },
      { parts: [look, "<tasks>", look, task("b"), look, "</tasks>"] },
    ]);
    await planned.ending;
    // The second call adds to what stands: it may start over until it has added something itself.
    expect(allowed).toEqual([true, true, false, true, true, false]);
  });

  test("takes back a direct answer, where it may", async () => {
    const planned = planning([{ parts: ["<answer>Wro", { type: "attempt", attempt: 2 }, "<answer>Right.</answer>"] }]);
    expect(await planned.ending).toEqual({ kind: "direct", analysis: "", answer: "Right." });
    expect(planned.seen).toEqual(["answer: Wro", "restart", "answer: Right."]);
  });

  test("does not come where an answer has left through a door that cannot take it back", async () => {
    const allowed: boolean[] = [];
    const look = (): void => void allowed.push(mayRestart(planned));
    const planned = planning([{ parts: [look, "<answer>Y", look, "es.</answer>"] }], { canTakeBack: false });
    await planned.ending;
    expect(allowed).toEqual([true, false]);
  });
});
