import { describe, expect, test } from "vitest";
import { DivvyError } from "./errors.ts";
import { FlexibleOrchestrator } from "./flexible-orchestrator.ts";
import type { Model } from "./models/model.ts";
import { type DoubleCall, scriptedModel } from "./testing/index.ts";
import { noUsage } from "./usage.ts";

const plan = `<analysis>Two ways.</analysis><tasks combine="keep"><task id="a"><type>plain</type><description>Do a.</description></task><task id="b"><type>fancy</type><description>Do b.</description></task></tasks>`;

function model(
  reply: (call: DoubleCall) => string = (call) => (call.system.includes("You are the orchestrator") ? plan : "a result"),
): ReturnType<typeof scriptedModel> {
  return scriptedModel(reply);
}

function thrownBy(act: () => unknown): DivvyError {
  try {
    act();
  } catch (error) {
    if (error instanceof DivvyError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown.");
}

// Callers without types pass anything; this is how the tests do.
function construct(options: unknown): unknown {
  return Reflect.construct(FlexibleOrchestrator, [options]);
}

describe("options", () => {
  test.each<[unknown, string]>([
    [{ concurency: 3 }, 'options: has no option "concurency". Did you mean "concurrency"?'],
    [{ limits: { subtask: 3 } }, 'options.limits: has no option "subtask". Did you mean "subtasks"?'],
    [{ worker: { maxTokens: 3 } }, 'options.worker: has no option "maxTokens".'],
    [{ workers: { research: { modle: "x" } } }, 'options.workers["research"]: has no option "modle". Did you mean "model"?'],
    [{ concurrency: 0 }, "options.concurrency: must be a whole number from 1 to 10000, and is 0."],
    [{ concurrency: "10" }, 'options.concurrency: must be a whole number from 1 to 10000, and is "10".'],
    [{ planFormat: "yaml" }, 'options.planFormat: must be one of xml, json, and is "yaml".'],
    [{ synthesis: "merg" }, 'options.synthesis: must be one of auto, merge, keep, choose, none, and is "merg". Did you mean "merge"?'],
    [{ timeout: { workerMs: Number.POSITIVE_INFINITY } }, "options.timeout.workerMs: must be a whole number"],
    [{ worker: { temperature: 3 } }, "options.worker.temperature: must be a number from 0 to 2, and is 3."],
    [{ worker: { price: { input: -1, output: 1 } } }, "options.worker.price.input: must be a number from 0 to 1000000, and is -1."],
    [{ worker: { price: { input: 1, output: Number.NaN } } }, "options.worker.price.output: must be a number from 0 to 1000000, and is NaN."],
    [{ workers: { Translation: {}, prose: {}, translation: {} } }, 'options.workers: "Translation" and "translation" are one type'],
    [{ workers: { Default: {} } }, 'options.workers: "Default" names the general worker'],
    [{ workers: { "code review": {}, "code-review": {} } }, 'options.workers: "code review" and "code-review" are one type'],
    [{ model: "antropic:claude" }, 'There is no provider "antropic"; did you mean "anthropic:claude"?'],
    [null, "options: must be an object, and is null."],
  ])("%j is refused at once, with what is meant", (options, message) => {
    const error = thrownBy(() => construct(options));
    expect(error.message).toContain(message);
    expect(["invalid_option", "unknown_provider"]).toContain(error.code);
  });

  test("a model of an older interface is refused, with how to wrap it", () => {
    const error = thrownBy(() => construct({ model: { specificationVersion: "v2", provider: "p", modelId: "m", doStream: () => undefined } }));
    expect(error.code).toBe("unsupported_model");
    expect(error.hint).toContain("wrapLanguageModel");
  });

  test("an option that is undefined is one that is not there", async () => {
    const orchestrator = new FlexibleOrchestrator(JSON.parse("{}"));
    expect(orchestrator).toBeInstanceOf(FlexibleOrchestrator);
    expect(() => construct({ model: model(), limits: undefined, worker: { prompt: undefined } })).not.toThrow();
  });

  test("two models of one name are refused, and an id tells them apart", async () => {
    const one = model();
    const other = model();
    const refused = await new FlexibleOrchestrator({ orchestrator: one, worker: other, synthesizer: one }).orchestrate("t");
    expect(refused).toMatchObject({ status: "failed", error: { code: "invalid_option", message: 'Two different models are called "scripted:scripted".' } });
    const outcome = await new FlexibleOrchestrator({ orchestrator: one, worker: { model: other, id: "other" }, synthesizer: one }).orchestrate("t");
    expect(outcome.status).toBe("ok");
    expect(one.calls).toHaveLength(1);
    expect(other.calls).toHaveLength(2);
  });
});

describe("roles", () => {
  test("each role and each kind of worker has its own model and settings", async () => {
    const boss = model();
    const plain = scriptedModel(() => "plainly", { id: "plain" });
    const fancy = scriptedModel(() => "with style", { id: "fancy" });
    const orchestrator = new FlexibleOrchestrator({
      model: boss,
      worker: { model: plain, maxOutputTokens: 100 },
      workers: { Fancy: { model: fancy, temperature: 1 } },
    });
    const outcome = await orchestrator.orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ result: "plainly" }, { result: "with style" }] });
    expect(plain.calls[0]?.maxOutputTokens).toBe(100);
    // What a kind leaves out is as in `worker`.
    expect(fancy.calls[0]?.maxOutputTokens).toBe(100);
    expect(boss.calls[0]?.maxOutputTokens).toBe(8192);
  });

  test("a price of one's own gives a cost, and without a price there is none", async () => {
    expect(await new FlexibleOrchestrator({ model: model() }).orchestrate("t")).not.toHaveProperty("cost");
    const one = { model: model(), price: { input: 1, output: 2 } };
    const outcome = await new FlexibleOrchestrator({ orchestrator: one, worker: one, synthesizer: one }).orchestrate("t");
    expect(outcome.cost).toBeCloseTo(((outcome.usage.inputTokens ?? 0) + 2 * (outcome.usage.outputTokens ?? 0)) / 1e6, 10);
  });
});

