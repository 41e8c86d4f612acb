import { describe, expect, test } from "vitest";
import { dying, life } from "../../test/lives.ts";
import { comparedTexts, verdictBy } from "../../test/preferring.ts";
import type { DoubleCall } from "../testing/index.ts";
import { DivvyError, type Fact, type Ledger, memoryLedger, type OrchestratorOptions, type Outcome } from "../index.ts";

const xmlPlan = (combine: string, tasks: string): string => `<analysis>Parts.</analysis>\n<tasks combine="${combine}">\n${tasks}\n</tasks>`;
const task = (id: string, description: string, after = ""): string =>
  `<task id="${id}"${after && ` after="${after}"`}><type>t</type><description>${description}</description></task>`;
const planOf = (combine: string, ...tasks: string[]) => ({ when: "You are the orchestrator", reply: xmlPlan(combine, tasks.join("\n")) }) as const;
const refused = (when: string) => ({ when, reply: { fault: { kind: "status", status: 400, body: "no" } } }) as const;

const facts = async <T extends Fact["type"]>(ledger: Ledger, runId: string, type: T): Promise<Extract<Fact, { type: T }>[]> =>
  (await ledger.readFacts(runId)).filter((fact): fact is Extract<Fact, { type: T }> => fact.type === type);

const textOf = ({ results }: Outcome, wanted: string): string | undefined =>
  results.flatMap((result) => (result.status === "done" && result.id === wanted ? [result.result] : []))[0];

test("a run that was stopped before it began is kept nowhere: there is nothing to go on with", async () => {
  const ledger = memoryLedger();
  const { orchestrator } = life(ledger);
  const run = orchestrator.start("t", "", { signal: AbortSignal.abort() });
  expect(await run.outcome).toMatchObject({ status: "aborted", coverage: { notices: [] } });
  expect([await ledger.readRun(run.runId), await ledger.readFacts(run.runId)]).toEqual([undefined, []]);
  await expect(orchestrator.resume(run.runId)).rejects.toMatchObject({ code: "run_not_found" });
});

test("a ledger that is busy for a moment keeps no run from being resumed or rerun", async () => {
  const kept = memoryLedger();
  const { runId, outcome } = life(kept).orchestrator.start("t");
  await outcome;
  const once = new Set<string>();
  const busyOnce = async (name: string): Promise<void> => {
    if (once.has(name)) return;
    once.add(name);
    throw new DivvyError("ledger_busy", "Busy.");
  };
  const ledger: Ledger = {
    ...kept,
    readRun: async (id) => await busyOnce("run").then(() => kept.readRun(id)),
    readFacts: async (id) => await busyOnce("facts").then(() => kept.readFacts(id)),
  };
  const { orchestrator } = life(ledger);
  expect(await (await orchestrator.resume(runId)).outcome).toEqual(await outcome);
  once.clear();
  expect(await (await orchestrator.rerun(runId, { subtask: "story" })).outcome).toMatchObject({ status: "ok" });
});

