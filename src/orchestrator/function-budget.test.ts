import { describe, expect, test } from "vitest";
import { allRoles, verdict } from "../../test/all-roles.ts";
import type { Budget } from "../budget.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { DivvyError, type Evaluate, memoryLedger, type Outcome, parsePlan, type Verdict } from "../index.ts";
import type { Run } from "./run-handle.ts";
import { testRuntime, virtualClock } from "../testing/index.ts";

const alone = parsePlan('<tasks combine="keep"><task id="a"><type>code</type><description>Do a.</description></task></tasks>');

/** A function that takes a second each time, and is judged: under a budget of half a second, and then gone on with. */
function judgedBy(evaluate: Evaluate): {
  readonly start: () => Promise<Outcome>;
  readonly goOn: (budget?: Budget) => Promise<Outcome>;
  readonly ran: () => number;
} {
  const clock = virtualClock();
  let ran = 0;
  const run = (): Promise<string> => new Promise((resolve) => void clock.setTimer(1_000, () => resolve(`mail ${++ran}`)));
  const orchestrator = new FlexibleOrchestrator(
    { model: allRoles({ plan: "", evaluator: () => verdict(9) }), workers: { code: { run, evaluate } }, ledger: memoryLedger() },
    { runtime: testRuntime({ clock }) },
  );
  const ended = async (started: Promise<Run>): Promise<Outcome> => {
    const { outcome } = await started;
    await clock.runUntilIdle();
    return await outcome;
  };
  let runId = "";
  return {
    start: () => {
      const started = orchestrator.start("t", "", { plan: alone, budget: { seconds: 0.5 } });
      ({ runId } = started);
      return ended(Promise.resolve(started));
    },
    goOn: (budget) => ended(orchestrator.resume(runId, { ...(budget && { budget }) })),
    ran: () => ran,
  };
}

describe("a judged function, when the time is over that the budget allows", () => {
  test("leaves what it has delivered as it is, when the run is gone on with as well, and has it judged with more time", async () => {
    const { start, goOn, ran } = judgedBy({ criteria: "c", threshold: 0.5 });
    const unjudged = { status: "done", result: "mail 1", evaluation: { passed: false, error: { code: "budget_exhausted" } } };
    expect((await start()).results).toMatchObject([unjudged]);
    expect(await goOn()).toMatchObject({ status: "partial", error: { code: "budget_exhausted" }, results: [unjudged] });
    expect(await goOn({ seconds: 60 })).toMatchObject({ status: "ok", results: [{ result: "mail 1", evaluation: { passed: true } }] });
    expect(ran()).toBe(1);
  });

  test("does not begin with a further try, and does with more time, though it must not be run twice for one", async () => {
    const judge = ({ text }: { readonly text: string }): Verdict => ({ score: text === "mail 2" ? 1 : 0, reasons: "Too short." });
    const { start, goOn, ran } = judgedBy({ judge, threshold: 0.5 });
    const evaluation = { score: 0, passed: false, tries: 1, error: { code: "budget_exhausted" } };
    expect(await start()).toMatchObject({ status: "partial", error: { code: "budget_exhausted" }, results: [{ result: "mail 1", evaluation }] });
    expect(ran()).toBe(1);
    expect(await goOn({ seconds: 60 })).toMatchObject({ status: "ok", results: [{ result: "mail 2", evaluation: { tries: 2 } }] });
  });
});

test("a function that says that another budget is used up fails, and its run's budget is not", async () => {
  const run = (): Promise<string> => Promise.reject(new DivvyError("budget_exhausted", "The inner run's budget is used up."));
  const { results } = await new FlexibleOrchestrator({ model: allRoles({ plan: "" }), workers: { code: { run } } }).orchestrate("t", "", { plan: alone });
  expect(results).toMatchObject([{ status: "failed", error: { code: "worker_failed", message: expect.stringContaining("inner") } }]);
});