describe("templates of the published shape", () => {
  const orchestratorTemplate = `Analyze the following task and break it down into distinct approaches.
<tasks><task><type>approach-name</type><description>Specific instructions</description></task></tasks>
Task: {task}
Context: {context}`;
  const workerTemplate = `Complete the following task using the specified approach.
Original Task: {task}
Your Approach: {task_type}
Specific Instructions: {task_description}`;

  test("run unchanged, and give plain results", async () => {
    const double = model((call) => (call.prompt.startsWith("Analyze") ? plan : `<response>\n${call.prompt.split("\n").slice(1).join(" | ")}\n</response>`));
    const orchestrator = new FlexibleOrchestrator({ model: double, orchestrator: { prompt: orchestratorTemplate }, worker: { prompt: workerTemplate } });
    const outcome = await orchestrator.orchestrate("Describe the bottle", "steel, 0.5 l");
    expect(double.calls[0]?.prompt).toContain("Task: Describe the bottle\nContext: steel, 0.5 l");
    expect(
      outcome.results.map((result) => ({ type: result.type, description: result.description, result: result.status === "done" && result.result })),
    ).toEqual([
      { type: "plain", description: "Do a.", result: "Original Task: Describe the bottle | Your Approach: plain | Specific Instructions: Do a." },
      { type: "fancy", description: "Do b.", result: "Original Task: Describe the bottle | Your Approach: fancy | Specific Instructions: Do b." },
    ]);
  });

  test("have every key of the context as a variable", async () => {
    const double = model((call) => (call.prompt.startsWith("For") ? plan : "x"));
    const orchestrator = new FlexibleOrchestrator({
      model: double,
      orchestrator: { prompt: "For {target_audience}: {task} {{task}}" },
      worker: { prompt: "{key_features}" },
    });
    await orchestrator.orchestrate("sell", { target_audience: "hikers", key_features: ["light", "tight"] });
    expect(double.calls[0]?.prompt).toBe("For hikers: sell {task}");
    expect(double.calls[1]?.prompt).toBe("light, tight");
  });

  test("with an unknown variable are refused at the start, which names it and lists what there is", () => {
    const orchestrator = new FlexibleOrchestrator({ model: model(), worker: { prompt: "Do {task_descripton}" } });
    const error = thrownBy(() => orchestrator.start("t", { tone: "dry" }));
    expect(error.code).toBe("invalid_template");
    expect(error.message).toContain("{task_descripton}");
    expect(error.message).toContain("{task}, {original_task}, {context}, {task_type}, {task_description}, {upstream}, {tone}");
  });
});