describe("a run that goes on", () => {
  test("says what it has to say once, over all its lives", async () => {
    const ledger = memoryLedger();
    const rules = [planOf("keep", task("a", "List a.", "b"), task("b", "List b.", "a"), task("c", "Tell c."))];
    const { runId, outcome } = life(ledger, rules).orchestrator.start("t");
    await outcome;
    const after = await (await life(ledger, rules).orchestrator.resume(runId)).outcome;
    expect(after).toMatchObject({ status: "partial", coverage: { notices: [{ code: "dependency_cycle" }] } });
    expect(await facts(ledger, runId, "run.noticed")).toHaveLength(1);
  });

  test("and is stopped at once still tells of all that is planned and done", async () => {
    // Its first subtasks are done before its last is written.
    const tasks = [task("a", "List a."), task("b", "Tell b."), task("c", "Write c.", "a")];
    const slowly = { when: "You are the orchestrator", reply: { text: xmlPlan("merge", tasks.join("\n")), chunkSize: 60, chunkMs: 2 } };
    for (let commits = 2; commits < 60; commits++) {
      const ledger = memoryLedger();
      const mortal = dying(ledger, commits);
      const run = life(mortal, [slowly]).orchestrator.start("t");
      const died = await Promise.race([mortal.dead.then(() => true), run.outcome.then(() => false)]);
      if (!died) return expect(commits).toBeGreaterThan(5);
      const planned = await facts(ledger, run.runId, "subtask.planned");
      const done = await facts(ledger, run.runId, "subtask.finished");
      const stopped = await life(ledger).orchestrator.resume(run.runId);
      stopped.abort();
      const outcome = await stopped.outcome;
      if (outcome.status === "ok") continue;
      expect(outcome.status).toBe("aborted");
      expect(outcome.results.map(({ id }) => id)).toEqual(planned.map(({ subtask }) => subtask.id));
      for (const { subtaskId, result } of done) expect(textOf(outcome, subtaskId)).toBe(result);
    }
    throw new Error("No run came to its end.");
  });

  test("compares no two results again whose comparison it has, and asks anew only where there was no verdict", async () => {
    const ledger = memoryLedger();
    const plan = planOf("choose", task("a", "List a."), task("b", "Tell b."), task("c", "Write c."));
    const textIn = (call: DoubleCall): string => comparedTexts(call).join();
    const halfWay = {
      when: "You compare",
      reply: (call: DoubleCall) => (/Write/.test(textIn(call)) ? "Hm." : verdictBy(call, (text) => Number(/Tell/.test(text)))),
    };
    const { runId, outcome } = life(ledger, [plan, halfWay], { id: "m" }).orchestrator.start("t");
    expect(await outcome).toMatchObject({ status: "partial", coverage: { answer: "keep" }, calls: 4 + 2 + 4 });
    const well = { when: "You compare", reply: (call: DoubleCall) => verdictBy(call, (text) => Number(/Write/.test(text))) };
    const { orchestrator, model } = life(ledger, [well], { id: "m" });
    const after = await (await orchestrator.resume(runId)).outcome;
    expect(after).toMatchObject({ status: "ok", text: textOf(after, "c") });
    expect(model.calls.map(textIn).every((texts) => /Write/.test(texts))).toBe(true);
    expect(model.calls).toHaveLength(2);
  });

  test("has another choice made where the recorded one was of no result", async () => {
    const ledger = memoryLedger();
    const plan = planOf("choose", task("a", "List a."), task("b", "Tell b."));
    const options = { synthesizer: { prompt: "Which of these? {results}" }, id: "m" };
    const badly = { when: "Which of these?", reply: "<choice>neither</choice>" };
    const { runId, outcome } = life(ledger, [plan, badly], options).orchestrator.start("t");
    expect(await outcome).toMatchObject({ status: "partial" });
    const well = { when: "Which of these?", reply: "<choice>b</choice>" };
    const { orchestrator, model } = life(ledger, [well], options);
    const after = await (await orchestrator.resume(runId)).outcome;
    expect(after).toMatchObject({ status: "ok", text: textOf(after, "b") });
    expect(model.calls).toHaveLength(1);
  });

  test.each([
    { before: { shared: "all" }, now: "run" },
    { before: { shared: "all" }, now: { shared: "other" } },
    { before: "run", now: { shared: "all" } },
  ] as const)("finds what it paid for where it recorded it, whatever cache is named now: $before, then $now", async ({ before, now }) => {
    for (let commits = 1; commits < 60; commits++) {
      const kept = memoryLedger();
      const paid: string[] = [];
      const ledger: Ledger = {
        ...kept,
        commit: (batch) => {
          paid.push(...batch.calls.map(({ key }) => key));
          return kept.commit(batch);
        },
      };
      const mortal = dying(ledger, commits);
      const run = life(mortal, [], { cache: before, id: "m" }).orchestrator.start("t");
      const died = await Promise.race([mortal.dead.then(() => true), run.outcome.then(() => false)]);
      if (!died) return expect(commits).toBeGreaterThan(5);
      const outcome = await (await life(ledger, [], { cache: now, id: "m" }).orchestrator.resume(run.runId)).outcome;
      expect(outcome.status).toBe("ok");
      expect(new Set(paid).size, `killed at commit ${commits}, paid for ${paid.length} calls`).toBe(paid.length);
    }
    throw new Error("No run came to its end.");
  });

  test("in a shared cache needs a name for a model instance, as when it began", async () => {
    const ledger = memoryLedger();
    const first = life(ledger, [refused("Tell the story.")], { cache: { shared: "all" }, id: "m" }).orchestrator.start("t");
    expect(await first.outcome).toMatchObject({ status: "partial" });
    await expect(life(ledger).orchestrator.resume(first.runId)).rejects.toMatchObject({ code: "invalid_option" });
    expect(await (await life(ledger, [], { id: "m" }).orchestrator.resume(first.runId)).outcome).toMatchObject({ status: "ok" });
  });

  test("carries a plan that was handed in out whole, whatever the limit of subtasks", async () => {
    const ledger = memoryLedger();
    const plan = { subtasks: ["List a.", "Tell b.", "Write c."].map((description) => ({ description })) };
    const options = { limits: { subtasks: 1, workers: 3 } };
    const { runId, outcome } = life(ledger, [refused("Tell b.")], options).orchestrator.start("t", "", { plan });
    expect(await outcome).toMatchObject({ status: "partial", coverage: { planned: 3, done: 2 } });
    const after = await (await life(ledger, [], options).orchestrator.resume(runId)).outcome;
    expect(after).toMatchObject({ status: "ok", coverage: { planned: 3, done: 3, dropped: 0 } });
  });
});

