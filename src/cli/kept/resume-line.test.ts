import { describe, expect, test } from "vitest";
import type { Budget } from "../../budget.ts";
import { DivvyError, type Evidence } from "../../errors.ts";
import type { FactBody } from "../../events.ts";
import { memoryLedger } from "../../ledger/memory-ledger.ts";
import { failedOutcome } from "../../orchestrator/ending/outcome-of.ts";
import { Tally } from "../../orchestrator/tally.ts";
import type { Outcome } from "../../outcome.ts";
import { reduce } from "../../reduce.ts";
import { initialRunState } from "../../run-state.ts";
import { noUsage } from "../../usage.ts";
import { setup } from "../../../test/events-fixture.ts";
import { resumeLine, whatIsLeft } from "./resume-line.ts";

const started: FactBody = {
  type: "run.started",
  request: { task: "t", context: "" },
  models: { orchestrator: "p:m", synthesizer: "p:m", workers: { default: "p:m" } },
  concurrency: 1,
  setup,
};
const planned = (id: string, ordinal: number, dependsOn: string[] = []): FactBody => ({
  type: "subtask.planned",
  subtask: { id, type: "default", description: id, dependsOn },
  ordinal,
  sample: 0,
});
const done = (subtaskId: string): FactBody => ({ type: "subtask.finished", subtaskId, result: "x", truncated: false, attempts: 1 });
const failed = (subtaskId: string, code: "unable" | "refused" | "dependency_cycle"): FactBody => ({
  type: "subtask.failed",
  subtaskId,
  error: new DivvyError(code, "No.").toJSON(),
  attempts: 1,
});
const planOver = (combine: "merge" | "keep"): FactBody => ({ type: "plan.finished", analysis: "", combine, subtasks: 2, dropped: 0, complete: true });
const ended = (code: "aborted" | "run_taken_over"): FactBody => ({
  type: "run.finished",
  outcome: failedOutcome("r", new DivvyError(code, "No."), new Tally(), 0),
});
const two = [started, planned("a", 0), planned("b", 1)];

test.each<[string, FactBody[], string | undefined]>([
  ["nothing was planned", [started], "begin with the plan"],
  ["the plan was given, and nothing is of it yet", [started, { type: "plan.started", given: true }], "carry the plan out"],
  ["the plan broke off", [...two, done("a")], "do the rest of the plan, 1 subtask and the answer"],
  ["the plan broke off, and what there is of it is done", [...two, done("a"), done("b")], "do the rest of the plan and the answer"],
  ["subtasks are missing", [...two, planOver("keep")], "do 2 subtasks and the answer"],
  ["one failed", [...two, done("a"), failed("b", "refused"), planOver("keep")], "do 1 subtask and the answer"],
  ["a worker was unable, which asking again does not change", [...two, done("a"), failed("b", "unable"), planOver("keep")], undefined],
  [
    "what waits for it was left out",
    [
      ...two,
      planned("c", 2, ["B"]),
      done("a"),
      failed("b", "unable"),
      { type: "subtask.skipped", subtaskId: "c", reason: "upstream", because: "b" },
      planOver("keep"),
    ],
    undefined,
  ],
  ["subtasks wait for each other", [...two, done("a"), failed("b", "dependency_cycle"), planOver("merge")], "do the answer"],
  ["only the answer is missing", [...two, done("a"), done("b"), planOver("merge"), ended("aborted")], "do the answer"],
  ["another process goes on with it", [...two, planOver("keep"), ended("run_taken_over")], undefined],
])("where %s", (_, facts, left) => {
  const state = facts.map((fact, seq) => ({ ...fact, seq, at: seq, runId: "r" })).reduce(reduce, initialRunState);
  expect(whatIsLeft(state)).toBe(left);
});

