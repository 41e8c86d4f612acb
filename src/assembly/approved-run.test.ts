import { describe, expect, test } from "vitest";
import {
  type ApprovePlan,
  type Fact,
  FlexibleOrchestrator,
  initialRunState,
  type Ledger,
  memoryLedger,
  type Outcome,
  type PlanDecision,
  type PlanInput,
  reduce,
  type Run,
} from "../index.ts";
import { life, plan } from "../../test/lives.ts";
import { scriptedModel, virtualClock } from "../testing/index.ts";

/** Answers one after the other; the last one again and again. */
function approver(...answers: readonly (PlanDecision | "accept" | Error)[]): ApprovePlan & { readonly asked: Parameters<ApprovePlan>[] } {
  const asked: Parameters<ApprovePlan>[] = [];
  const approve: ApprovePlan = async (plan, estimate, run) => {
    const answer = answers[Math.min(asked.push([plan, estimate, run]), answers.length) - 1];
    if (answer instanceof Error) throw answer;
    return answer === undefined || answer === "accept" ? plan : answer;
  };
  return Object.assign(approve, { asked });
}

/** Waits until it is answered, however long that takes. */
function waiter(): { readonly approve: ApprovePlan; readonly isAsked: Promise<Parameters<ApprovePlan>[0]>; readonly answer: (decision: PlanDecision) => void } {
  const asked = Promise.withResolvers<Parameters<ApprovePlan>[0]>();
  const { promise, resolve } = Promise.withResolvers<PlanDecision>();
  return {
    isAsked: asked.promise,
    answer: resolve,
    approve: async (plan) => {
      asked.resolve(plan);
      return await promise;
    },
  };
}

const factsOf = async (run: Run): Promise<Fact[]> => (await Array.fromAsync(run.events)).filter((event): event is Fact => !event.type.endsWith(".delta"));
const typesOf = (facts: readonly Fact[]): string[] => facts.map(({ type }) => type);
const isPlanner = ({ system }: { readonly system: string }): boolean => system.includes("You are the orchestrator");
const isWorker = ({ system }: { readonly system: string }): boolean => system.includes("You carry out one subtask");
const edited = {
  combine: "keep",
  subtasks: [
    { id: "facts", type: "facts", description: "List two facts." },
    { id: "new", description: "Write a new one." },
  ],
} as const;

async function startOn(ledger: Ledger, approvePlan: ApprovePlan) {
  const { orchestrator, model } = life(ledger, [], { approvePlan });
  const run = orchestrator.start("t");
  return { run, model, outcome: await run.outcome };
}

