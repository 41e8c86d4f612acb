import { describe, expect, test } from "vitest";
import { FlexibleOrchestrator, initialRunState, memoryLedger, type PlanDecision, reduce } from "../index.ts";
import { life, plan } from "../../test/lives.ts";
import { scriptedModel, virtualClock } from "../testing/index.ts";
import { approver, edited, factsOf, isPlanner, isWorker, startOn, typesOf, waiter } from "./approval-fixture.ts";

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

  test("does not start half written where a resume cannot even ask for its rest", async () => {
    const ledger = memoryLedger();
    const half = '<tasks combine="keep"><task id="facts"><type>facts</type><description>List the facts.</description></task><task id="st';
    const approvePlan = approver();
    const first = life(ledger, [{ when: "You are the orchestrator", reply: { text: half, finish: "content-filter" } }], { approvePlan, id: "m" });
    const run = first.orchestrator.start("t");
    await run.outcome;
    const prompt = (): string => {
      throw new Error("The template is gone.");
    };
    const { orchestrator, model } = life(ledger, [], { approvePlan, id: "m" });
    const role = { model, id: "m" };
    const broken = life(ledger, [], { approvePlan, orchestrator: { ...role, prompt }, worker: role, synthesizer: role });
    expect(await (await broken.orchestrator.resume(run.runId, { acceptChanges: true })).outcome).toMatchObject({
      status: "failed",
      error: { message: expect.stringContaining("The template is gone.") },
      results: [{ id: "facts", reason: "approval" }],
    });
    expect(model.calls).toEqual([]);
    expect(await (await orchestrator.resume(run.runId)).outcome).toMatchObject({ status: "ok", coverage: { done: 3 } });
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

  test("is done anew with whom `rerun` names, who stands above the orchestrator's own", async () => {
    const ledger = memoryLedger();
    const { run } = await startOn(ledger, approver());
    const [own, named] = [approver(), approver("reject", "accept")];
    const withOwn = life(ledger, [], { approvePlan: own });
    const rejected = await withOwn.orchestrator.rerun(run.runId, { subtask: "facts", approvePlan: named });
    expect(await rejected.outcome).toMatchObject({ status: "aborted", error: { code: "plan_rejected" } });
    const withNobody = life(ledger);
    const approved = await withNobody.orchestrator.rerun(run.runId, { subtask: "facts", approvePlan: named });
    expect(await approved.outcome).toMatchObject({ status: "ok" });
    expect(named.asked.map(([, , { runId }]) => runId)).toEqual([rejected.runId, approved.runId]);
    expect(own.asked).toEqual([]);
  });
});
