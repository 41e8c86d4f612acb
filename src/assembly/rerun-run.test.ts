import { describe, expect, test } from "vitest";
import { DivvyError, FlexibleOrchestrator, type Ledger, memoryLedger, type OrchestratorOptions, type Outcome } from "../index.ts";
import { type DoubleCall, type ScriptedModel, scriptedModel } from "../testing/index.ts";
import { life, plan } from "../../test/lives.ts";

const textOf = ({ results }: Outcome, wanted: string): string | undefined =>
  results.flatMap((result) => (result.status === "done" && result.id === wanted ? [result.result] : []))[0];

const asked = (calls: readonly { readonly prompt: string }[]): (string | undefined)[] => calls.map(({ prompt }) => /Your subtask \((\w+)\)/.exec(prompt)?.[1]);

describe("a rerun", () => {
  test("does one subtask anew, what depends on it, and the answer; the rest is taken over without a call", async () => {
    const ledger = memoryLedger();
    const first = life(ledger).orchestrator.start("t");
    const before = await first.outcome;
    const { orchestrator, model } = life(ledger);
    const run = await orchestrator.rerun(first.runId, { subtask: "facts" });
    const after = await run.outcome;
    expect(after.runId).not.toBe(first.runId);
    expect(after).toMatchObject({ status: "ok", coverage: { done: 3 }, calls: 3 });
    expect(asked(model.calls)).toEqual(["facts", "end", undefined]);
    expect(textOf(after, "story")).toBe(textOf(before, "story"));
    expect(textOf(after, "facts")).not.toBe(textOf(before, "facts"));
    expect(after.results.find(({ id }) => id === "story")).toMatchObject({ attempts: 0, usage: { totalTokens: 0 } });
    expect((await ledger.readFacts(run.runId))[0]).toMatchObject({ type: "run.started", rerunOf: first.runId });
    // The old run stands as it was.
    expect(await (await orchestrator.resume(first.runId)).outcome).toEqual(before);
  });

  test("may give the subtask another description and type", async () => {
    const ledger = memoryLedger();
    const first = life(ledger).orchestrator.start("t");
    await first.outcome;
    const { orchestrator, model } = life(ledger, [], { workers: { poem: { maxOutputTokens: 55 } } });
    const after = await (await orchestrator.rerun(first.runId, { subtask: "Story", description: "Tell it in verse.", type: "poem" })).outcome;
    expect(after.results[1]).toMatchObject({ id: "story", type: "poem", description: "Tell it in verse.", status: "done" });
    expect(model.calls[0]).toMatchObject({ maxOutputTokens: 55 });
    expect(asked(model.calls)).toEqual(["poem", undefined]);
  });

  test("is joined as the old run was, whatever the options leave open", async () => {
    const ledger = memoryLedger();
    const first = life(ledger, [], { synthesis: "none", concurrency: 1 }).orchestrator.start("t");
    await first.outcome;
    const run = await life(ledger).orchestrator.rerun(first.runId, { subtask: "story" });
    expect(await run.outcome).toMatchObject({ status: "ok", text: "", coverage: { answer: "none" } });
    expect((await ledger.readFacts(run.runId))[0]).toMatchObject({ concurrency: 1 });
  });

  test("does what failed the last time too", async () => {
    const ledger = memoryLedger();
    const first = life(ledger, [{ when: "Tell the story.", reply: { fault: { kind: "status", status: 400, body: "no" } } }]).orchestrator.start("t");
    await first.outcome;
    const { orchestrator, model } = life(ledger);
    expect(await (await orchestrator.rerun(first.runId, { subtask: "end" })).outcome).toMatchObject({ status: "ok" });
    expect(new Set(asked(model.calls).slice(0, 2))).toEqual(new Set(["end", "story"]));
  });

  test("is no more whole than the run before it: what was over its limit is missing still, also when it is resumed", async () => {
    const ledger = memoryLedger();
    const first = life(ledger, [], { limits: { subtasks: 2 } }).orchestrator.start("t");
    const covers = { planned: 3, done: 2, dropped: 1 };
    expect(await first.outcome).toMatchObject({ status: "partial", coverage: covers });
    const run = await life(ledger).orchestrator.rerun(first.runId, { subtask: "story" });
    expect(await run.outcome).toMatchObject({ status: "partial", error: { message: expect.stringContaining("over the limit") }, coverage: covers });
    expect(await (await life(ledger).orchestrator.resume(run.runId)).outcome).toMatchObject({ status: "partial", coverage: covers });
  });

  test("takes over too what a worker was unable to do, and what waits for that stays left out", async () => {
    const ledger = memoryLedger();
    const first = life(ledger, [{ when: "List the facts.", reply: "<unable>the facts</unable>" }]).orchestrator.start("t");
    await first.outcome;
    const { orchestrator, model } = life(ledger);
    const after = await (await orchestrator.rerun(first.runId, { subtask: "story" })).outcome;
    expect(after.results).toMatchObject([{ status: "failed", error: { code: "unable" } }, { status: "done" }, { status: "skipped", reason: "upstream" }]);
    expect(asked(model.calls)).toEqual(["story"]);
  });

  test("of a run that is being carried out is refused: what it has not done would be paid for twice", async () => {
    const ledger = memoryLedger();
    const alive = { owner: { pid: 7, host: "there", space: "", startTime: "" }, isDead: () => false, now: Date.now };
    const { orchestrator } = life(ledger, [{ when: "Your subtask (", reply: { text: "slow", firstMs: 60_000 } }], { identity: alive });
    const run = orchestrator.start("t");
    for await (const { type } of run.events) if (type === "subtask.started") break;
    const refusal = { code: "run_held", message: expect.stringContaining("process 7 on there") };
    const another = { ...alive, owner: { ...alive.owner, pid: 8 } };
    await expect(life(ledger, [], { identity: another }).orchestrator.rerun(run.runId, { subtask: "facts" })).rejects.toMatchObject(refusal);
    run.abort();
    await run.outcome;
  });

  test("can be resumed and rerun like any run", async () => {
    const ledger = memoryLedger();
    const first = life(ledger).orchestrator.start("t");
    const before = await first.outcome;
    const broken = life(ledger, [{ when: "List the facts.", reply: { fault: { kind: "status", status: 400, body: "no" } } }]);
    const second = await broken.orchestrator.rerun(first.runId, { subtask: "facts" });
    expect(await second.outcome).toMatchObject({ status: "partial", coverage: { done: 1, failed: 1, skipped: 1 } });
    const { orchestrator } = life(ledger);
    const after = await (await orchestrator.resume(second.runId)).outcome;
    expect(after).toMatchObject({ status: "ok", runId: second.runId });
    expect(textOf(after, "story")).toBe(textOf(before, "story"));
    expect(await (await orchestrator.rerun(second.runId, { subtask: "story" })).outcome).toMatchObject({ status: "ok" });
  });

  test("of what is not there says what there is", async () => {
    const ledger = memoryLedger();
    const first = life(ledger).orchestrator.start("t");
    await first.outcome;
    const { orchestrator } = life(ledger);
    await expect(orchestrator.rerun("nowhere", { subtask: "facts" })).rejects.toMatchObject({ code: "run_not_found" });
    await expect(orchestrator.rerun(first.runId, { subtask: "fact" })).rejects.toMatchObject({ code: "invalid_option", hint: "It has: facts, story, end." });
    const direct = life(ledger, [{ when: "You are the orchestrator", reply: "<answer>At once.</answer>" }]).orchestrator.start("t");
    await direct.outcome;
    await expect(orchestrator.rerun(direct.runId, { subtask: "facts" })).rejects.toMatchObject({ code: "invalid_option" });
  });
});