describe("the templates that are checked", () => {
  const wrong = "Do {nothing}";
  const refusal = { code: "invalid_template" };

  test("are those of the roles that will be asked", async () => {
    const others = new FlexibleOrchestrator({ model: model(), orchestrator: { prompt: wrong }, synthesizer: { prompt: wrong } });
    expect((await others.executeWorker("t", { description: "Do it." })).status).toBe("done");
    await expect(others.plan("t")).rejects.toMatchObject(refusal);
    expect(thrownBy(() => others.start("t"))).toMatchObject(refusal);

    for (const options of [{ worker: { prompt: wrong } }, { workers: { fancy: { prompt: wrong } } }, { synthesizer: { prompt: wrong } }]) {
      const orchestrator = new FlexibleOrchestrator({ model: model(), ...options });
      expect((await orchestrator.plan("t")).plan.kind).toBe("subtasks");
      expect(thrownBy(() => orchestrator.start("t"))).toMatchObject(refusal);
      if (!("synthesizer" in options)) await expect(orchestrator.executeWorker("t", { description: "Do it." })).rejects.toMatchObject(refusal);
    }
  });

  test("are not functions: one that throws fails what it was for, and is named", async () => {
    const prompt = (): never => {
      throw new TypeError("no such thing");
    };
    const orchestrator = new FlexibleOrchestrator({ model: model(), orchestrator: { prompt }, worker: { prompt } });
    await expect(orchestrator.plan("t")).rejects.toMatchObject({ ...refusal, message: "The orchestrator's prompt function threw: no such thing" });
    expect(await orchestrator.orchestrate("t")).toMatchObject({ status: "failed", error: refusal, calls: 0 });
    const result = await orchestrator.executeWorker("t", { description: "Do it." });
    expect(result).toMatchObject({ status: "failed", error: refusal, attempts: 0, durationMs: 0 });
  });
});

describe("a plan as a value", () => {
  test("plan() is phase one alone", async () => {
    const double = model();
    const planned = await new FlexibleOrchestrator({ model: double }).plan("t");
    expect(planned.plan).toEqual({
      kind: "subtasks",
      analysis: "Two ways.",
      combine: "keep",
      subtasks: [
        { id: "a", type: "plain", description: "Do a.", dependsOn: [] },
        { id: "b", type: "fancy", description: "Do b.", dependsOn: [] },
      ],
    });
    expect(planned.usage.byRole.orchestrator.totalTokens).toBeGreaterThan(0);
    expect(double.calls).toHaveLength(1);
  });

  test("plan() says what was noticed, and estimates a plan that is carried out as it is, without further rounds", async () => {
    const planned = await new FlexibleOrchestrator({ model: model(), limits: { subtasks: 1, rounds: 3 } }).plan("t");
    expect(planned.notices).toMatchObject([{ code: "subtasks_dropped" }]);
    // The plan's call, and one worker's.
    expect(planned.estimate?.worst.calls).toBe(2);
  });

  test("plan() rejects with a DivvyError where there is none", async () => {
    const orchestrator = new FlexibleOrchestrator({ model: model(() => "No.") });
    await expect(orchestrator.plan("t")).rejects.toMatchObject({ name: "DivvyError", code: "plan_failed" });
  });

  test("plan() gives back whole a plan that is handed in, without a call or a model", async () => {
    const modelless = new FlexibleOrchestrator({ model: "anthropic:claude-haiku-4-5", limits: { workers: 1 } }, { models: { env: {} } });
    expect(await modelless.plan("t", "", { plan: { combine: "merge", subtasks: [{ description: "By hand." }] } })).toEqual({
      notices: [],
      plan: { kind: "subtasks", analysis: "", combine: "merge", subtasks: [{ id: "default", type: "default", description: "By hand.", dependsOn: [] }] },
      usage: { ...noUsage, byRole: { orchestrator: noUsage, worker: noUsage, synthesizer: noUsage, evaluator: noUsage } },
      cost: 0,
    });
    const tooMany = { subtasks: [{ description: "1" }, { description: "2" }] };
    await expect(modelless.plan("t", "", { plan: tooMany })).rejects.toMatchObject({ code: "invalid_plan" });
    const unused = Reflect.apply(modelless.plan, modelless, ["t", "", { concurrency: 1 }]);
    await expect(unused).rejects.toMatchObject({ code: "invalid_option", message: expect.stringContaining("There are: signal, budget, plan.") });
  });

  test("is carried out without a planner's call", async () => {
    const double = model(() => "done");
    const orchestrator = new FlexibleOrchestrator({ model: double });
    const outcome = await orchestrator.orchestrate("t", "", {
      plan: { subtasks: [{ description: "By hand." }, { type: "second", description: "After it.", dependsOn: ["default"] }] },
    });
    expect(outcome).toMatchObject({
      status: "ok",
      calls: 2,
      results: [
        { id: "default", type: "default" },
        { id: "second", dependsOn: ["default"] },
      ],
    });
  });

  test("from plan() gives the run that start() would have made", async () => {
    const orchestrator = new FlexibleOrchestrator({ model: model() });
    const { plan: value } = await orchestrator.plan("t");
    const outcome = await orchestrator.orchestrate("t", "", { plan: JSON.parse(JSON.stringify(value)) });
    expect(outcome.plan).toEqual(value);
  });

  test.each<[unknown, string]>([
    [{}, "It has no subtasks."],
    [{ subtasks: [] }, "It has no subtasks."],
    [{ subtasks: [{ type: "x" }] }, "Subtask 1 has no description."],
    [
      {
        subtasks: [
          { id: "a", description: "1" },
          { id: "A", description: "2" },
        ],
      },
      'The id "A" of subtask 2 is taken',
    ],
    [{ subtasks: [{ id: "a", description: "1", dependsOn: ["z"] }] }, '"a" depends on "z", which is not in the plan.'],
    [{ combine: "mix", subtasks: [{ description: "1" }] }, "`combine` must be one of merge, keep, choose."],
  ])("%j is refused at the start", (value, message) => {
    const orchestrator = new FlexibleOrchestrator({ model: model() });
    const error = thrownBy(() => Reflect.apply(orchestrator.start, orchestrator, ["t", "", { plan: value }]));
    expect(error).toMatchObject({ code: "invalid_plan" });
    expect(error.message).toContain(message);
  });
});

