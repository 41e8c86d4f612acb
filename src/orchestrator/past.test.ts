import { expect, test } from "vitest";
import type { Fact, FactBody } from "../events.ts";
import { noUsage } from "../usage.ts";
import { readPast } from "./past.ts";

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

test("of two attempts of one name under way at once, both are open until each is settled", () => {
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
