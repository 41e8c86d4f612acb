import { describe, expect, test } from "vitest";
import { embeddingModel } from "../../../test/embedding-fixture.ts";
import { FlexibleOrchestrator } from "../../flexible-orchestrator.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { memoryLedger } from "../../ledger/memory-ledger.ts";
import type { OrchestratorOptions, PlanCache } from "../../options.ts";
import { DivvyError } from "../../errors.ts";
import type { Fact, RunEvent } from "../../events.ts";
import type { PlanHit } from "../../plan-hit.ts";
import { reduce } from "../../reduce.ts";
import { initialRunState } from "../../run-state.ts";
import { scriptedModel, type ScriptedModel } from "../../testing/scripted-model.ts";
import type { ReplyOptions } from "../../testing/script.ts";
import type { Run } from "../run-handle.ts";
import { cosine } from "./plan-lookup.ts";

const plan = (about: string): string =>
  `<analysis>Two.</analysis><tasks combine="keep"><task id="a"><description>First of ${about}.</description></task><task id="b" after="a"><description>Second of ${about}.</description></task></tasks>`;

interface Scene {
  readonly orchestrator: FlexibleOrchestrator;
  readonly model: ScriptedModel;
  readonly ledger: Ledger;
}

function sceneOf(
  planCache: Partial<PlanCache> = {},
  { ledger = memoryLedger(), reply, ...more }: Partial<OrchestratorOptions> & { readonly reply?: (prompt: string) => ReplyOptions | string | undefined } = {},
): Scene {
  const model = scriptedModel(
    ({ system, prompt }) => reply?.(prompt) ?? (system.includes("You are the orchestrator") ? plan(/(Lisbon|Porto|sheep)/.exec(prompt)?.[1] ?? "?") : "Done."),
    { vary: false },
  );
  const orchestrator = new FlexibleOrchestrator({
    model,
    ledger,
    retry: { attempts: 1 },
    planCache: { embed: embeddingModel(), threshold: 0.7, ...planCache },
    ...more,
  });
  return { orchestrator, model, ledger };
}

async function eventsOf(run: Run): Promise<readonly RunEvent[]> {
  return await Array.fromAsync(run.events);
}

async function factsOf<T extends Fact["type"]>(run: Run, type: T): Promise<readonly (Fact & { type: T })[]> {
  return (await eventsOf(run)).filter((event): event is Fact & { type: T } => event.type === type);
}

const plansAskedFor = ({ model }: Scene): number => model.calls.filter(({ system }) => system.includes("You are the orchestrator")).length;

