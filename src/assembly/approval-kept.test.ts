import { describe, expect, test } from "vitest";
import { type ApprovePlan, type Fact, type Ledger, memoryLedger, type Outcome, type PlanInput } from "../index.ts";
import { life } from "../../test/lives.ts";
import { approver, edited, isPlanner, isWorker, startOn } from "./approval-fixture.ts";

describe("a decision on a plan", () => {
  /** A run that dies as soon as its log holds this. */
  async function diesAfter(
    type: Fact["type"],
    approvePlan: ApprovePlan,
    rules: Parameters<typeof life>[1] = [],
    plan?: PlanInput,
  ): Promise<{ ledger: Ledger; runId: string; calls: number }> {
    const ledger = memoryLedger();
    const dead = Promise.withResolvers<void>();
    let isDead = false;
    const never = new Promise<never>(() => undefined);
    const mortal: Ledger = {
      ...ledger,
      commit: async (batch) => {
        if (isDead) return await never;
        isDead = batch.runs.some(({ facts }) => facts.some((fact) => fact.type === type));
        const report = await ledger.commit(batch);
        if (!isDead) return report;
        dead.resolve();
        return await never;
      },
      renewLease: (...args) => (isDead ? never : ledger.renewLease(...args)),
    };
    const { orchestrator, model } = life(mortal, rules, { approvePlan, id: "m" });
    const run = orchestrator.start("t", "", plan === undefined ? {} : { plan });
    await dead.promise;
    return { ledger, runId: run.runId, calls: model.calls.length };
  }

  test.each([
    ["as it is", "accept", ["facts", "story", "end"]],
    ["edited", edited, ["facts", "new"]],
  ] as const)("that approved it %s survives the process: it is carried out, and nobody is asked again", async (_, answer, ids) => {
    const { ledger, runId, calls } = await diesAfter("approval.given", approver(answer));
    expect(calls).toBe(1);
    const approvePlan = approver("reject");
    // Who needs no approval may go on with it, too.
    for (const options of [{ approvePlan }, {}]) {
      const { orchestrator, model } = life(ledger, [], { id: "m" });
      const outcome: Outcome = await (await orchestrator.resume(runId, options)).outcome;
      expect(outcome).toMatchObject({ status: "ok" });
      expect(outcome.results.map(({ id }) => id)).toEqual(ids);
      expect(approvePlan.asked).toEqual([]);
      expect(model.calls.filter(isPlanner)).toEqual([]);
    }
  });

  test("that edited a plan which was handed in survives the process, too", async () => {
    const handed = {
      subtasks: [
        { id: "facts", description: "List the facts." },
        { id: "story", description: "Tell the story." },
      ],
    };
    const { ledger, runId } = await diesAfter("approval.given", approver(edited), [], handed);
    const outcome = await (await life(ledger, [], { id: "m" }).orchestrator.resume(runId)).outcome;
    expect(outcome).toMatchObject({ status: "ok", results: [{ id: "facts", description: "List two facts." }, { id: "new" }] });
  });

  test("that sent it back survives the process: another plan is asked for with the remark", async () => {
    const { ledger, runId } = await diesAfter("approval.declined", approver({ feedback: "In verse." }));
    const approvePlan = approver();
    const { orchestrator, model } = life(ledger, [], { approvePlan, id: "m" });
    expect(await (await orchestrator.resume(runId)).outcome).toMatchObject({ status: "ok", coverage: { planned: 3, done: 3 } });
    expect(model.calls.filter(isPlanner).map(({ prompt }) => prompt.includes("In verse."))).toEqual([true]);
    expect(approvePlan.asked).toHaveLength(1);
  });

  test("is asked for again over a plan that was written after a remark, which is not paid again", async () => {
    const ledger = memoryLedger();
    const approvePlan = approver({ feedback: "In verse." }, new Error("gone"));
    const { run } = await startOn(ledger, approvePlan);
    const again = approver();
    const { orchestrator, model } = life(ledger, [], { approvePlan: again });
    expect(await (await orchestrator.resume(run.runId)).outcome).toMatchObject({ status: "ok" });
    expect(model.calls.filter(isPlanner)).toEqual([]);
    expect(again.asked[0]?.[0]).toEqual(approvePlan.asked[1]?.[0]);
  });

  test("is asked for where a run that needed none goes on before anything of it has begun, and not once something has", async () => {
    const ledger = memoryLedger();
    const half = '<tasks combine="keep"><task id="facts"><type>facts</type><description>List the facts.</description></task>';
    const broken = { when: "You are the orchestrator", reply: { text: half, finish: "content-filter" } } as const;
    const begun = life(ledger, [broken]).orchestrator.start("t");
    await begun.outcome;
    const approvePlan = approver("reject");
    expect(await (await life(ledger).orchestrator.resume(begun.runId, { approvePlan })).outcome).toMatchObject({ status: "ok" });
    expect(approvePlan.asked).toEqual([]);
    const failing = { when: "You are the orchestrator", reply: { fault: { kind: "status", status: 400, body: "no" } } } as const;
    const idle = life(ledger, [failing]).orchestrator.start("t");
    expect(await idle.outcome).toMatchObject({ status: "failed" });
    expect(await (await life(ledger).orchestrator.resume(idle.runId, { approvePlan })).outcome).toMatchObject({ error: { code: "plan_rejected" } });
  });
});