describe("a shared cache", () => {
  test("answers the same request in another run, plan and all, without a call", async () => {
    const ledger = memoryLedger();
    const cache = { shared: "tests" };
    const model = (name: string) => life(ledger, [], { cache, id: name });
    const first = await model("m").orchestrator.orchestrate("t");
    const second = model("m");
    const again = await second.orchestrator.orchestrate("t");
    expect(second.model.calls).toHaveLength(0);
    expect(again).toMatchObject({ status: "ok", calls: 0, cost: 0, usage: { totalTokens: 0 }, text: "text" in first ? first.text : "" });
    const other = model("another");
    await other.orchestrator.orchestrate("t");
    expect(other.model.calls).toHaveLength(5);
  });

  test("of two runs at once is paid for once", async () => {
    const ledger = memoryLedger();
    const { orchestrator, model } = life(ledger, [], { cache: { shared: "tests" }, id: "m" });
    const [a, b] = await Promise.all([orchestrator.orchestrate("t"), orchestrator.orchestrate("t")]);
    expect(model.calls).toHaveLength(5);
    expect([a.status, b.status]).toEqual(["ok", "ok"]);
  });

  test("of two orchestrators at once, on one ledger, is paid for once", async () => {
    const ledger = memoryLedger();
    const two = [1, 2].map(() => life(ledger, [], { cache: { shared: "tests" }, id: "m" }));
    const outcomes = await Promise.all(two.map(({ orchestrator }) => orchestrator.orchestrate("t")));
    expect(two.flatMap(({ model }) => model.calls)).toHaveLength(5);
    expect(outcomes.map(({ status }) => status)).toEqual(["ok", "ok"]);
  });

  test("of two runs at once serves the one to its end when the other's log breaks, whenever that is", async () => {
    for (let writes = 1; writes < 60; writes++) {
      const kept = memoryLedger();
      let left = writes;
      let broken: string | undefined;
      const ledger: Ledger = {
        ...kept,
        commit: async (batch) => {
          if (batch.runs.some(({ runId }) => runId === broken) && left-- <= 0) throw new DivvyError("ledger_failed", "Its log cannot be written.");
          return await kept.commit(batch);
        },
      };
      const { orchestrator, model } = life(ledger, [], { cache: { shared: "tests" }, id: "m" });
      const first = orchestrator.start("t");
      broken = first.runId;
      const second = orchestrator.start("t");
      const [ends, stands] = await Promise.all([first.outcome, second.outcome]);
      expect(stands, `broken at write ${writes}`).toMatchObject({ status: "ok" });
      expect(model.calls).toHaveLength(5);
      if (ends.status === "ok" && left > 0) return expect(writes).toBeGreaterThan(4);
    }
    throw new Error("No run came to its end.");
  });

  test("outlives the run that paid, and needs a name for a model that has none", async () => {
    const ledger = memoryLedger();
    const { orchestrator } = life(ledger, [], { cache: { shared: "tests" }, id: "m" });
    const { runId } = await orchestrator.orchestrate("t");
    expect(await ledger.removeRun(runId, 1)).toBe(true);
    const second = life(ledger, [], { cache: { shared: "tests" }, id: "m" });
    await second.orchestrator.orchestrate("t");
    expect(second.model.calls).toHaveLength(0);
    expect(() => life(ledger, [], { cache: { shared: "tests" } })).toThrow("cannot be shared with a model instance that has no id");
  });

  test.each<[string, (instance: ScriptedModel) => OrchestratorOptions]>([
    ["model", (model) => ({ model })],
    ["orchestrator", (model) => ({ model: "anthropic:m", orchestrator: { model } })],
    ["worker", (model) => ({ model: "anthropic:m", worker: { model } })],
    ["worker", (model) => ({ model: "anthropic:m", worker: model, workers: { worker: "anthropic:other" } })],
    ["synthesizer", (model) => ({ model: "anthropic:m", synthesizer: model })],
    ["workers.poem", (model) => ({ model: "anthropic:m", workers: { poem: { model } } })],
    ["workers.poem", (model) => ({ model: "anthropic:m", workers: { poem: model } })],
    ["worker.evaluate.model", (model) => ({ model: "anthropic:m", worker: { evaluate: { criteria: "c", threshold: 1, model } } })],
    ["workers.poem.evaluate.model", (model) => ({ model: "anthropic:m", workers: { poem: { evaluate: { criteria: "c", threshold: 1, model: { model } } } } })],
  ])("is refused where a model instance has no id, wherever it is named: %s (%#)", (name, optionsWith) => {
    const options = (): OrchestratorOptions => optionsWith(scriptedModel([]));
    expect(() => new FlexibleOrchestrator({ ...options(), cache: { shared: "tests" } })).toThrow(
      `cannot be shared with a model instance that has no id ("${name}")`,
    );
    expect(() => new FlexibleOrchestrator({ ...options(), cache: "run" })).not.toThrow();
  });

  test("does not answer a rerun with what an earlier one was answered", async () => {
    const ledger = memoryLedger();
    const { orchestrator } = life(ledger, [], { cache: { shared: "tests" }, id: "m" });
    const { runId } = await orchestrator.orchestrate("t");
    const again = async (): Promise<Outcome> => await (await orchestrator.rerun(runId, { subtask: "facts" })).outcome;
    const outcomes = [await again(), await again(), ...(await Promise.all([again(), again()]))];
    expect(new Set(outcomes.map((outcome) => textOf(outcome, "facts"))).size).toBe(4);
    const [first] = outcomes;
    if (first === undefined) throw new Error("There are four.");
    const anew = await (await orchestrator.rerun(first.runId, { subtask: "facts" })).outcome;
    expect(outcomes.map((outcome) => textOf(outcome, "facts"))).not.toContain(textOf(anew, "facts"));
  });

  test("answers what builds on a subtask that was done anew where that says the same again, and only there", async () => {
    const ledger = memoryLedger();
    const facts = (reply: string) => scriptedModel([{ when: "List the facts.", reply }, ...ofAll], { vary: false });
    const orchestratorOf = (model: ScriptedModel): FlexibleOrchestrator => {
      const role = { model, id: "m" };
      return new FlexibleOrchestrator({ orchestrator: role, worker: role, synthesizer: role, ledger, cache: { shared: "tests" } });
    };
    const rerunBy = async (model: ScriptedModel): Promise<(string | undefined)[]> => {
      const run = await orchestratorOf(model).rerun(runId, { subtask: "facts" });
      await run.outcome;
      return asked(model.calls);
    };
    const ofAll = [
      { when: "You are the orchestrator", reply: (call: DoubleCall) => plan(0, call) },
      { when: "Several workers each", reply: "joined" },
      { when: "one subtask", reply: "written" },
    ];
    const { runId } = await orchestratorOf(facts("Water boils.")).orchestrate("t");
    expect(await rerunBy(facts("Water boils."))).toEqual(["facts"]);
    expect(await rerunBy(facts("Water freezes."))).toEqual(["facts", "end", undefined]);
  });

  test("does not answer a rerun of the subtask that is to be done anew", async () => {
    const ledger = memoryLedger();
    const { orchestrator, model } = life(ledger, [], { cache: { shared: "tests" }, id: "m" });
    const before = await orchestrator.orchestrate("t");
    const after = await (await orchestrator.rerun(before.runId, { subtask: "facts" })).outcome;
    expect(asked(model.calls).slice(5)).toEqual(["facts", "end", undefined]);
    expect(textOf(after, "facts")).not.toBe(textOf(before, "facts"));
  });
});