describe("the plan of a run whose request was like the new one", () => {
  test("is carried out as if it had been handed in, without asking the orchestrator, and said with the task that it comes from", async () => {
    const scene = sceneOf();
    const first = scene.orchestrator.start("Write a guide to Lisbon");
    expect((await first.outcome).status).toBe("ok");
    expect(plansAskedFor(scene)).toBe(1);

    const second = scene.orchestrator.start("Write a guide to Porto");
    expect(await second.outcome).toMatchObject({ status: "ok", calls: 3, results: [{ id: "a", description: "First of Lisbon." }, { id: "b" }] });
    expect(plansAskedFor(scene)).toBe(1);
    expect(await factsOf(second, "plan.looked_up")).toMatchObject([{ model: "double:words", plans: 1, similarity: 0.8 }]);
    expect(await factsOf(second, "plan.reused")).toMatchObject([{ task: "Write a guide to Lisbon", similarity: 0.8, fromRunId: first.runId }]);
    expect(await factsOf(second, "plan.started")).toMatchObject([{ given: true, plan: { subtasks: [{ id: "a" }, { id: "b", dependsOn: ["a"] }] } }]);
    const state = (await eventsOf(second)).reduce(reduce, initialRunState);
    expect(state.plan).toMatchObject({ given: true, reused: { fromRunId: first.runId, task: "Write a guide to Lisbon", similarity: 0.8 } });
  });

  test("is found in the words of the context too", async () => {
    const embed = embeddingModel();
    const scene = sceneOf({ embed, threshold: 0.99 });
    await scene.orchestrator.orchestrate("Write it", { city: "Lisbon" });
    await scene.orchestrator.orchestrate("Write it", { city: "Porto" });
    await scene.orchestrator.orchestrate("Write it", { city: "Lisbon" });
    expect(plansAskedFor(scene)).toBe(2);
    expect(embed.texts[0]).toBe('Write it\n\n{"city":"Lisbon"}');
  });

  test("is the nearest of several", async () => {
    const scene = sceneOf({ threshold: 0.9 });
    for (const task of ["Write a short guide to Lisbon", "Write a short guide to old Porto"]) await scene.orchestrator.orchestrate(task);
    const run = scene.orchestrator.start("Write one short guide to old Porto");
    expect(await factsOf(run, "plan.reused")).toEqual([]);
    const nearest = sceneOf({ threshold: 0.5 }, { ledger: scene.ledger });
    const again = nearest.orchestrator.start("Write one short guide to old Porto");
    expect(await factsOf(again, "plan.reused")).toMatchObject([{ task: "Write one short guide to old Porto", similarity: 1 }]);
  });

  test("is carried out as it was found, whatever `accept` does to what it is shown", async () => {
    const scene = sceneOf({ accept: ({ plan: told }) => Object.assign(told, { subtasks: [] }) !== undefined });
    await scene.orchestrator.orchestrate("Write a guide to Lisbon");
    expect(await scene.orchestrator.orchestrate("Write a guide to Porto")).toMatchObject({ status: "ok", coverage: { done: 2 } });
    expect(plansAskedFor(scene)).toBe(1);
  });

  test("is not kept anew for the request that took it over: what is like that one need not be like the first", async () => {
    const scene = sceneOf();
    for (const task of ["Write a guide to Lisbon", "Write a guide to Porto"]) await scene.orchestrator.orchestrate(task);
    const run = scene.orchestrator.start("Write a guide to Porto");
    expect(await factsOf(run, "plan.looked_up")).toMatchObject([{ plans: 1, similarity: 0.8 }]);
  });

  test("is not taken where the request is too little like it: the new one is kept as well", async () => {
    const scene = sceneOf({ threshold: 0.81 });
    for (const task of ["Write a guide to Lisbon", "Write a guide to Porto"]) await scene.orchestrator.orchestrate(task);
    expect(plansAskedFor(scene)).toBe(2);
    const run = scene.orchestrator.start("Write a guide to Porto");
    expect(await factsOf(run, "plan.reused")).toMatchObject([{ similarity: 1, task: "Write a guide to Porto" }]);
  });
});

