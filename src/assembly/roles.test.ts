import { describe, expect, test } from "vitest";
import { allRoles, twoTasks } from "../../test/all-roles.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { scriptedModel } from "../testing/index.ts";
import type { Usage } from "../usage.ts";

const dollars = ({ inputTokens = 0, outputTokens = 0 }: Pick<Usage, "inputTokens" | "outputTokens">, input: number, output: number): number =>
  (inputTokens * input + outputTokens * output) / 1e6;

const merged = twoTasks.replace("keep", "merge");

describe("a role's price", () => {
  test("is that of the role's calls alone: roles that share a model may have prices of their own", async () => {
    const model = allRoles({ plan: merged });
    const price = (input: number, output: number): { price: { input: number; output: number } } => ({ price: { input, output } });
    const orchestrator = new FlexibleOrchestrator({ model, orchestrator: price(1, 2), worker: price(3, 4), synthesizer: price(0, 5) });
    const outcome = await orchestrator.orchestrate("t");
    const { byRole } = outcome.usage;
    expect(outcome.status).toBe("ok");
    expect(outcome.cost).toBeCloseTo(dollars(byRole.orchestrator, 1, 2) + dollars(byRole.worker, 3, 4) + dollars(byRole.synthesizer, 0, 5), 12);
  });

  test("says nothing of another role's: where that is not known, neither is the run's cost", async () => {
    const orchestrator = new FlexibleOrchestrator({ model: allRoles({ plan: merged }), worker: { price: { input: 1, output: 1 } } });
    expect(await orchestrator.orchestrate("t")).not.toHaveProperty("cost");
  });

  test("of a synthesizer stands above that of the orchestrator, whose model it has", async () => {
    const model = allRoles({ plan: merged });
    const orchestrator = new FlexibleOrchestrator({
      orchestrator: { model, price: { input: 1, output: 1 } },
      worker: { model, price: { input: 0, output: 0 } },
      synthesizer: { price: { input: 0, output: 0 } },
    });
    const { cost, usage } = await orchestrator.orchestrate("t");
    expect(cost).toBeCloseTo(dollars(usage.byRole.orchestrator, 1, 1), 12);
  });
});

describe("a kind of worker", () => {
  const boss = allRoles({ plan: twoTasks });

  test("with a model of its own takes over neither name nor price of the worker's", async () => {
    const orchestrator = new FlexibleOrchestrator({
      orchestrator: { model: boss, price: { input: 0, output: 0 } },
      worker: { model: scriptedModel(() => "a fact"), id: "hand", price: { input: 1, output: 1 } },
      workers: { story: scriptedModel(() => "a story", { id: "teller" }) },
    });
    const run = orchestrator.start("t");
    expect(await run.outcome).toMatchObject({ status: "ok", results: [{ result: "a fact" }, { result: "a story" }] });
    expect(await run.outcome).not.toHaveProperty("cost");
    const [started] = await Array.fromAsync(run.events);
    expect(started).toMatchObject({ models: { workers: { default: "hand", story: "scripted:teller" } } });
  });

  test("with a model of its own is not given the key of the worker's", async () => {
    const worker = { model: "openai:gpt-6-luna", apiKey: "a key for OpenAI" };
    const asked = new FlexibleOrchestrator({ orchestrator: boss, worker, workers: { story: "anthropic:claude-haiku-4-5" } }, { models: { env: {} } });
    await expect(asked.plan("t")).rejects.toMatchObject({ code: "missing_key", message: expect.stringContaining("ANTHROPIC_API_KEY") });
  });

  test("that names the worker's model again takes over all that was said of it", async () => {
    const worker = { model: "openai:gpt-6-luna", apiKey: "a key for OpenAI" };
    const workers = { story: { model: "openai:gpt-6-luna", temperature: 1 } };
    const asked = new FlexibleOrchestrator({ orchestrator: boss, worker, workers }, { models: { env: {} } });
    expect((await asked.plan("t")).plan.kind).toBe("subtasks");
  });
});