describe("where an answer was written of all that there is", () => {
  const partial = (facts: FactBody[], change: Partial<Extract<Outcome, { status: "partial" }>> = {}): string | undefined => {
    const { runId, results, analysis, calls, usage, durationMs, coverage } = failedOutcome("r", new DivvyError("incomplete", "No."), new Tally(), 0);
    const outcome: Outcome = {
      ...{ runId, results, analysis, calls, usage, durationMs },
      status: "partial",
      text: "The answer.",
      coverage: { ...coverage, planComplete: true },
      error: new DivvyError("incomplete", "No.").toJSON(),
      ...change,
    };
    const all: FactBody[] = [...facts, { type: "run.finished", outcome }];
    return whatIsLeft(all.map((fact, seq) => ({ ...fact, seq, at: seq, runId: "r" })).reduce(reduce, initialRunState));
  };
  const cut: FactBody = { type: "plan.finished", analysis: "", combine: "merge", subtasks: 2, dropped: 3, complete: true };

  test("nothing is left of a plan that was over the limit of subtasks: it would be the same answer", () => {
    expect(partial([...two, done("a"), done("b"), cut])).toBeUndefined();
  });

  test("nor of one of which a worker was unable", () => {
    expect(partial([...two, done("a"), failed("b", "unable"), planOver("merge")])).toBeUndefined();
  });

  test("the answer is, where it could not be written, or a call failed that it was to be judged by", () => {
    const broken: FactBody = { type: "synthesis.failed", error: new DivvyError("refused", "No.").toJSON() };
    expect(partial([...two, done("a"), done("b"), planOver("merge"), broken])).toBe("do the answer");
    const evaluation = { reasons: "", passed: false, tries: 1, error: new DivvyError("server_error", "No.").toJSON() };
    expect(partial([...two, done("a"), done("b"), cut], { evaluation })).toBe("do the answer");
  });
});

describe("the budget that a resume needs", () => {
  const partial = (code: "budget_exhausted" | "incomplete" | "server_error", evidence?: Evidence): FactBody => ({
    type: "run.finished",
    outcome: failedOutcome("r", new DivvyError(code, "No.", evidence && { evidence }), new Tally(), 0),
  });
  const advised = async (budget: Budget, facts: readonly (readonly [number, FactBody])[]): Promise<string | undefined> => {
    const all = [[0, { ...started, budget }], ...facts] as const;
    const state = all.map(([at, fact], seq) => ({ ...fact, seq, at: at * 1_000, runId: "r" })).reduce(reduce, initialRunState);
    const line = await resumeLine(state, { ...memoryLedger(), readRun: () => Promise.reject(new Error("It cannot be read.")) }, "");
    return /divvy resume r(.*) \(/.exec(line ?? "")?.[1];
  };

  test("in seconds is what is over already and as much again as was allowed, however long a call took", async () => {
    expect(await advised({ seconds: 10 }, [[100.2, partial("budget_exhausted")]])).toBe(" --max-seconds 111");
  });

  test("in seconds does not count what lies between two lives", async () => {
    const lives = [
      [12, partial("budget_exhausted")],
      [5_000, { type: "run.resumed", budget: { seconds: 22 } }],
      [5_030, partial("budget_exhausted")],
    ] as const;
    expect(await advised({ seconds: 10 }, lives)).toBe(" --max-seconds 64");
  });

  test("is named where another try did not fit, whatever the error is", async () => {
    expect(await advised({ calls: 4 }, [[1, partial("server_error", { budget: { calls: 9 } })]])).toBe(" --max-calls 9");
    expect(await advised({ seconds: 10 }, [[11, partial("server_error", { budget: {} })]])).toBe(" --max-seconds 21");
  });

  test("holds all that is ahead by the estimate on top of what was used: the answer is written again", async () => {
    const worst = { calls: 10, tokens: 9_000, cost: 0.5 };
    const call = { type: "attempt.started", role: "worker", attempt: 1, model: "p:m", requeues: 0, reserved: { inputTokens: 1, outputTokens: 1 } } as const;
    const facts = [
      [1, { ...planOver("merge"), estimate: { expected: worst, worst } }],
      ...["a", "b", "c"].map((subtaskId) => [2, { ...call, subtaskId }] as const),
      [3, { type: "attempt.settled", role: "worker", subtaskId: "a", attempt: 1, usage: { ...noUsage, totalTokens: 500 }, cost: 0.2 }],
      [4, partial("budget_exhausted")],
    ] as const;
    expect(await advised({ calls: 3, tokens: 600, usd: 0.25 }, facts)).toBe(" --budget 0.70 --max-tokens 9500 --max-calls 13");
  });

  test("is not named where it was enough", async () => {
    expect(await advised({ calls: 4 }, [[1, partial("incomplete")]])).toBe("");
  });
});