describe("a plan that needs approval", () => {
  test("is asked about whole, with what it may cost, before any worker starts; then it is carried out without another planner call", async () => {
    const approvePlan = approver();
    const { run, model, outcome } = await startOn(memoryLedger(), approvePlan);
    expect(outcome).toMatchObject({ status: "ok", coverage: { done: 3 }, calls: 5 });
    const [[plan, estimate, about] = []] = approvePlan.asked;
    expect(plan).toMatchObject({ kind: "subtasks", analysis: "Three parts.", combine: "merge", subtasks: [{ id: "facts" }, { id: "story" }, { id: "end" }] });
    expect(estimate).toMatchObject({ expected: { calls: 5 } });
    expect(about?.runId).toBe(run.runId);
    const types = typesOf(await factsOf(run));
    expect(types.slice(types.indexOf("plan.finished"), types.indexOf("subtask.started"))).toEqual(["plan.finished", "approval.requested", "approval.given"]);
    expect(model.calls.filter(isPlanner)).toHaveLength(1);
  });

  test("is asked about where it was handed in, and a direct answer is not", async () => {
    const approvePlan = approver();
    const { orchestrator, model } = life(memoryLedger(), [], { approvePlan });
    expect(await orchestrator.orchestrate("t", "", { plan: edited })).toMatchObject({ status: "ok" });
    expect(approvePlan.asked).toHaveLength(1);
    expect(model.calls.filter(isPlanner)).toEqual([]);
    const direct = life(memoryLedger(), [{ when: "You are the orchestrator", reply: "<answer>At once.</answer>" }], { approvePlan });
    expect(await direct.orchestrator.orchestrate("t")).toMatchObject({ status: "ok", text: "At once." });
    expect(approvePlan.asked).toHaveLength(1);
  });

  test("that is edited is carried out as it was edited, and so it stands in log and outcome", async () => {
    const ledger = memoryLedger();
    const { run, model, outcome } = await startOn(ledger, approver(edited));
    expect(outcome).toMatchObject({ status: "ok", plan: { combine: "keep", subtasks: [{ id: "facts", description: "List two facts." }, { id: "new" }] } });
    expect(outcome.results.map(({ id }) => id)).toEqual(["facts", "new"]);
    expect(model.calls.filter(isPlanner)).toHaveLength(1);
    const facts = await factsOf(run);
    expect(facts.find(({ type }) => type === "approval.given")).toMatchObject({ edited: true, plan: { subtasks: [{ id: "facts" }, { id: "new" }] } });
    expect(outcome.estimate?.expected.calls).toBe(3);
    const state = facts.reduce(reduce, initialRunState);
    expect(state).toMatchObject({
      approval: "given",
      plan: { combine: "keep" },
      subtasks: [{ subtask: { id: "facts" }, status: "done" }, { subtask: { id: "new" } }],
    });
  });

  test("that is edited in place is an edited one", async () => {
    const { outcome } = await startOn(memoryLedger(), async (plan) => {
      Object.assign(plan, { subtasks: plan.subtasks.slice(0, 2) });
      return plan;
    });
    expect(outcome.results.map(({ id }) => id)).toEqual(["facts", "story"]);
  });

  test("that is sent back is written anew with the plan and the remark before the orchestrator's eyes, and asked about again", async () => {
    const approvePlan = approver({ feedback: "Shorter, please." }, { feedback: "Shorter, please." }, "accept");
    const { orchestrator, model } = life(memoryLedger(), [{ when: "You are the orchestrator", reply: (call) => plan(call.n, call) }], { approvePlan });
    const run = orchestrator.start("t");
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "ok" });
    const planners = model.calls.filter(isPlanner);
    expect(planners).toHaveLength(3);
    // What it was asked first stands before it, unchanged, so that it is in the provider's cache.
    expect(planners[1]?.prompt.startsWith(planners[0]?.prompt ?? "-")).toBe(true);
    expect(planners[1]?.prompt).toMatch(/<remark-\w+>\nShorter, please\.\n/);
    expect(planners[1]?.prompt).toContain('<task id="facts">');
    const descriptions = approvePlan.asked.map(([asked]) => asked.subtasks[0]?.description);
    expect(new Set(descriptions).size).toBe(3);
    expect(outcome.results[0]?.description).toBe(descriptions[2]);
    expect(typesOf(await factsOf(run)).filter((type) => type.startsWith("approval."))).toEqual([
      ...["approval.requested", "approval.declined", "approval.requested", "approval.declined", "approval.requested", "approval.given"],
    ]);
  });

  test("is sent back ten times at most", async () => {
    const ledger = memoryLedger();
    const approvePlan = approver({ feedback: "Another one." });
    const { run, model, outcome } = await startOn(ledger, approvePlan);
    expect(outcome).toMatchObject({ status: "failed", error: { code: "approval_failed", message: expect.stringContaining("10 times") } });
    expect(model.calls.filter(isPlanner)).toHaveLength(11);
    const { orchestrator, model: later } = life(ledger);
    const accepts = approver();
    expect(await (await orchestrator.resume(run.runId, { approvePlan: accepts })).outcome).toMatchObject({ status: "ok" });
    expect(later.calls.filter(isPlanner)).toEqual([]);
    expect(accepts.asked[0]?.[0]).toEqual(approvePlan.asked[10]?.[0]);
  });

  test("that is rejected ends the run as aborted with nothing started, and is asked about again when that is resumed", async () => {
    const ledger = memoryLedger();
    const { run, model, outcome } = await startOn(ledger, approver("reject"));
    expect(outcome).toMatchObject({
      status: "aborted",
      error: { code: "plan_rejected" },
      plan: { kind: "subtasks" },
      coverage: { planComplete: true, skipped: 3 },
    });
    expect(outcome.results).toMatchObject([{ reason: "approval" }, { reason: "approval" }, { reason: "approval" }]);
    expect(model.calls).toHaveLength(1);
    const second = life(ledger);
    await expect(second.orchestrator.resume(run.runId)).rejects.toMatchObject({ code: "approval_needed" });
    expect(await (await second.orchestrator.resume(run.runId, { approvePlan: approver() })).outcome).toMatchObject({ status: "ok", coverage: { done: 3 } });
    expect(second.model.calls.filter(isPlanner)).toEqual([]);
  });

  const circle = [
    { id: "a", description: "A.", dependsOn: ["b"] },
    { id: "b", description: "B.", dependsOn: ["a"] },
    { id: "c", description: "C.", dependsOn: ["b"] },
  ];
  const useless: readonly (readonly [string, PlanDecision | Error, object])[] = [
    ["throws", new Error("mail is down"), { code: "approval_failed", message: "`approvePlan` failed: mail is down." }],
    ["says nothing of use", { feedback: " " }, { code: "approval_failed" }],
    ["gives a plan without descriptions", { subtasks: [{ description: "" }] }, { code: "invalid_plan" }],
    ["gives a plan with a circle", { subtasks: circle }, { code: "invalid_plan", message: expect.stringContaining('circle: "a", "b".') }],
    ["gives a direct answer", { kind: "direct", analysis: "", answer: "Me." }, { code: "invalid_plan" }],
    ["gives a plan with more workers than a run may have", { subtasks: Array.from({ length: 101 }, () => ({ description: "x" })) }, { code: "invalid_plan" }],
  ];
  test.each(useless)("ends the run as failed with nothing started where who is asked %s; resumed, it asks again", async (_, answer, error) => {
    const ledger = memoryLedger();
    const { run, model, outcome } = await startOn(ledger, approver(answer));
    expect(outcome).toMatchObject({ status: "failed", error });
    expect(model.calls).toHaveLength(1);
    const { orchestrator } = life(ledger);
    expect(await (await orchestrator.resume(run.runId, { approvePlan: approver() })).outcome).toMatchObject({ status: "ok" });
  });

  test("is not asked about half written: nothing starts, and resumed its rest is asked for first", async () => {
    const ledger = memoryLedger();
    const half = '<tasks combine="keep"><task id="facts"><type>facts</type><description>List the facts.</description></task><task id="st';
    const approvePlan = approver();
    const first = life(ledger, [{ when: "You are the orchestrator", reply: { text: half, finish: "content-filter" } }], { approvePlan });
    const run = first.orchestrator.start("t");
    expect(await run.outcome).toMatchObject({ status: "failed", error: { code: "content_filter" }, results: [{ id: "facts", reason: "approval" }] });
    expect(first.model.calls.filter(isWorker)).toEqual([]);
    expect(approvePlan.asked).toEqual([]);
    const { orchestrator } = life(ledger, [], { approvePlan });
    expect(await (await orchestrator.resume(run.runId)).outcome).toMatchObject({ status: "ok", coverage: { done: 3 } });
    expect(approvePlan.asked).toHaveLength(1);
  });
});

