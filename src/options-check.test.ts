import { describe, expect, test } from "vitest";
import { z } from "zod";
import { FlexibleOrchestrator } from "./flexible-orchestrator.ts";
import { memoryLedger } from "./ledger/memory-ledger.ts";
import { checkOptions, checkWorkerOptions } from "./options-check.ts";
import { scriptedModel } from "./testing/index.ts";

const plan = `<tasks combine="keep"><task id="a"><type>sql</type><description>Do a.</description></task></tasks>`;

describe("an option without which the rest says nothing", () => {
  test.each<[unknown, string]>([
    [{ examples: [{ plan: { kind: "direct", analysis: "", answer: "x" } }] }, 'options.examples[0]: has no "task".'],
    [{ examples: [{ task: "t" }] }, 'options.examples[0]: has no "plan".'],
    [{ cache: {} }, 'options.cache: has no "shared": the name of the cache.'],
    [{ planCache: { embed: "openai:e" } }, 'options.planCache: has no "threshold": how alike two requests must be, from 0 to 1.'],
    [{ planCache: { embed: undefined, threshold: 1 } }, 'options.planCache: has no "embed"'],
    [{ worker: { price: { output: 1 } } }, 'options.worker.price: has no "input".'],
    [{ worker: { evaluate: { criteria: "c" } } }, 'options.worker.evaluate: has no "threshold"'],
  ])("is missed in %j", (options, message) => {
    expect(() => checkOptions(options)).toThrow(message);
  });

  test.each<[unknown, string]>([
    [{ id: "x" }, 'options.upstream[0]: has no "type".'],
    [{ id: "x", type: "t" }, 'options.upstream[0]: has no "result".'],
    [{ id: "x", type: "t", result: 3 }, "options.upstream[0].result: must be a text, and is 3."],
  ])("is missed of what a worker is to build on: %j", (result, message) => {
    expect(() => checkWorkerOptions({ upstream: [result] })).toThrow(message);
  });
});

test("a result that a worker builds on may be empty, as a function's may be", () => {
  expect(() => checkWorkerOptions({ upstream: [{ id: "x", type: "t", result: "" }] })).not.toThrow();
});

test("a value of the wrong sort is said by what it is", () => {
  expect(() => checkOptions({ concurrency: new Map() })).toThrow("must be a whole number from 1 to 10000, and is an instance of Map.");
  expect(() => checkOptions({ concurrency: {} })).toThrow("and is an object.");
});

test("an option that is undefined is as good as none, in every group of options", async () => {
  const model = scriptedModel((call) => (call.system.includes("You are the orchestrator") ? plan : "done"), { vary: undefined });
  const none = undefined;
  const orchestrator = new FlexibleOrchestrator({
    orchestrator: { model, temperature: none, price: none, id: none },
    worker: { model, maxOutputTokens: none, samples: none, evaluate: none, output: none },
    synthesizer: { model, contextTokens: none },
    workers: { sql: { model: none, description: none, samples: none } },
    limits: { subtasks: none, workers: none, rounds: none, planCompletions: none, outputRepairs: none, upstreamBytes: none },
    retry: { attempts: none, backoffMs: none },
    timeout: { workerMs: none, runMs: none, idleMs: none, admissionMs: none },
    budget: { usd: none, tokens: none, calls: 5 },
    ledger: memoryLedger({ runs: none, sharedCalls: none }),
    cache: none,
    concurrency: none,
  });
  const options = { signal: none, concurrency: none, budget: none, plan: none, planCache: none };
  const run = orchestrator.start("t", none, options);
  expect(await run.outcome).toMatchObject({ status: "ok", calls: 2, results: [{ kind: "sql", result: "done" }] });
  expect(await orchestrator.executeWorker("t", { id: none, type: none, description: "d" }, { upstream: none, budget: none })).toMatchObject({ status: "done" });
});

describe("a kind whose `run` is undefined", () => {
  test("is a model's", async () => {
    const model = scriptedModel((call) => (call.system.includes("You are the orchestrator") ? plan : "by the model"));
    const outcome = await Reflect.construct(FlexibleOrchestrator, [{ model, workers: { sql: { run: undefined } } }]).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ kind: "sql", status: "done", result: "by the model" }] });
  });

  test("may say nothing that only functions have", () => {
    expect(() => checkOptions({ workers: { sql: { run: undefined, idempotent: true } } })).toThrow('options.workers["sql"]: has no option "idempotent".');
  });
});

describe("`output: false`", () => {
  const output = z.object({ n: z.number() });

  test("lets one kind's results be text where the worker's have a form", async () => {
    const model = scriptedModel((call) => (call.system.includes("You are the orchestrator") ? plan : call.json ? '{"n":1}' : "plain"));
    const orchestrator = new FlexibleOrchestrator({ model, worker: { output }, workers: { sql: { output: false } } });
    const outcome = await orchestrator.orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ kind: "sql", result: "plain" }] });
    expect(outcome.results[0]).not.toHaveProperty("output");
    expect(await orchestrator.executeWorker("t", { description: "Do it." })).toMatchObject({ kind: "default", output: { n: 1 } });
  });

  test.each([{ worker: { output: false } }, { synthesizer: { output: false } }, { workers: { sql: { run: () => "", output: false } } }])(
    "is for kinds that are models alone: %j",
    (options) => {
      expect(() => checkOptions(options)).toThrow("output: must be a schema");
    },
  );
});

test("a `judge` that is undefined is not asked", async () => {
  const model = scriptedModel((call) => {
    if (call.system.includes("You are the orchestrator")) return plan;
    return call.json ? '{"reasons":"good","score":10}' : "work";
  });
  const worker = { evaluate: { criteria: "good", judge: undefined, threshold: 0.5 } };
  const outcome = await new FlexibleOrchestrator({ model, worker }).orchestrate("t");
  expect(outcome).toMatchObject({ status: "ok", results: [{ evaluation: { score: 1 } }] });
});
