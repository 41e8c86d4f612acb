import { describe, expect, test } from "vitest";
import { life } from "../../test/lives.ts";
import { FlexibleOrchestrator, memoryLedger } from "../index.ts";
import { scriptedModel, type ScriptRule, testRuntime, virtualClock } from "../testing/index.ts";

const task = (id: string): string => `<task id="${id}"><description>Do ${id}.</description></task>`;
const planned = (combine: string): ScriptRule => ({
  when: "You are the orchestrator",
  reply: `<tasks combine="${combine}">${["a", "b"].map(task).join("")}</tasks>`,
});
const works: ScriptRule = { when: "one subtask", reply: "Done." };

describe("a resumed run's budget", () => {
  test("counts a try that gave up for good as the first life did", async () => {
    const clock = virtualClock();
    const ledger = memoryLedger();
    const away: ScriptRule = { when: "Do a.", reply: { text: "x", fault: { kind: "status", status: 503, headers: { "retry-after": "90" } } } };
    const model = scriptedModel([planned("keep"), away, works], { clock });
    const orchestrator = new FlexibleOrchestrator({ model, ledger, concurrency: 1, retry: { attempts: 1 } }, { runtime: testRuntime({ clock }) });
    const first = orchestrator.start("t", "", { budget: { calls: 2 } });
    await clock.runUntilIdle();
    // The plan and the try that gave up are two calls: none is left for the other subtask.
    expect((await first.outcome).results.map(({ status }) => status)).toEqual(["failed", "skipped"]);
    const second = await orchestrator.resume(first.runId, { budget: { calls: 3 } });
    await clock.runUntilIdle();
    await second.outcome;
    expect(model.calls).toHaveLength(3);
  });

  test("in dollars is refused where earlier lives cost nobody knows what, and the run stays as it was", async () => {
    const ledger = memoryLedger();
    const rules = [planned("keep"), works];
    const first = life(ledger, rules).orchestrator.start("t", "", { budget: { calls: 2 } });
    const outcome = await first.outcome;
    const kept = await ledger.readFacts(first.runId);
    const role = { model: scriptedModel(rules), price: { input: 1, output: 1 } };
    const priced = new FlexibleOrchestrator({ orchestrator: role, worker: role, synthesizer: role, ledger });
    await expect(priced.resume(first.runId, { budget: { usd: 1 } })).rejects.toMatchObject({
      code: "unknown_price",
      hint: expect.stringContaining("tokens"),
    });
    expect(await ledger.readFacts(first.runId)).toEqual(kept);
    const whole = await (await priced.resume(first.runId, { budget: { calls: 9 } })).outcome;
    expect([outcome.coverage.done, whole.status, whole.coverage.done]).toEqual([1, "ok", 2]);
  });
});