describe("a run that waits for approval", () => {
  test("is listed as waiting, is held by nobody, and takes no time", async () => {
    const clock = virtualClock();
    const ledger = memoryLedger();
    const { approve, isAsked, answer } = waiter();
    const model = scriptedModel(
      [
        {
          when: "You are the orchestrator",
          reply: '<tasks><task id="a"><description>A.</description></task><task id="b"><description>B.</description></task></tasks>',
        },
        { when: "one subtask", reply: { text: "done", firstMs: 1_000 } },
      ],
      { clock },
    );
    const orchestrator = new FlexibleOrchestrator(
      { model, ledger, approvePlan: approve, timeout: { runMs: 60_000 }, budget: { seconds: 50 } },
      { runtime: { clock, random: () => 0.5, newId: () => "run" } },
    );
    const run = orchestrator.start("t");
    await clock.advance(0);
    await clock.advance(1_000_000);
    expect(await ledger.readRun("run")).toMatchObject({ status: "waiting" });
    expect(await ledger.readLease("run")).toMatchObject({ expiresAt: 0 });
    answer(await isAsked);
    await clock.runUntilIdle();
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "ok" });
    expect(outcome.durationMs).toBeLessThan(2_000);
    const state = (await factsOf(run)).reduce(reduce, initialRunState);
    expect(state.activeMs).toBeLessThan(2_000);
    expect(await ledger.readRun("run")).toMatchObject({ status: "ok" });
  });

  test("can be taken on by another process, which asks about the same plan; who was asked first then decides nothing any more", async () => {
    const ledger = memoryLedger();
    const { approve, isAsked, answer } = waiter();
    const first = life(ledger, [], { approvePlan: approve });
    const run = first.orchestrator.start("t");
    const plan = await isAsked;
    while ((await ledger.readLease(run.runId))?.expiresAt !== 0) await new Promise(setImmediate);
    const approvePlan = approver();
    const second = life(ledger);
    const outcome = await (await second.orchestrator.resume(run.runId, { approvePlan })).outcome;
    expect(outcome).toMatchObject({ status: "ok" });
    expect(approvePlan.asked[0]?.[0]).toEqual(plan);
    expect(second.model.calls.filter(isPlanner)).toEqual([]);
    const facts = await ledger.readFacts(run.runId);
    answer("reject");
    expect(await run.outcome).toMatchObject({ status: "aborted", error: { code: "run_taken_over" } });
    expect(await ledger.readFacts(run.runId)).toEqual(facts);
  });

  test("ends at once when it is stopped, still waits in the ledger, and is asked about again when it is resumed", async () => {
    const ledger = memoryLedger();
    const { approve, isAsked } = waiter();
    const first = life(ledger, [], { approvePlan: approve });
    const run = first.orchestrator.start("t");
    const plan = await isAsked;
    run.abort();
    expect(await run.outcome).toMatchObject({ status: "aborted", error: { code: "aborted" }, coverage: { skipped: 3 } });
    expect(await ledger.readRun(run.runId)).toMatchObject({ status: "waiting" });
    const approvePlan = approver();
    const second = life(ledger, [], { approvePlan });
    expect(await (await second.orchestrator.resume(run.runId)).outcome).toMatchObject({ status: "ok" });
    expect(approvePlan.asked[0]?.[0]).toEqual(plan);
  });

  test("that is removed meanwhile says so", async () => {
    const ledger = memoryLedger();
    const { approve, isAsked, answer } = waiter();
    const run = life(ledger, [], { approvePlan: approve }).orchestrator.start("t");
    const plan = await isAsked;
    while ((await ledger.readLease(run.runId))?.expiresAt !== 0) await new Promise(setImmediate);
    await ledger.removeRun(run.runId, (await ledger.readLease(run.runId))?.epoch ?? 0);
    answer(plan);
    expect(await run.outcome).toMatchObject({ status: "failed", error: { code: "run_not_found" } });
    expect(await ledger.readFacts(run.runId)).toEqual([]);
  });

  test("is neither resumed nor done anew by a program that has nobody to ask", async () => {
    const ledger = memoryLedger();
    const { run } = await startOn(ledger, approver(new Error("no")));
    const { orchestrator, model } = life(ledger);
    await expect(orchestrator.resume(run.runId)).rejects.toMatchObject({ code: "approval_needed" });
    await expect(orchestrator.rerun(run.runId, { subtask: "facts" })).rejects.toMatchObject({ code: "approval_needed" });
    expect(model.calls).toEqual([]);
  });
});

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
});
