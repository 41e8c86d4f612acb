import { z } from "zod";
import { describe, expect, test } from "vitest";
import { eventsOf, twoTasks, verdict } from "../../test/all-roles.ts";
import { isComparison, preferring, verdictBy } from "../../test/preferring.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { memoryLedger } from "../ledger/memory-ledger.ts";
import type { OrchestratorOptions } from "../options.ts";
import type { Outcome } from "../outcome.ts";
import { reduce } from "../reduce.ts";
import { initialRunState } from "../run-state.ts";
import { scriptedModel, type ScriptedModel } from "../testing/scripted-model.ts";
import type { DoubleCall, DoubleReply, ReplyFunction, ScriptRule } from "../testing/script.ts";

const oneTask = twoTasks.replace(/<task id="story">.*<\/task>/, "");
const isWorker = ({ system }: Pick<DoubleCall, "system">): boolean => system.includes("You carry out one subtask");

/** Numbers its tries. */
function modelWith(compares: ScriptRule, worker?: ReplyFunction, plan = oneTask): ScriptedModel {
  let tries = 0;
  return scriptedModel(
    [
      { when: "You are the orchestrator", reply: plan },
      { when: "You carry out one subtask", reply: worker ?? (() => `draft ${++tries}`) },
      { when: "You judge", reply: (call) => verdict(call.prompt.includes("better") ? 9 : 5) },
      compares,
    ],
    { vary: false },
  );
}

const at = (model: ScriptedModel, options: OrchestratorOptions = {}): FlexibleOrchestrator =>
  new FlexibleOrchestrator({ model, retry: { attempts: 1 }, worker: { samples: 3 }, ...options });