describe("an attempt of which nothing is known after a crash", () => {
  test("is booked once, as all that was reserved for it, at the price of its own kind of worker", async () => {
    const price = { input: 100_000, output: 200_000 };
    const ofKind = { input: 500_000, output: 1_000_000 };
    const options = (model: OrchestratorOptions["model"]): OrchestratorOptions => {
      const role = { ...(model !== undefined && { model }), id: "m", price };
      return { orchestrator: role, worker: role, synthesizer: role, workers: { t: { price: ofKind, maxOutputTokens: 50 } } };
    };
    const met = new Set<string>();
    for (let commits = 1; commits < 60; commits++) {
      const ledger = memoryLedger();
      const mortal = dying(ledger, commits);
      const rules = [planOf("merge", task("a", "List a."), task("b", "Tell b."))];
      const run = life(mortal, rules, options(life(mortal, rules).model)).orchestrator.start("t");
      const died = await Promise.race([mortal.dead.then(() => true), run.outcome.then(() => false)]);
      if (!died) break;
      const settled = new Set((await facts(ledger, run.runId, "attempt.settled")).map((fact) => `${fact.role} ${fact.subtaskId} ${fact.attempt}`));
      const open = (await facts(ledger, run.runId, "attempt.started")).filter((fact) => !settled.has(`${fact.role} ${fact.subtaskId} ${fact.attempt}`));
      if (open.length === 0) continue;
      const before = (await ledger.readFacts(run.runId)).length;
      const { usage } = await (await life(ledger, rules, options(life(ledger, rules).model)).orchestrator.resume(run.runId)).outcome;
      const booked = (await ledger.readFacts(run.runId)).slice(before, before + 1 + open.length).filter((fact) => fact.type === "attempt.settled");
      expect(booked.map(({ role, subtaskId }) => [role, subtaskId])).toEqual(open.map(({ role, subtaskId }) => [role, subtaskId]));
      for (const [index, { role, reserved }] of open.entries()) {
        const { inputTokens, outputTokens } = reserved;
        const [input, output] = role === "worker" ? [0.5, 1] : [0.1, 0.2];
        expect(booked[index]?.usage).toMatchObject({ inputTokens, outputTokens, presumedTokens: inputTokens + outputTokens });
        expect(booked[index]?.cost).toBeCloseTo(inputTokens * input + outputTokens * output);
        met.add(role);
      }
      expect(usage.presumedTokens).toBe(open.reduce((sum, { reserved }) => sum + reserved.inputTokens + reserved.outputTokens, 0));
    }
    expect([...met].sort()).toEqual(["orchestrator", "synthesizer", "worker"]);
  });
});