describe("executeWorker", () => {
  test("runs one worker alone, with what it builds on, and gives its result", async () => {
    const double = model((call) => `seen: ${/EARLIER/.test(call.prompt)}`);
    const result = await new FlexibleOrchestrator({ model: double }).executeWorker(
      "the whole task",
      { type: "part", description: "Do it." },
      { upstream: [{ id: "e", type: "early", result: "EARLIER" }] },
    );
    expect(result).toMatchObject({ status: "done", id: "part", type: "part", result: "seen: true", attempts: 1 });
    expect(double.calls).toHaveLength(1);
  });

  test("resolves to a failed result where the worker fails", async () => {
    const result = await new FlexibleOrchestrator({ model: model(() => "<unable>a budget</unable>") }).executeWorker("t", { description: "Do it." });
    expect(result).toMatchObject({ status: "failed", error: { code: "unable" } });
    expect(result).not.toHaveProperty("result");
  });

  test("has a budget of its own, or else the orchestrator's", async () => {
    const double = model();
    const orchestrator = new FlexibleOrchestrator({ model: double, budget: { tokens: 1_000_000 } });
    const refused = await orchestrator.executeWorker("t", { description: "Do it." }, { budget: { tokens: 100 } });
    expect(refused).toMatchObject({ status: "failed", error: { code: "budget_exhausted" } });
    expect(double.calls).toEqual([]);
    expect((await orchestrator.executeWorker("t", { description: "Do it." })).status).toBe("done");
  });
});

describe("a run that cannot begin", () => {
  test("is a failed outcome that says what is missing", async () => {
    const orchestrator = new FlexibleOrchestrator({ model: "anthropic:claude-haiku-4-5" }, { models: { env: {} } });
    expect(await orchestrator.orchestrate("t")).toMatchObject({
      status: "failed",
      calls: 0,
      error: { code: "missing_key", message: expect.stringContaining("ANTHROPIC_API_KEY") },
    });
  });

  test("for want of a task is refused at once", () => {
    expect(thrownBy(() => new FlexibleOrchestrator({ model: model() }).start("  ")).message).toContain("task: must be a text that is not empty");
  });

  test("for a context that is no JSON is refused at once", () => {
    const orchestrator = new FlexibleOrchestrator({ model: model() });
    expect(thrownBy(() => Reflect.apply(orchestrator.start, orchestrator, ["t", { when: () => 1 }])).message).toContain("context.when: must be a JSON value");
  });
});

