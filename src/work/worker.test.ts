import { describe, expect, test } from "vitest";
import { virtualClock } from "../testing/virtual-clock.ts";
import { anyRules, fakeCalls, type FakeReply, fault, notedRun } from "../../test/fake-calls.ts";
import { DivvyError } from "../errors.ts";
import type { EventBody } from "../events.ts";
import { fence } from "../prompt/fence.ts";
import type { Job } from "./job.ts";
import { carryOutSubtask, type JobEnd, type WorkerKind } from "./worker.ts";
import { upstreamText, workerPrompt } from "./worker-prompt.ts";

const kind: WorkerKind = { name: "default", model: "m", settings: { maxOutputTokens: 100 }, rules: anyRules, prompt: workerPrompt };
const job: Job = {
  request: { task: "T", context: { tone: "dry" } },
  subtask: { id: "a", type: "post", description: "Write {it}.", dependsOn: [] },
  upstream: [],
  sample: 0,
};

async function carriedOut(
  reply: FakeReply | string,
  more: { kind?: Partial<WorkerKind>; job?: Partial<Job> } = {},
): Promise<{ end: JobEnd; prompt: string; deltas: EventBody[]; asked: ReturnType<typeof fakeCalls>["asked"] }> {
  const fake = fakeCalls([reply]);
  const { run, events } = notedRun();
  const end = await carryOutSubtask(
    { ...kind, ...more.kind },
    { ...job, ...more.job },
    { calls: fake.calls, run, signal: new AbortController().signal, fence, clock: virtualClock() },
  );
  return { end, prompt: fake.prompt(0), deltas: events, asked: fake.asked };
}

describe("a worker", () => {
  test("delivers its reply, shown as it is written; put together, what is shown is the result", async () => {
    const { end, deltas } = await carriedOut({ parts: [" <respo", "nse>\nOne", " two", "\n", { type: "reasoning", delta: "hm" }, "</response>"], attempts: 2 });
    expect(end).toEqual({ status: "done", result: "One two", truncated: false, attempts: 2 });
    expect(deltas).toEqual([
      { type: "subtask.delta", subtaskId: "a", attempt: 1, text: "One" },
      { type: "subtask.delta", subtaskId: "a", attempt: 1, text: " two" },
    ]);
  });

  test("starts anew with a new attempt: its deltas say so, and the result is the last attempt's", async () => {
    const { end, deltas } = await carriedOut({ parts: ["<response>Wro", { type: "attempt", attempt: 2 }, "<response>Ri", "ght</response>"] });
    expect(end).toMatchObject({ status: "done", result: "Right" });
    expect(deltas.map((event) => (event.type === "subtask.delta" ? [event.attempt, event.text] : []))).toEqual([
      [1, "Wro"],
      [2, "Ri"],
      [2, "ght"],
    ]);
  });

  test("says where its result was cut and that was allowed", async () => {
    expect((await carriedOut({ parts: ["Half of"], finish: "length" })).end).toMatchObject({ status: "done", result: "Half of", truncated: true });
  });

  test("that is unable has failed, with what is missing", async () => {
    const { end } = await carriedOut({ parts: ["<response><unable>the price list</unable></response>"], attempts: 1 });
    expect(end).toMatchObject({
      status: "failed",
      error: { code: "unable", message: "The worker says that it cannot do this: the price list", retryable: false },
      attempts: 1,
    });
  });

  test("takes a wrapper around nothing for an empty reply, and nothing else", async () => {
    const { asked } = await carriedOut("x");
    const isEmpty = asked[0]?.ctx.rules.isEmpty;
    for (const text of ["", " ", "<response></response>", " <Response> \n</response>\n", "<response>"]) expect(isEmpty?.(text), text).toBe(true);
    for (const text of ["x", "<response>x</response>", "<response></response> x"]) expect(isEmpty?.(text), text).toBe(false);
  });

  test("fails with the error of its call, and never rejects", async () => {
    const error = fault("overloaded").with({ attempts: 3 });
    expect((await carriedOut({ parts: ["some"], error })).end).toEqual({ status: "failed", error, attempts: 3 });
    const broken = await carriedOut("x", {
      kind: {
        prompt: () => {
          throw new TypeError("no such thing");
        },
      },
    });
    expect(broken.end).toMatchObject({
      status: "failed",
      error: { code: "invalid_template", message: "The worker's prompt function threw: no such thing" },
      attempts: 0,
    });
    expect(broken.asked).toEqual([]);
  });

  test("makes a call of its own: model, settings, sample, subtask", async () => {
    const { asked } = await carriedOut("x", { job: { sample: 2 }, kind: { settings: { maxOutputTokens: 7, temperature: 0 } } });
    expect(asked[0]?.request).toMatchObject({ model: "m", sample: 2, settings: { maxOutputTokens: 7, temperature: 0 } });
    expect(asked[0]?.ctx).toMatchObject({ role: "worker", subtaskId: "a", rules: anyRules });
  });
});

describe("a worker's template", () => {
  const upstream = [{ id: "b", type: "facts", result: "$& {task} <b>" }];

  test("has the published variables, both names of the task, and the context's keys; values go in as they are", async () => {
    const { prompt } = await carriedOut("x", {
      kind: { prompt: "{task}|{original_task}|{task_type}|{task_description}|{context}|{tone}|{{tone}}|{upstream}" },
    });
    expect(prompt).toBe("T|T|post|Write {it}.|tone: dry|dry|{tone}|");
  });

  test("prefers its own names to keys of the context", async () => {
    const { prompt } = await carriedOut("x", {
      kind: { prompt: "{task} {task_type}" },
      job: { request: { task: "T", context: { task: "no", task_type: "no" } } },
    });
    expect(prompt).toBe("T post");
  });

  test("gets upstream results where it names them, inside fences", async () => {
    expect((await carriedOut("x", { kind: { prompt: "A {upstream} B" }, job: { upstream } })).prompt).toBe(`A ${upstreamText(upstream, fence)} B`);
  });

  test("gets them at its end where it does not, and nothing where there are none", async () => {
    expect((await carriedOut("x", { kind: { prompt: "Do {task}" }, job: { upstream } })).prompt).toBe(`Do T\n\n${upstreamText(upstream, fence)}`);
    expect((await carriedOut("x", { kind: { prompt: "Do {task}" } })).prompt).toBe("Do T");
  });

  test("with a variable that has no value fails the subtask and makes no call", async () => {
    const { end, asked } = await carriedOut("x", { kind: { prompt: "{nothing}" } });
    expect(end).toMatchObject({ status: "failed", error: { code: "invalid_template" } });
    expect(end.status === "failed" && end.error instanceof DivvyError && end.error.message).toContain("{nothing}");
    expect(asked).toEqual([]);
  });
});