test("the clock of a run that ran out of time starts anew when it is resumed", async () => {
  const ledger = memoryLedger();
  const slow = [planOf("keep", task("a", "List a."), task("b", "Tell b.")), { when: "Tell b.", reply: { text: "late", firstMs: 60_000 } }];
  const options = { timeout: { runMs: 300 } };
  const { runId, outcome } = life(ledger, slow, options).orchestrator.start("t");
  expect(await outcome).toMatchObject({ status: "partial", error: { code: "run_timeout" } });
  expect(await (await life(ledger, [], options).orchestrator.resume(runId)).outcome).toMatchObject({ status: "ok" });
});

test("a plan that a crash cut off is completed, even where no plan that breaks off by itself would be", async () => {
  const tasks = [task("a", "List a."), task("b", "Tell b."), task("c", "Write c.")];
  const slowly = { when: "You are the orchestrator", reply: { text: xmlPlan("keep", tasks.join("\n")), chunkSize: 40, chunkMs: 2 } };
  let cut = 0;
  for (let commits = 2; commits < 60; commits++) {
    const ledger = memoryLedger();
    const mortal = dying(ledger, commits);
    const options = { limits: { planCompletions: 0 } };
    const run = life(mortal, [slowly], options).orchestrator.start("t");
    const died = await Promise.race([mortal.dead.then(() => true), run.outcome.then(() => false)]);
    if (!died) break;
    const planned = (await facts(ledger, run.runId, "subtask.planned")).length;
    if (planned === 0 || (await facts(ledger, run.runId, "plan.finished")).length > 0) continue;
    cut++;
    const rest = { when: "Your plan broke off.", reply: `<tasks combine="keep">${tasks.slice(planned).join("")}</tasks>` };
    const after = await (await life(ledger, [rest], options).orchestrator.resume(run.runId)).outcome;
    expect(after).toMatchObject({ status: "ok", coverage: { planned: 3, done: 3 } });
  }
  expect(cut).toBeGreaterThan(0);
});

describe("a subtask that is done anew", () => {
  test("is another try than each of its copies", async () => {
    const ledger = memoryLedger();
    const { runId, outcome } = life(ledger, [planOf("keep", task("a", "List it."), task("b", "List it."))]).orchestrator.start("t");
    await outcome;
    const again = await life(ledger).orchestrator.rerun(runId, { subtask: "a" });
    await again.outcome;
    const [anew, copy] = (await facts(ledger, again.runId, "subtask.planned")).map(({ sample }) => sample);
    expect(copy).toBe(1);
    expect(anew).toBeGreaterThan(1);
    expect(anew).toBeLessThan(2 ** 48);
  });

  test("stays another try after a crash: a shared cache does not answer it with the old one", async () => {
    for (let commits = 1; commits < 60; commits++) {
      const ledger = memoryLedger();
      const options = { cache: { shared: "all" } };
      const first = life(ledger, [], { ...options, id: "m" }).orchestrator.start("t");
      const before = await first.outcome;
      const mortal = dying(ledger, commits);
      const { runId, outcome } = await life(mortal, [], { ...options, id: "m" }).orchestrator.rerun(first.runId, { subtask: "story" });
      const died = await Promise.race([mortal.dead.then(() => true), outcome.then(() => false)]);
      if (!died) return expect(commits).toBeGreaterThan(3);
      const after = await (await life(ledger, [], { ...options, id: "m" }).orchestrator.resume(runId)).outcome;
      expect(after).toMatchObject({ status: "ok" });
      expect(textOf(after, "story"), `killed at commit ${commits}`).not.toBe(textOf(before, "story"));
      expect(textOf(after, "facts")).toBe(textOf(before, "facts"));
    }
    throw new Error("No run came to its end.");
  });
});