describe("a run over an old one's plan", () => {
  test("is asked about, takes over what nobody changed, and does the rest", async () => {
    const ledger = memoryLedger();
    const first = life(ledger).orchestrator.start("t");
    const before = await first.outcome;
    const { orchestrator, model } = life(ledger, [], {
      approvePlan: async (plan) => ({
        ...plan,
        subtasks: plan.subtasks.map((one) => (one.id === "facts" ? { ...one, description: "List other facts." } : one)),
      }),
    });
    const after = await (await orchestrator.rerun(first.runId, { subtask: "end" })).outcome;
    expect(after).toMatchObject({ status: "ok" });
    expect(after.results[1]).toMatchObject({ id: "story", result: before.results[1]?.status === "done" && before.results[1].result });
    expect(model.calls.filter(isWorker).map(({ prompt }) => /Your subtask \((\w+)\)/.exec(prompt)?.[1])).toEqual(["facts", "end"]);
  });

  test("fails where nobody can be asked, though it has taken over results", async () => {
    const ledger = memoryLedger();
    const first = life(ledger).orchestrator.start("t");
    await first.outcome;
    const { orchestrator } = life(ledger, [], { approvePlan: approver(new Error("gone"), "accept") });
    const rerun = await orchestrator.rerun(first.runId, { subtask: "end" });
    const failed = await rerun.outcome;
    expect(failed).toMatchObject({ status: "failed", error: { code: "approval_failed" }, coverage: { done: 2, answer: "none" } });
    expect(await (await orchestrator.resume(rerun.runId)).outcome).toMatchObject({ status: "ok", coverage: { done: 3 } });
  });

  test.each([
    ["as it is", approver()],
    ["edited", async (plan) => ({ ...plan, combine: "keep" })],
    ["in a later life", approver(new Error("gone"), "accept")],
    ["edited in a later life", approver(new Error("gone"), edited)],
  ] as const satisfies readonly (readonly [string, ApprovePlan])[])(
    "that is approved %s does anew what it is to do anew, whatever a shared cache holds",
    async (_, approvePlan) => {
      const ledger = memoryLedger();
      const shared = { id: "m", cache: { shared: "c" } } as const;
      const facts = { subtasks: [{ id: "facts", type: "facts", description: "List two facts." }] };
      const first = life(ledger, [], shared).orchestrator.start("t", "", { plan: facts });
      const [before] = (await first.outcome).results;
      const { orchestrator } = life(ledger, [], { ...shared, approvePlan });
      const rerun = await orchestrator.rerun(first.runId, { subtask: "facts" });
      const { status } = await rerun.outcome;
      const [after] = (status === "ok" ? await rerun.outcome : await (await orchestrator.resume(rerun.runId)).outcome).results;
      expect(after).toMatchObject({ id: "facts", description: before?.description, status: "done" });
      expect(after).not.toMatchObject({ result: before?.status === "done" && before.result });
    },
  );
});