describe("a plan is not taken", () => {
  const askedAgain = async (scene: Scene): Promise<boolean> => {
    await scene.orchestrator.orchestrate("Write a guide to Lisbon");
    const before = plansAskedFor(scene);
    await scene.orchestrator.orchestrate("Write a guide to Lisbon");
    return plansAskedFor(scene) > before;
  };

  test("where `accept` says no: it is told the task, the context, the run and the plan", async () => {
    const hits: PlanHit[] = [];
    const scene = sceneOf({
      accept: async (hit) => {
        hits.push(hit);
        return false;
      },
    });
    expect(await askedAgain(scene)).toBe(true);
    expect(hits).toMatchObject([{ task: "Write a guide to Lisbon", context: "", similarity: 1, plan: { kind: "subtasks", combine: "keep" } }]);
  });

  test("where `accept` throws: that is noticed, and the run goes on", async () => {
    const scene = sceneOf({
      accept: () => {
        throw new Error("nobody there");
      },
    });
    expect(await askedAgain(scene)).toBe(true);
    const outcome = await scene.orchestrator.orchestrate("Write a guide to Lisbon");
    expect(outcome).toMatchObject({ status: "ok", coverage: { notices: [{ code: "plan_cache_failed" }] } });
    expect(outcome.coverage.notices[0]?.message).toContain("nobody there");
  });

  test("where the run refuses it, which keeps nothing either", async () => {
    const scene = sceneOf();
    await scene.orchestrator.orchestrate("Write a guide to Lisbon", "", { planCache: false });
    const run = scene.orchestrator.start("Write a guide to Lisbon");
    expect(await factsOf(run, "plan.looked_up")).toMatchObject([{ plans: 0 }]);
    const refused = scene.orchestrator.start("Write a guide to Lisbon", "", { planCache: false });
    expect(await factsOf(refused, "plan.looked_up")).toEqual([]);
    expect(plansAskedFor(scene)).toBe(3);
  });

  test("where a plan was handed in", async () => {
    const scene = sceneOf();
    await scene.orchestrator.orchestrate("Write a guide to Lisbon");
    const run = scene.orchestrator.start("Write a guide to Lisbon", "", { plan: { subtasks: [{ description: "One." }] } });
    expect(await run.outcome).toMatchObject({ results: [{ description: "One." }] });
    expect(await factsOf(run, "plan.looked_up")).toEqual([]);
  });

  test.each<[string, Partial<OrchestratorOptions>]>([
    ["another limit", { limits: { subtasks: 3 } }],
    ["other kinds of workers", { workers: { code: { description: "For code." } } }],
    ["another prompt", { orchestrator: { prompt: "You are the orchestrator. Divide {task}." } }],
    ["another format", { planFormat: "json" }],
    ["no answer of its own", { direct: "never" }],
    ["another way to combine", { synthesis: "keep" }],
    ["another embedding model", { planCache: { embed: embeddingModel(undefined, "others"), threshold: 0.5 } }],
  ])("where it was asked for otherwise: %s", async (_, options) => {
    const scene = sceneOf();
    await scene.orchestrator.orchestrate("Write a guide to Lisbon");
    const other = sceneOf({}, { ledger: scene.ledger, ...options });
    const run = other.orchestrator.start("Write a guide to Lisbon");
    expect(await factsOf(run, "plan.looked_up")).toMatchObject([{ plans: 0 }]);
  });

  test("where its run did not end well, or was answered without one", async () => {
    const failing = sceneOf({}, { reply: (prompt) => (prompt.includes("Second of") ? { fault: { kind: "status", status: 400 } } : undefined) });
    expect((await failing.orchestrator.orchestrate("Write a guide to Lisbon")).status).toBe("partial");
    const direct = sceneOf({}, { ledger: failing.ledger, reply: () => "<answer>At once.</answer>" });
    await direct.orchestrator.orchestrate("Write a guide to Lisbon");
    const scene = sceneOf({}, { ledger: failing.ledger });
    const run = scene.orchestrator.start("Write a guide to Lisbon");
    expect(await factsOf(run, "plan.looked_up")).toMatchObject([{ plans: 0 }]);
  });

  test("where further rounds made it larger than a run may be now", async () => {
    const more = '<tasks><task id="c"><description>Third of Lisbon.</description></task></tasks>';
    const scene = sceneOf(
      {},
      { limits: { subtasks: 2, rounds: 2 }, reply: (prompt) => (prompt.includes("Your plan has been carried out") ? more : undefined) },
    );
    expect(await scene.orchestrator.orchestrate("Write a guide to Lisbon")).toMatchObject({ status: "ok", coverage: { done: 3 } });
    const larger = sceneOf({}, { ledger: scene.ledger, limits: { subtasks: 2, workers: 3 } });
    expect(await larger.orchestrator.orchestrate("Write a guide to Lisbon")).toMatchObject({ coverage: { done: 3 } });
    const smaller = sceneOf({}, { ledger: scene.ledger, limits: { subtasks: 2, workers: 2 } });
    expect(await smaller.orchestrator.orchestrate("Write a guide to Lisbon")).toMatchObject({ status: "ok", coverage: { done: 2 } });
    expect(plansAskedFor(smaller)).toBe(1);
  });

  test("where its run was removed", async () => {
    const scene = sceneOf();
    const first = scene.orchestrator.start("Write a guide to Lisbon");
    await first.outcome;
    expect(await scene.ledger.removeRun(first.runId, (await scene.ledger.readLease(first.runId))?.epoch ?? 0)).toBe(true);
    const run = scene.orchestrator.start("Write a guide to Lisbon");
    expect(await factsOf(run, "plan.looked_up")).toMatchObject([{ plans: 0 }]);
  });

  test("where its run has no end in the log: its process died when it had just been kept", async () => {
    const scene = sceneOf();
    const first = scene.orchestrator.start("Write a guide to Lisbon");
    await first.outcome;
    const { ledger } = scene;
    const cut: Ledger = { ...ledger, readFacts: async (runId) => (await ledger.readFacts(runId)).filter(({ type }) => type !== "run.finished") };
    const other = sceneOf({}, { ledger: cut });
    const run = other.orchestrator.start("Write a guide to Lisbon");
    expect(await factsOf(run, "plan.reused")).toEqual([]);
    expect((await run.outcome).status).toBe("ok");
  });
});