describe("a subtask with several tries", () => {
  test("is carried out so often at once, and the best one is its result, as two at a time are compared", async () => {
    const model = modelWith(preferring("draft 2", "It has the better start."));
    const run = at(model).start("Describe the bottle");
    const events = await eventsOf(run);
    const outcome = await run.outcome;
    const chosen = { sample: 2, of: 3, reason: "It has the better start.", ties: [] };
    expect(outcome).toMatchObject({ status: "ok", text: "draft 2", calls: 8, results: [{ result: "draft 2", attempts: 3, chosen }] });
    expect(events.filter(({ type }) => type === "subtask.chosen")).toMatchObject([{ subtaskId: "facts", ...chosen }]);
    expect(model.calls.filter(isWorker)).toHaveLength(3);
    expect(model.maxInFlight).toBeGreaterThanOrEqual(3);
    expect(outcome.usage.byRole.evaluator.totalTokens).toBeGreaterThan(0);
    expect(events.reduce(reduce, initialRunState)).toMatchObject({ calls: 8, subtasks: [{ text: "draft 2", chosen }] });
  });

  test("is shown as its first try, and in the end as the chosen one", async () => {
    const run = at(modelWith(preferring("draft 3"))).start("t");
    const deltas = (await eventsOf(run)).flatMap((event) => (event.type === "subtask.delta" ? [event] : []));
    const byAttempt = Map.groupBy(deltas, ({ attempt }) => attempt);
    expect([...byAttempt.values()].map((parts) => parts.map(({ text }) => text).join(""))).toEqual(["draft 1", "draft 3"]);
  });

  test("keeps the earlier of equals, and says so", async () => {
    const model = modelWith({ when: "You compare two texts", reply: (call) => verdictBy(call, () => 0, "Both will do.") });
    const outcome = await at(model).orchestrate("t");
    expect(outcome).toMatchObject({ results: [{ result: "draft 1", chosen: { sample: 1, of: 3, reason: "Both will do.", ties: [2, 3] } }] });
  });

  test("is chosen among those that came, where some fail", async () => {
    let tries = 0;
    const model = modelWith(preferring("draft 3"), () => (++tries === 1 ? { fault: { kind: "status", status: 400 } } : `draft ${tries}`));
    const outcome = await at(model).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ result: "draft 3", chosen: { sample: 3, of: 2 } }] });
  });

  test("needs no comparison where one alone came, and fails as the first did where none came", async () => {
    let tries = 0;
    const one = modelWith(preferring("x"), () => (++tries < 3 ? { fault: { kind: "status", status: 400 } } : "the only one"));
    const outcome = await at(one).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ result: "the only one" }] });
    expect(outcome.results[0]).not.toHaveProperty("chosen");
    expect(one.calls.filter(isComparison)).toEqual([]);

    let more = 0;
    const none = modelWith(preferring("x"), () => ({ fault: { kind: "status", status: ++more === 1 ? 413 : 400 } }));
    expect(await at(none).orchestrate("t")).toMatchObject({ status: "failed", results: [{ status: "failed", error: { code: "too_large" } }] });
  });

  test("has its first that came as its result where nobody can compare them, and that is noticed", async () => {
    const outcome = await at(modelWith({ when: "You compare two texts", reply: "Hm." })).orchestrate("t");
    expect(outcome).toMatchObject({
      status: "ok",
      results: [{ result: "draft 1" }],
      coverage: { notices: [{ code: "samples_not_compared", subtaskIds: ["facts"], message: expect.stringContaining("number 1 stands") }] },
    });
  });

  test("is compared as a part of the whole: the judge is shown both", async () => {
    const model = modelWith(preferring("draft 2"));
    await at(model).orchestrate("Describe the bottle", "It is blue.");
    const [asked] = model.calls.filter(isComparison);
    expect(asked?.prompt).toMatch(/<request-[0-9a-f]+>\nList the facts\.\n/);
    expect(asked?.prompt).toContain("Describe the bottle");
    expect(asked?.prompt).toContain("It is blue.");
  });

  test("is chosen first, then judged, and written again from the chosen one", async () => {
    let tries = 0;
    const model = modelWith(preferring("draft 2"), ({ messages }) => (messages.length > 2 ? `better than ${messages[2]?.text}` : `draft ${++tries}`));
    const evaluate = { criteria: "Good.", threshold: 0.8 };
    const outcome = await at(model, { worker: { samples: 2, evaluate } }).orchestrate("t");
    expect(outcome).toMatchObject({
      status: "ok",
      results: [{ result: "better than draft 2", attempts: 3, chosen: { sample: 2, of: 2 }, evaluation: { passed: true, tries: 2 } }],
    });
    expect(model.calls.filter(isWorker)).toHaveLength(3);
  });

  test("is compared by who judges, where that is another model", async () => {
    const model = modelWith({ when: "nobody", reply: "" });
    const judging = scriptedModel((call) => (isComparison(call) ? verdictBy(call, (text) => (text === "draft 2" ? 1 : 0)) : verdict(9)), {
      id: "judge",
      vary: false,
    });
    const outcome = await at(model, { worker: { samples: 2, evaluate: { criteria: "Good.", threshold: 0.1, model: judging } } }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ result: "draft 2" }] });
    expect(judging.calls.map(({ system }) => system.slice(0, 11))).toEqual(["You compare", "You compare", "You judge o"]);
  });

  test("may be so for one kind alone, or for all but one", async () => {
    const model = modelWith(preferring("x"), undefined, twoTasks);
    await at(model, { worker: { samples: 1 }, workers: { "technical-facts": { samples: 2 } } }).orchestrate("t");
    expect(model.calls.filter(isWorker)).toHaveLength(3);
    const other = modelWith(preferring("x"), undefined, twoTasks);
    await at(other, { worker: { samples: 2 }, workers: { "technical-facts": { samples: 1 } } }).orchestrate("t");
    expect(other.calls.filter(isWorker)).toHaveLength(3);
  });

  test("is refused for a function, and beyond ten", () => {
    expect(() => at(modelWith(preferring("x")), { workers: { f: { run: () => "", ...{ samples: 2 } } } })).toThrow(/has no option "samples"/);
    expect(() => at(modelWith(preferring("x")), { worker: { samples: 11 } })).toThrow(/from 1 to 10/);
  });

  test("of a run that is resumed has no try or comparison paid twice, and the choice is in the log", async () => {
    const ledger = memoryLedger();
    const stop = new AbortController();
    const first = modelWith({
      when: "You compare two texts",
      reply: (call) => {
        if (call.prompt.includes("draft 3")) stop.abort();
        return verdictBy(call, (text) => (text === "draft 2" ? 1 : 0));
      },
    });
    const stopped = await at(first, { ledger }).start("t", "", { signal: stop.signal }).outcome;
    expect(stopped.status).toBe("aborted");
    const second = modelWith(preferring("draft 2"));
    const resumed = await (await at(second, { ledger }).resume(stopped.runId)).outcome;
    expect(resumed).toMatchObject({ status: "ok", results: [{ result: "draft 2", chosen: { sample: 2, of: 3 } }] });
    expect(second.calls.filter(isWorker)).toEqual([]);
    expect(second.calls.filter(isComparison).length).toBeLessThanOrEqual(2);
  });

  test("of a run that is stopped is not done by what had come, whatever else had failed by then", async () => {
    const refused = { fault: { kind: "status", status: 400 } } as const;
    const late = { text: "late", firstMs: 10_000 };
    const stoppedWhile = async (workers: readonly DoubleReply[], comparisons: readonly DoubleReply[]): Promise<Outcome> => {
      const [left, stop] = [{ workers: [...workers], comparisons: [...comparisons] }, new AbortController()];
      const next = (replies: DoubleReply[]): DoubleReply => {
        const reply = replies.shift() ?? "";
        if (reply === late) setTimeout(() => stop.abort(), 20);
        return reply;
      };
      const model = modelWith({ when: "You compare two texts", reply: () => next(left.comparisons) }, () => next(left.workers));
      return await at(model).orchestrate("t", "", { signal: stop.signal });
    };
    const stopped = { status: "aborted", results: [{ id: "facts", status: "failed", error: { code: "aborted" } }] };
    expect(await stoppedWhile([refused, "draft", late], [])).toMatchObject(stopped);
    expect(await stoppedWhile(["one", "two", "three"], [refused, late])).toMatchObject(stopped);
  });

  test("that is taken over by a rerun keeps its choice, and one done anew is tried as often", async () => {
    const ledger = memoryLedger();
    const model = modelWith(preferring("draft 2"), undefined, twoTasks);
    const one = at(model, { ledger, worker: { samples: 2 } });
    const first = one.start("t");
    await first.outcome;
    const again = await (await one.rerun(first.runId, { subtask: "story" })).outcome;
    expect(again).toMatchObject({
      results: [
        { id: "facts", chosen: { of: 2 } },
        { id: "story", attempts: 2 },
      ],
    });
  });

  test("is drift where their number changes while one is missing", async () => {
    const ledger = memoryLedger();
    const failing = modelWith(preferring("x"), () => ({ fault: { kind: "status", status: 400 } }));
    const failed = await at(failing, { ledger }).orchestrate("t");
    const resumed = at(modelWith(preferring("x")), { ledger, worker: { samples: 2 } }).resume(failed.runId);
    await expect(resumed).rejects.toMatchObject({ code: "run_drifted", evidence: { known: ["the worker's sampling changed"] } });
  });

  test("counts in what a plan may use: each try, and two questions for each comparison", async () => {
    const model = modelWith(preferring("draft 2"));
    const outcome = await at(model).orchestrate("t");
    expect(outcome.estimate).toMatchObject({ expected: { calls: 8 }, worst: { calls: 1 + 3 + 8 } });
    expect(outcome.calls).toBe(8);
  });

  test("keeps to a budget: of tries that it does not allow there are fewer, and that is said", async () => {
    const withCalls = async (calls: number): Promise<Outcome> =>
      await at(modelWith(preferring("draft")), { budget: { calls }, synthesis: "keep" }).orchestrate("t");
    const left = { code: "samples_left_out", subtaskIds: ["facts"] };
    expect(await withCalls(2)).toMatchObject({
      results: [{ status: "done", result: "draft 1" }],
      coverage: { notices: [{ ...left, message: expect.stringContaining("2 of the 3 tries") }] },
    });
    expect(await withCalls(3)).toMatchObject({ results: [{ result: "draft 1" }], coverage: { notices: [left, { code: "samples_not_compared" }] } });
    expect(await withCalls(4)).toMatchObject({ results: [{ result: "draft 1" }], coverage: { notices: [{ code: "samples_not_compared" }] } });
    expect(await withCalls(8)).toMatchObject({ coverage: { notices: [] } });
  });

  test("says of tries that the run's time cut off that they are left out", async () => {
    let tries = 0;
    const slow = modelWith(preferring("draft"), () => ({ text: "draft", firstMs: tries++ === 0 ? 1 : 5_000 }));
    const outcome = await at(slow, { timeout: { runMs: 300 }, synthesis: "keep" }).orchestrate("t");
    expect(outcome.coverage.notices).toMatchObject([{ code: "samples_left_out", message: expect.stringContaining("time did not allow") }]);
  });
});

test("a try beside the first that does not have its form is told apart from the one that is shown", async () => {
  const model = modelWith(preferring("draft"), ({ n, prompt }) => (n === 3 && !prompt.includes("not of the form") ? "no form" : '{"text":"draft"}'));
  const output = z.object({ text: z.string() });
  const run = new FlexibleOrchestrator({ model, worker: { samples: 2, output } }).start("t");
  const events = await eventsOf(run);
  expect((await run.outcome).status).toBe("ok");
  expect(events.flatMap((event) => (event.type === "output.rejected" ? [[event.part, event.try]] : []))).toEqual([["2", 1]]);
  expect(events.reduce(reduce, initialRunState).subtasks[0]?.rejected).toBeUndefined();
});