describe("the size of a plan", () => {
  const parts = (count: number): { description: string }[] => Array.from({ length: count }, (_, n) => ({ description: `Part ${n}.` }));

  test("that is handed in is not cut to what a planner may write", async () => {
    const outcome = await new FlexibleOrchestrator({ model: model(() => "done") }).orchestrate("t", "", { plan: { subtasks: parts(30) } });
    expect(outcome).toMatchObject({ status: "ok", coverage: { planned: 30, done: 30, dropped: 0 } });
  });

  test("that is handed in and over the run's workers is refused", () => {
    const orchestrator = new FlexibleOrchestrator({ model: model(), limits: { workers: 5 } });
    expect(thrownBy(() => orchestrator.start("t", "", { plan: { subtasks: parts(6) } })).message).toContain("It has 6 subtasks, and a run may have 5 workers");
  });

  test("may be raised over the default of workers by itself", async () => {
    const tasks = parts(150).map(({ description }) => `<task><description>${description}</description></task>`);
    const double = model((call) => (call.system.includes("You are the orchestrator") ? `<tasks>${tasks.join("")}</tasks>` : "done"));
    const outcome = await new FlexibleOrchestrator({ model: double, limits: { subtasks: 200 } }).orchestrate("t");
    expect(outcome.coverage).toMatchObject({ planned: 150, done: 150 });
  });
});

describe("who joins", () => {
  test("is who plans, where nobody else is named", async () => {
    const boss = scriptedModel((call) => (call.system.includes("You are the orchestrator") ? plan.replace("keep", "merge") : "joined by the boss"), {
      id: "boss",
    });
    const hand = scriptedModel(() => "done", { id: "hand" });
    const outcome = await new FlexibleOrchestrator({ orchestrator: boss, worker: hand }, { models: { env: {} } }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", text: "joined by the boss" });
  });
});

describe("finding models", () => {
  test("is not waited for by a run that is stopped", async () => {
    const world = { models: { env: {}, local: () => new Promise<never>(() => undefined) } };
    const run = new FlexibleOrchestrator({ model: "local:" }, world).start("t");
    run.abort("no time");
    expect(await run.outcome).toMatchObject({ status: "aborted", calls: 0, error: { code: "aborted", message: "The run was stopped: no time." } });
  });
});

test("examples and prices are looked at at once", () => {
  expect(thrownBy(() => construct({ model: model(), examples: [{ task: "t", plan: {} }] })).code).toBe("invalid_plan");
  expect(thrownBy(() => construct({ model: model(), worker: { price: { input: 1 } } })).message).toContain('options.worker.price: has no "output".');
});

test("a small model that is asked for a plan as JSON gets neither its template nor its grammar for XML", async () => {
  const small = model((call) => (call.json ? '{"analysis":"","combine":"keep","subtasks":[{"id":"a","type":"a","description":"Do a.","after":[]}]}' : "done"));
  const sent: unknown[] = [];
  const spied = {
    ...small,
    specificationVersion: "v4" as const,
    doStream: (options: Parameters<typeof small.doStream>[0]) => (sent.push(options.providerOptions), small.doStream(options)),
  };
  const policy = {
    direct: "never",
    combine: "keep",
    maxSubtasks: 3,
    rounds: 1,
    maxOutputTokens: 100,
    planOutputTokens: 200,
    allowLength: true,
    planProviderOptions: { local: { grammar: "xml only" } },
    prompts: { orchestrator: "XML for {task}", worker: "Do {task_description}" },
  } as const;
  const local = async (): Promise<Model> => ({
    id: "local:small",
    model: spied,
    lane: "local",
    credential: "local",
    baseUrl: "",
    price: async () => () => 0,
    policy,
  });
  const options = { model: "local:", planFormat: "json", limits: { rounds: 3 } } as const;
  const outcome = await new FlexibleOrchestrator(options, { models: { env: {}, local } }).orchestrate("t");
  expect(outcome).toMatchObject({ status: "ok", results: [{ id: "a" }], coverage: { notices: [{ code: "rounds_unused" }] } });
  expect(small.calls[0]?.system).toContain("JSON");
  expect(sent[0]).toBeUndefined();
});