describe("what fails while a plan is looked for never fails the run", () => {
  const broken = async (): Promise<never> => {
    throw new DivvyError("ledger_failed", "The disk is gone.");
  };

  test.each<[string, Partial<PlanCache>, (ledger: Ledger) => Partial<Ledger>, string]>([
    ["the embedding", { embed: embeddingModel(() => Promise.reject(new Error("no vectors today"))) }, () => ({}), "no vectors today"],
    ["a model that is not there", { embed: "openai-compatible:vectors" }, () => ({}), "OPENAI_COMPATIBLE_BASE_URL"],
    ["the ledger's list", {}, () => ({ readPlans: broken }), "The disk is gone."],
    ["the ledger's keeping", {}, () => ({ keepPlan: broken }), "The disk is gone."],
  ])("%s", async (_, cache, breaks, why) => {
    const ledger = memoryLedger();
    const scene = sceneOf(cache, { ledger: { ...ledger, ...breaks(ledger) } });
    const outcome = await scene.orchestrator.orchestrate("Write a guide to Lisbon");
    expect(outcome).toMatchObject({ status: "ok", coverage: { notices: [{ code: "plan_cache_failed" }] } });
    expect(outcome.coverage.notices[0]?.message).toContain(why);
    expect(plansAskedFor(scene)).toBe(1);
  });

  test("a stop while the vector is waited for stops the run at once, and is no failure of the lookup", async () => {
    const embed = embeddingModel(() => new Promise<never>(() => undefined));
    const scene = sceneOf({ embed });
    const run = scene.orchestrator.start("Write a guide to Lisbon");
    while (embed.texts.length === 0) await new Promise((go) => setImmediate(go));
    run.abort();
    expect(await run.outcome).toMatchObject({ status: "aborted", coverage: { notices: [] } });
    expect(plansAskedFor(scene)).toBe(0);
  });
});

describe("a run that goes on", () => {
  test("takes the plan that it had taken over from its log, and looks for none", async () => {
    const embed = embeddingModel();
    let fails = true;
    const scene = sceneOf(
      { embed },
      {
        reply: (prompt) => (fails && prompt.includes("Second of") && prompt.includes("Porto") ? { fault: { kind: "status", status: 400 } } : undefined),
      },
    );
    await scene.orchestrator.orchestrate("Write a guide to Lisbon");
    const run = scene.orchestrator.start("Write a guide to Porto");
    expect((await run.outcome).status).toBe("partial");
    fails = false;
    const again = await scene.orchestrator.resume(run.runId);
    expect(await again.outcome).toMatchObject({ status: "ok", results: [{ description: "First of Lisbon." }, { description: "Second of Lisbon." }] });
    expect(embed.texts).toHaveLength(2);
    expect(plansAskedFor(scene)).toBe(1);
  });
});

test("likeness is the cosine, from 0 to 1", () => {
  expect(cosine(Float32Array.of(1, 0), Float32Array.of(2, 0))).toBe(1);
  expect(cosine(Float32Array.of(1, 0), Float32Array.of(1, 1))).toBeCloseTo(Math.SQRT1_2, 5);
  expect(cosine(Float32Array.of(1, 0), Float32Array.of(-1, 0))).toBe(0);
  expect(cosine(Float32Array.of(0.1, 0.7, 0.3), Float32Array.of(0.1, 0.7, 0.3))).toBe(1);
});
