import { describe, expect, test } from "vitest";
import { embeddingModel } from "../../test/embedding-fixture.ts";
import { life } from "../../test/lives.ts";
import { FlexibleOrchestrator, memoryLedger, parsePlan, type OrchestratorOptions, type Outcome, type RunEvent } from "../index.ts";
import { estimateInput } from "../calls/estimate.ts";
import { type DoubleCall, scriptedModel, testRuntime, virtualClock } from "../testing/index.ts";

const task = (id: string): string => `<task id="${id}"><description>Do ${id}.</description></task>`;
const planOf = (combine: string) => ({ when: "You are the orchestrator", reply: `<tasks combine="${combine}">${["a", "b", "c"].map(task).join("")}</tasks>` });
const merged = { when: "Several workers each", reply: "The joined answer." };
const works = { when: "one subtask", reply: ({ prompt }: { prompt: string }) => `Done: ${/Do (\w)\./.exec(prompt)?.[1]}.` };

const started = (events: readonly RunEvent[]): number => events.filter(({ type }) => type === "attempt.started").length;

describe("a run with a budget", () => {
  test("leaves out what it does not allow, answers from what there is, and says how it ended", async () => {
    const ledger = memoryLedger();
    const { orchestrator, model } = life(ledger, [planOf("merge"), merged, works]);
    const run = orchestrator.start("t", "", { budget: { calls: 4 } });
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({
      status: "partial",
      text: expect.stringMatching(/^The joined answer\.\n\n\*\*Not covered\*\*\n\n- c[^\n]*: the run's budget did not allow it/),
      error: { code: "budget_exhausted", message: expect.stringContaining("2 of 3 subtasks are done. Missing: c."), hint: expect.stringContaining("resume") },
      coverage: { done: 2, skipped: 1, answer: "merge" },
    });
    expect(outcome.results[2]).toMatchObject({ status: "skipped", reason: "budget", attempts: 0 });
    expect(model.calls).toHaveLength(4);
  });

  test.each([
    ["side by side, whatever was said before of how it is combined", "keep", ["a", "b"]],
    ["alone, where there is nothing to merge", "merge", ["a"]],
    ["alone, where there is nothing to choose from", "choose", ["a"]],
  ] as const)("keeps nothing back for an answer that nobody writes: results of a plan that is handed in, %s", async (_, combine, ids) => {
    const plan = { combine, subtasks: ids.map((id) => ({ id, type: "part", description: `Do ${id}.` })) };
    // Of a worker, whose cap is 8,192, and no more.
    for (const concurrency of [1, 4]) {
      const orchestrator = new FlexibleOrchestrator({ model: scriptedModel([works]), concurrency });
      const outcome = await orchestrator.orchestrate("t", "", { plan, budget: { tokens: 9_500 * ids.length } });
      expect(outcome).toMatchObject({ status: "ok", calls: ids.length });
    }
  });

  test("keeps nothing back for an answer that nobody writes when a plan is taken over, or one of its subtasks is done anew", async () => {
    const ledger = memoryLedger();
    const rules = [planOf("keep"), works];
    const { orchestrator } = life(ledger, rules, { planCache: { embed: embeddingModel(), threshold: 0.7 } });
    const run = orchestrator.start("Write a guide to Lisbon");
    await run.outcome;
    expect(await orchestrator.orchestrate("Write a guide to Lisbon", "", { budget: { tokens: 3 * 9_500 } })).toMatchObject({ status: "ok", calls: 4 });
    const again = await orchestrator.rerun(run.runId, { subtask: "a", budget: { tokens: 9_500 } });
    expect(await again.outcome).toMatchObject({ status: "ok", calls: 1 });
  });

  test("is resumed from what it has used: under the same budget nothing more is done, under a new total the rest", async () => {
    const ledger = memoryLedger();
    const rules = [planOf("merge"), merged, works];
    const first = life(ledger, rules).orchestrator.start("t", "", { budget: { calls: 4 } });
    await first.outcome;

    const same = life(ledger, rules);
    expect(await (await same.orchestrator.resume(first.runId)).outcome).toMatchObject({ status: "partial", error: { code: "budget_exhausted" } });
    expect(same.model.calls).toHaveLength(0);

    const more = life(ledger, rules);
    const run = await more.orchestrator.resume(first.runId, { budget: { calls: 6 } });
    expect(await run.outcome).toMatchObject({ status: "ok", coverage: { done: 3 } });
    expect(more.model.calls).toHaveLength(2);
    const events = await Array.fromAsync(run.events);
    expect(events.filter(({ type }) => type === "run.started" || type === "run.resumed")).toMatchObject([
      { budget: { calls: 4 } },
      { budget: { calls: 4 } },
      { budget: { calls: 6 } },
    ]);
  });

  test("is resumed with what its answer will have to read of earlier results kept back", async () => {
    const ledger = memoryLedger();
    const long = { when: "Do a.", reply: "Word upon word. ".repeat(8_000) };
    const first = life(ledger, [long, planOf("merge"), merged, works]).orchestrator.start("t", "", { budget: { calls: 3 } });
    const { usage } = await first.outcome;
    const resumed = async (tokens: number): Promise<number> => {
      const next = life(ledger, [planOf("merge"), merged, works]);
      await (
        await next.orchestrator.resume(first.runId, { budget: { tokens: (usage.totalTokens ?? 0) + tokens } })
      ).outcome;
      return next.model.calls.length;
    };
    // One more worker and the answer may take 35,000, and the answer has 24,000 to read.
    expect(await resumed(45_000)).toBe(0);
    expect(await resumed(100_000)).toBe(3);
  });

  test("keeps the answer's share back again where a further try of the plan wants one written after all", async () => {
    const cut = { text: '<tasks combine="keep">\n', fault: { kind: "cut", afterChunks: 5 } } as const;
    const plan = { ...planOf("merge"), reply: ({ asked }: { asked: number }) => (asked === 1 ? cut : { text: planOf("merge").reply }) };
    const outcome = await life(memoryLedger(), [plan, merged, works]).orchestrator.orchestrate("t", "", { budget: { calls: 5 } });
    expect(outcome).toMatchObject({ status: "partial", coverage: { done: 2, skipped: 1, answer: "merge" } });
  });

  test.each([
    ["worker", "keep", { when: "Do a.", reply: { fault: { kind: "status", status: 500 } } }, 4],
    ["answer", "merge", { when: "Several workers each", reply: { fault: { kind: "status", status: 500 } } }, 5],
  ] as const)("that does not allow another try of what failed (%s) says that it was too small, and what would do", async (_, combine, broken, calls) => {
    const ledger = memoryLedger();
    const { orchestrator } = life(ledger, [planOf(combine), broken, merged, works]);
    const run = orchestrator.start("t", "", { budget: { calls } });
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "partial", error: { code: "budget_exhausted", evidence: { budget: { calls: expect.any(Number) } } } });
    const needed = "error" in outcome ? outcome.error.evidence?.budget : undefined;
    const resumed = life(ledger, [planOf(combine), merged, works]);
    expect(await (await resumed.orchestrator.resume(run.runId, { budget: needed ?? {} })).outcome).toMatchObject({ status: "ok" });
  });

  test("keeps nothing back for an answer that no call writes", async () => {
    const outcome = await life(memoryLedger(), [planOf("keep"), works]).orchestrator.orchestrate("t", "", { budget: { calls: 4 } });
    expect(outcome).toMatchObject({ status: "ok", coverage: { done: 3 } });
  });

  test("that cannot pay for the plan asks for nothing", async () => {
    const { orchestrator, model } = life(memoryLedger(), [planOf("merge")]);
    const outcome = await orchestrator.orchestrate("t", "", { budget: { tokens: 20_000 } });
    expect(outcome).toMatchObject({
      status: "failed",
      calls: 0,
      error: { code: "budget_exhausted", message: expect.stringContaining("kept back for the answer") },
    });
    expect(model.calls).toHaveLength(0);
  });

  test("lays results out where their answer can no longer be paid for", async () => {
    // The answer's share is kept back for one try; the first one fails.
    const broken = { when: "Several workers each", reply: { fault: { kind: "status", status: 500 } } } as const;
    const outcome = await life(memoryLedger(), [planOf("merge"), broken, works]).orchestrator.orchestrate("t", "", { budget: { calls: 5 } });
    expect(outcome).toMatchObject({ status: "partial", text: expect.stringContaining("Done: a."), coverage: { done: 3, answer: "keep" } });
  });

  test("says that it is what kept the rest of a plan from being asked for", async () => {
    const cut = { when: "You are the orchestrator", reply: { text: `<tasks combine="keep">${task("a")}`, finish: "length" } } as const;
    const outcome = await life(memoryLedger(), [cut, works]).orchestrator.orchestrate("t", "", { budget: { calls: 2 } });
    expect(outcome).toMatchObject({
      status: "partial",
      coverage: { done: 1, planComplete: false },
      error: { code: "budget_exhausted", message: expect.stringContaining("The plan broke off") },
    });
  });

  test("counts every try: a failure for which no further one can be paid is what the subtask failed with", async () => {
    const broken = { when: "Do a.", reply: { fault: { kind: "status", status: 500 } } } as const;
    const run = life(memoryLedger(), [broken, planOf("keep"), works], { concurrency: 1 }).orchestrator.start("t", "", { budget: { calls: 4 } });
    const outcome = await run.outcome;
    expect(started(await Array.fromAsync(run.events))).toBe(4);
    expect(outcome.results.map((result) => (result.status === "skipped" ? result.reason : result.status))).toEqual(["failed", "done", "done"]);
    expect(outcome.results[0]).toMatchObject({ error: { code: "server_error", evidence: { attempts: 1 } } });
  });

  test("says when four fifths of it are used", async () => {
    const run = life(memoryLedger(), [planOf("keep"), works]).orchestrator.start("t", "", { budget: { calls: 4 } });
    const events = await Array.fromAsync(run.events);
    expect(events.filter(({ type }) => type === "budget.low")).toMatchObject([{ spent: { calls: 4 }, budget: { calls: 4 } }]);
  });

  test("of seconds leaves out what still waits for a provider when they are over, and has the answer written all the same", async () => {
    const clock = virtualClock();
    // For longer than the run has, and for less than its answer may wait.
    const shut = { text: "", fault: { kind: "status", status: 429, headers: { "retry-after": "100" } } } as const;
    const slow = { when: "one subtask", reply: ({ prompt }: DoubleCall) => (prompt.includes("Do c.") ? shut : { text: "Done." }) };
    const model = scriptedModel([planOf("merge"), merged, slow], { clock });
    const run = new FlexibleOrchestrator({ model, concurrency: 1 }, { runtime: testRuntime({ clock }) }).start("t", "", { budget: { seconds: 30 } });
    await clock.runUntilIdle();
    expect(await run.outcome).toMatchObject({
      status: "partial",
      error: { code: "budget_exhausted" },
      coverage: { done: 2, skipped: 1, answer: "merge" },
    });
    const events = await Array.fromAsync(run.events);
    const startedAt = events.find(({ type }) => type === "run.started")?.at ?? 0;
    expect(events.flatMap(({ type, at }) => (type === "subtask.skipped" ? [at - startedAt] : []))).toEqual([30_000]);
  });

  test("bounds a plan alone, and a worker alone, too", async () => {
    const { orchestrator } = life(memoryLedger(), [planOf("keep"), works], { budget: { tokens: 100 } });
    await expect(orchestrator.plan("t")).rejects.toMatchObject({ code: "budget_exhausted" });
    expect(await orchestrator.executeWorker("t", { description: "Do a." })).toMatchObject({ status: "failed", error: { code: "budget_exhausted" } });
    expect(await orchestrator.plan("t", "", { budget: { tokens: 100_000 } })).toMatchObject({ plan: { kind: "subtasks" } });
  });
});

