import { expect, test } from "vitest";
import type { Fact, FactBody } from "../../events.ts";
import { noUsage } from "../../usage.ts";
import { readPast } from "./read-past.ts";

const role = { model: "m", endpoint: "", settings: "", prompt: "" };
const setup = { orchestrator: role, synthesizer: role, workers: { default: role }, planFormat: "xml", direct: true, maxSubtasks: 20 } as const;
const started: FactBody = {
  type: "run.started",
  request: { task: "t", context: "" },
  models: { orchestrator: "m", synthesizer: "m", workers: { default: "m" } },
  concurrency: 100,
  setup,
};

const pastOf = (...bodies: FactBody[]): ReturnType<typeof readPast> =>
  readPast(
    "r",
    [started, ...bodies].map((body, seq): Fact => ({ ...body, seq, at: seq, runId: "r" })),
  );

test("an answer with which the run did not come to its end is asked for again, and may be a plan then", () => {
  const answered: FactBody = { type: "plan.answered", analysis: "" };
  expect(pastOf(answered).plan).toBe("answered");
  expect(pastOf(answered, { type: "run.resumed" }).plan).toBeUndefined();
});

test("attempts that left and of which nothing more is known are open, each once", () => {
  const attempt = { role: "worker", subtaskId: "a", attempt: 1 } as const;
  const left: FactBody = { ...attempt, type: "attempt.started", model: "m", requeues: 0, reserved: { inputTokens: 1, outputTokens: 2 } };
  const settled: FactBody = { ...attempt, type: "attempt.settled", usage: noUsage };
  expect(pastOf(left).open).toHaveLength(1);
  expect(pastOf(left, settled, { ...left, requeues: 1 }).open).toMatchObject([{ requeues: 1 }]);
  expect(pastOf(left, { type: "run.resumed" }, settled).open).toEqual([]);
});

test("of two attempts of one name under way at once, as older logs have them, both are open until each is settled", () => {
  const name = { role: "synthesizer", attempt: 1 } as const;
  const left: FactBody = { ...name, type: "attempt.started", model: "m", requeues: 0, reserved: { inputTokens: 1, outputTokens: 2 } };
  const settled: FactBody = { ...name, type: "attempt.settled", usage: noUsage };
  expect(pastOf(left, left).open).toHaveLength(2);
  expect(pastOf(left, left, settled).open).toHaveLength(1);
  expect(pastOf(left, left, settled, settled).open).toEqual([]);
});

test("choices of what is no result are counted: each is recorded, and another is wanted", () => {
  const failed = (code: "choice_failed" | "aborted"): FactBody => ({
    type: "synthesis.failed",
    error: { code, message: "", hint: "", retryable: false },
  });
  expect(pastOf(failed("choice_failed"), failed("aborted"), { type: "run.resumed" }, failed("choice_failed")).badAnswers).toBe(2);
});

test("of attempts that are made side by side for one answer each is open by itself", () => {
  const attempt = (part: string) => ({ role: "synthesizer", part, attempt: 1 }) as const;
  const left = (part: string): FactBody => ({
    ...attempt(part),
    type: "attempt.started",
    model: "m",
    requeues: 0,
    reserved: { inputTokens: 1, outputTokens: 2 },
  });
  const settled: FactBody = { ...attempt("1.2"), type: "attempt.settled", usage: noUsage };
  expect(pastOf(left("1.1"), left("1.2"), left("1.3"), settled).open.map(({ part }) => part)).toEqual(["1.1", "1.3"]);
});

const planned = (id: string, ordinal: number, round?: number): FactBody => ({
  type: "subtask.planned",
  subtask: { id, type: "t", description: `${id} of round ${round ?? 1}`, dependsOn: [] },
  ordinal,
  sample: 0,
  ...(round !== undefined && { round }),
});
const finished = (complete: boolean, analysis = ""): FactBody => ({ type: "plan.finished", analysis, combine: "keep", subtasks: 1, dropped: 0, complete });
const done = (subtaskId: string): FactBody => ({ type: "subtask.finished", subtaskId, result: `${subtaskId} done`, truncated: false, attempts: 1 });
const unable = (subtaskId: string): FactBody => ({
  type: "subtask.failed",
  subtaskId,
  error: { code: "unable", message: "no data", hint: "", retryable: false },
  attempts: 1,
});
const first = [planned("a", 0), planned("b", 1), finished(true, "first"), done("a"), unable("b")];
const look: FactBody = { type: "round.started", round: 2, cut: [] };

test("a look that was begun is kept with what it was shown, and the plan is open again", () => {
  const past = pastOf(...first, look, { type: "run.resumed" });
  expect(past).toMatchObject({ plan: undefined, round: 2, questionOver: false, question: { number: 0, stood: 2 }, look: { added: 2, analysis: "first" } });
  expect([...(past.look?.ends ?? [])].map(([key, { status }]) => [key, status])).toEqual([
    ["a", "done"],
    ["b", "failed"],
  ]);
});

test("what a round writes anew stands at its place, and how the one before ended is over", () => {
  const past = pastOf(...first, look, planned("b", 1, 2), planned("c", 2, 2), finished(true, "first\n\nsecond"));
  expect(past.planned.map(({ subtask }) => subtask.description)).toEqual(["a of round 1", "b of round 2", "c of round 2"]);
  expect(past.history).toHaveLength(4);
  expect([...past.ends.keys()]).toEqual(["a"]);
  expect(past).toMatchObject({ plan: "complete", look: undefined, analysis: "first\n\nsecond" });
});

test("a round whose plan broke off is still looked at", () => {
  expect(pastOf(...first, look, finished(false))).toMatchObject({ plan: undefined, questionOver: true, look: { analysis: "first" } });
});

test("what was done, and is to be judged, is over where a worker then says that it cannot be done", () => {
  const error = { code: "server_error", message: "", hint: "", retryable: true } as const;
  const evaluation = { reasons: "", passed: false, tries: 1, error };
  const begun: FactBody[] = [
    { type: "subtask.planned", subtask: { id: "a", type: "t", description: "A.", dependsOn: [] }, ordinal: 0, sample: 0 },
    { type: "subtask.started", subtaskId: "a", model: "m" },
    { type: "subtask.finished", subtaskId: "a", result: "x", truncated: false, attempts: 1, evaluation },
  ];
  expect([...pastOf(...begun).unjudged]).toEqual(["a"]);
  const unable: FactBody = { type: "subtask.failed", subtaskId: "a", error: { ...error, code: "unable" }, attempts: 1 };
  const past = pastOf(...begun, { type: "run.resumed" }, unable);
  expect([...past.unjudged]).toEqual([]);
  expect(past.ends.get("a")).toMatchObject({ status: "failed", error: { code: "unable" } });
});