describe("a budget in dollars", () => {
  const model = scriptedModel([planOf("keep"), works]);
  const unpriced = { model: scriptedModel([]), id: "unpriced" };
  const handed = parsePlan(planOf("keep").reply);
  const priced = (output: number): OrchestratorOptions => {
    const role = { model, price: { input: 0, output }, maxOutputTokens: 1_000 };
    return { orchestrator: role, worker: role, synthesizer: role };
  };

  test("is refused where a price is not known, naming the model and what to do, before anything is asked", async () => {
    const other = scriptedModel([], { id: "nobody-knows" });
    const orchestrator = new FlexibleOrchestrator({ ...priced(1), workers: { story: other }, budget: { usd: 1 } });
    const outcome = await orchestrator.orchestrate("t");
    expect(outcome).toMatchObject({
      status: "failed",
      calls: 0,
      error: { code: "unknown_price", message: expect.stringContaining("scripted:nobody-knows"), hint: expect.stringContaining("price") },
    });
    expect(model.calls).toEqual([]);
  });

  test.each<[string, OrchestratorOptions, (orchestrator: FlexibleOrchestrator) => Promise<unknown>]>([
    ["a plan alone", { worker: unpriced, synthesizer: unpriced }, (orchestrator) => orchestrator.plan("t")],
    [
      "a worker alone",
      { orchestrator: unpriced, synthesizer: unpriced, workers: { other: unpriced } },
      (one) => one.executeWorker("t", { description: "Do a." }),
    ],
    ["results that stand side by side", { synthesizer: unpriced, synthesis: "keep" }, (orchestrator) => orchestrator.orchestrate("t")],
    [
      "a plan that is handed in",
      { orchestrator: unpriced, synthesizer: unpriced, workers: { other: unpriced } },
      (one) => one.orchestrate("t", "", { plan: handed }),
    ],
  ])("asks for no price of models that %s never asks", async (_, change, act) => {
    const orchestrator = new FlexibleOrchestrator({ ...priced(1), ...change, budget: { usd: 1 } });
    expect(await act(orchestrator)).not.toHaveProperty("error");
  });

  test("wants the price of who judges, be it a model's work, a function's or the answer", async () => {
    const evaluate = { criteria: "It is good.", threshold: 0.5, model: unpriced };
    const run = async (): Promise<string> => "made";
    const judging: readonly OrchestratorOptions[] = [
      { worker: { model, price: { input: 0, output: 1 }, evaluate } },
      { workers: { made: { run, evaluate } } },
      { synthesizer: { model, price: { input: 0, output: 1 }, evaluate } },
    ];
    for (const change of judging) {
      const judged = new FlexibleOrchestrator({ ...priced(1), ...change, budget: { usd: 1 } });
      const type = change.workers === undefined ? "default" : "made";
      const { kind: _, ...handed } = { ...parsePlan(planOf("merge").reply) };
      const ofType = "subtasks" in handed ? { ...handed, subtasks: handed.subtasks.map((subtask) => ({ ...subtask, type })) } : undefined;
      for (const options of [{}, { ...(ofType && { plan: ofType }) }]) {
        expect(await judged.orchestrate("t", "", options)).toMatchObject({
          calls: 0,
          error: { code: "unknown_price", message: expect.stringContaining("unpriced") },
        });
      }
      if (change.synthesizer !== undefined) continue;
      await expect(judged.executeWorker("t", { description: "Do a.", type })).rejects.toMatchObject({ code: "unknown_price" });
    }
  });

  test("wants the price of all where a plan that stands may be edited or sent back, and no more once it is approved", async () => {
    const ledger = memoryLedger();
    const plan = parsePlan(planOf("keep").reply);
    const options = { ...priced(1), orchestrator: unpriced, synthesis: "keep", ledger } as const;
    const asking = new FlexibleOrchestrator({ ...options, approvePlan: async () => ({ feedback: "Another one." }) });
    const outcome = await asking.orchestrate("t", "", { plan, budget: { usd: 1 } });
    expect(outcome).toMatchObject({ calls: 0, error: { code: "unknown_price" } });
    const waits = new FlexibleOrchestrator({ ...options, approvePlan: async () => await Promise.reject(new Error("gone")) });
    const { runId } = await waits.orchestrate("t", "", { plan });
    await expect(asking.resume(runId, { budget: { usd: 1 } })).rejects.toMatchObject({ code: "unknown_price" });
    const accepts = new FlexibleOrchestrator({ ...options, approvePlan: async (asked) => asked });
    const stop = new AbortController();
    const run = await accepts.resume(runId, { signal: stop.signal });
    for await (const { type } of run.events) if (type === "approval.given") stop.abort();
    await run.outcome;
    expect(await (await asking.resume(runId, { budget: { usd: 1 } })).outcome).toMatchObject({ status: "ok" });
  });

  test("wants the price of all that may be asked all the same", async () => {
    const merging = parsePlan(planOf("merge").reply);
    const orchestrator = new FlexibleOrchestrator({ ...priced(1), synthesizer: unpriced, budget: { usd: 1 } });
    for (const options of [{}, { plan: merging }]) {
      expect(await orchestrator.orchestrate("t", "", options)).toMatchObject({ calls: 0, error: { code: "unknown_price" } });
    }
    const kind = new FlexibleOrchestrator({ ...priced(1), workers: { other: unpriced }, budget: { usd: 1 } });
    await expect(kind.executeWorker("t", { description: "Do a.", type: "Other" })).rejects.toMatchObject({ code: "unknown_price" });
  });

  test("holds: what was reserved of it, and what was used, stay within", async () => {
    // A plan or a worker may take 0.1 dollars each, and takes about a tenth of that.
    const run = new FlexibleOrchestrator(priced(100)).start("t", "", { budget: { usd: 0.35 } });
    const outcome = await run.outcome;
    expect(outcome.cost).toBeGreaterThan(0);
    expect(outcome.cost).toBeLessThanOrEqual(0.35);
    let [taken, most] = [0, 0];
    for await (const event of run.events) {
      if (event.type === "attempt.started") taken += 0.1;
      if (event.type === "attempt.settled") taken += (event.cost ?? Number.NaN) - 0.1;
      most = Math.max(most, taken);
    }
    expect(most).toBeGreaterThan(0.1);
    expect(most).toBeLessThanOrEqual(0.35);
    expect(outcome).toMatchObject({ status: "ok" });
  });

  test("holds where a provider's cache takes all input on, and more for it than for other input", async () => {
    const costing = async (usd: number): Promise<Outcome> => {
      const caching = scriptedModel(({ messages, system }) => {
        const inputTokens = estimateInput({ messages: messages.map(({ text }) => ({ role: "system", content: text })) });
        const text = system.includes("You are the orchestrator") ? planOf("merge").reply : "Done.";
        return { text, usage: { inputTokens, cacheWriteTokens: inputTokens, outputTokens: 10 } };
      });
      const role = { model: caching, price: { input: 100, output: 0, cacheWrite: 1_000 }, maxOutputTokens: 1_000 };
      return await new FlexibleOrchestrator({ orchestrator: role, worker: role, synthesizer: role, budget: { usd } }).orchestrate("t");
    };
    const whole = (await costing(1_000)).cost ?? 0;
    for (const share of [0.4, 0.6, 0.8, 0.95]) {
      const outcome = await costing(whole * share);
      expect(outcome.cost).toBeLessThanOrEqual(whole * share);
      expect(outcome.coverage.notices).toEqual([]);
    }
  });

  test("of the terminal's holds where prices are known; else so many tokens do", async () => {
    const budgetOf = async (options: OrchestratorOptions): Promise<unknown> => {
      const run = new FlexibleOrchestrator(options, { allowance: { usd: 5, tokens: 500_000 } }).start("t");
      const events = await Array.fromAsync(run.events);
      return events.flatMap((event) => (event.type === "run.started" ? [event.budget] : []))[0];
    };
    expect(await budgetOf(priced(1))).toEqual({ usd: 5 });
    expect(await budgetOf({ ...priced(1), synthesizer: { model: scriptedModel([]), id: "other" } })).toEqual({ tokens: 500_000 });
    expect(await budgetOf({ ...priced(1), budget: { calls: 9 } })).toEqual({ calls: 9 });
    // Who joins is not asked where nothing is joined.
    expect(await budgetOf({ ...priced(1), synthesizer: unpriced, synthesis: "keep" })).toEqual({ usd: 5 });
    // What costs nothing needs no bound.
    expect(await budgetOf(priced(0))).toBeUndefined();
  });
});

test.each([
  [{}, "bounds nothing"],
  [{ usd: 0 }, "must be a number over 0"],
  [{ calls: 0.5 }, "must be a whole number from 1"],
  [{ usdd: 1 }, 'Did you mean "usd"?'],
])("a budget of %j is refused at once", (budget, why) => {
  // @ts-expect-error One of them has a typo.
  expect(() => new FlexibleOrchestrator({ budget })).toThrow(why);
});
