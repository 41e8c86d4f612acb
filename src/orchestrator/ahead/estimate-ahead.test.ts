import { describe, expect, test } from "vitest";
import { FlexibleOrchestrator, type OrchestratorOptions, type Outcome } from "../../index.ts";
import { scriptedModel, type ScriptRule } from "../../testing/index.ts";

const words = (count: number): string => Array.from({ length: count }, (_, index) => `word${index % 10}`).join(" ");

const plan = (combine: string, ...after: string[]): string =>
  `<tasks combine="${combine}">${["a", "b", "c"].map((id, index) => `<task id="${id}" after="${after[index] ?? ""}"><description>Do ${id}.</description></task>`).join("")}</tasks>`;

function priced(rules: readonly ScriptRule[], options: OrchestratorOptions = {}): FlexibleOrchestrator {
  const model = scriptedModel([...rules, { when: "Several workers each", reply: words(300) }, { when: "one subtask", reply: words(150) }]);
  const role = { model, price: { input: 1, output: 10 } };
  return new FlexibleOrchestrator({ orchestrator: role, worker: role, synthesizer: role, ...options });
}

const planning = (reply: string): ScriptRule => ({ when: "You are the orchestrator", reply });

async function ended(orchestrator: FlexibleOrchestrator, task = "t"): Promise<Required<Pick<Outcome, "estimate" | "cost">> & Outcome> {
  const outcome = await orchestrator.orchestrate(task);
  const { estimate, cost } = outcome;
  if (estimate === undefined || cost === undefined) throw new Error("There is no estimate, or no cost.");
  return { ...outcome, estimate, cost };
}

describe("the estimate of a run", () => {
  test("stands in the event of its plan and beside what the run came to", async () => {
    const run = priced([planning(plan("merge"))]).start("t");
    const events = await Array.fromAsync(run.events);
    const planned = events.find((event) => event.type === "plan.finished");
    const { estimate, cost, calls } = await run.outcome;
    expect(planned).toMatchObject({ estimate });
    expect(estimate?.expected.calls).toBe(calls);
    expect(estimate?.worst.calls).toBe(calls);
    expect(cost).toBeGreaterThan(0);
    expect(cost).toBeLessThan(estimate?.worst.cost ?? 0);
    expect(estimate?.expected.cost).toBeLessThan(estimate?.worst.cost ?? 0);
  });

  test("is what the run then uses at most, where every reply fills its cap", async () => {
    // As many tokens as the caps allow, and not one call more than there are.
    const full = { usage: { inputTokens: 100, outputTokens: 500 } };
    const model = scriptedModel([
      { when: "You are the orchestrator", reply: { text: plan("merge"), ...full } },
      { when: "", reply: { text: words(20), ...full } },
    ]);
    const role = { model, price: { input: 0, output: 10 }, maxOutputTokens: 500 };
    const { estimate, cost } = await ended(new FlexibleOrchestrator({ orchestrator: role, worker: role, synthesizer: role }));
    expect(cost).toBeCloseTo((5 * 500 * 10) / 1e6, 10);
    expect(estimate.worst.cost).toBeCloseTo(cost, 10);
  });

  test("at worst counts input at what a provider's cache takes for it", async () => {
    const estimateOf = async (cacheWrite: number) => {
      const model = scriptedModel([planning(plan("merge"))]);
      const role = { model, price: { input: 1, output: 0, cacheWrite } };
      return (await new FlexibleOrchestrator({ orchestrator: role, worker: role, synthesizer: role }).plan("t")).estimate;
    };
    const [cheap, dear] = [await estimateOf(0.5), await estimateOf(4)];
    expect(cheap?.worst.cost).toBeGreaterThan(0);
    expect(dear?.worst.cost).toBeGreaterThan((cheap?.worst.cost ?? 0) * 3);
    expect(dear?.expected.cost).toBeCloseTo(cheap?.expected.cost ?? 0, 12);
  });

  test("counts an answer only where one is written", async () => {
    const kept = await ended(priced([planning(plan("keep"))]));
    const merged = await ended(priced([planning(plan("merge"))]));
    expect([kept.estimate.expected.calls, merged.estimate.expected.calls]).toEqual([4, 5]);
    expect(kept.estimate.expected.cost).toBeLessThan(merged.estimate.expected.cost ?? 0);
  });

  test("counts verdicts, and at worst every further try of work that is judged", async () => {
    const full = { usage: { inputTokens: 100, outputTokens: 500 } };
    const bad = JSON.stringify({ reasons: words(20), score: 1 });
    const model = scriptedModel([
      { when: "You are the orchestrator", reply: { text: plan("merge"), ...full } },
      // Each verdict takes two questions.
      { when: "You judge", reply: ({ asked }) => ({ text: asked === 1 ? "Hm." : bad, ...full }) },
      { when: "", reply: ({ n }) => ({ text: `${n}`, ...full }) },
    ]);
    const role = { model, price: { input: 0, output: 10 }, maxOutputTokens: 500 };
    const judged = { ...role, evaluate: { criteria: "It is good.", threshold: 0.8, maxAttempts: 3, model: role } };
    const { estimate, cost, calls } = await ended(new FlexibleOrchestrator({ orchestrator: role, worker: judged, synthesizer: judged }));
    // A plan; three workers and an answer, each written three times and asked for six times.
    expect(calls).toBe(1 + 4 * (3 + 3 * 2));
    expect(estimate.worst.calls).toBe(calls);
    expect(estimate.worst.cost).toBeCloseTo(cost, 10);
    expect(estimate.expected.calls).toBe(1 + 4 * 2);
    const byCode = { ...role, evaluate: { judge: () => ({ score: 1, reasons: "" }), threshold: 0.8 } };
    const { estimate: cheap } = await ended(new FlexibleOrchestrator({ orchestrator: role, worker: byCode, synthesizer: role }));
    expect([cheap.expected.calls, cheap.worst.calls]).toEqual([5, 8]);
  });

  test("counts every comparison where the best result is chosen, and at worst each asked for twice", async () => {
    const full = { usage: { inputTokens: 100, outputTokens: 500 } };
    const model = scriptedModel([
      { when: "You are the orchestrator", reply: { text: plan("choose"), ...full } },
      // Each verdict takes two questions.
      { when: "You compare", reply: ({ asked }) => ({ text: asked === 1 ? "Hm." : JSON.stringify({ reasons: "", better: "tie" }), ...full }) },
      { when: "", reply: ({ n }) => ({ text: `${n}`, ...full }) },
    ]);
    const role = { model, price: { input: 0, output: 10 }, maxOutputTokens: 500 };
    const { estimate, cost, calls } = await ended(new FlexibleOrchestrator({ orchestrator: role, worker: role, synthesizer: role }));
    // A plan; three workers; the first with the second, and the better one with the third, in either order.
    expect(calls).toBe(1 + 3 + 2 * 2 * 2);
    expect(estimate.worst.calls).toBe(calls);
    expect(estimate.worst.cost).toBeCloseTo(cost, 10);
    expect(estimate.expected.calls).toBe(1 + 3 + 2 * 2);
  });

  test("counts a look at the results where there may be one, and at worst every round filled to its limits", async () => {
    const full = { usage: { inputTokens: 100, outputTokens: 500 } };
    const more = (round: number): string => plan("merge").replace(/Do (.)/g, `Round ${round}: do $1`);
    const model = scriptedModel([
      { when: "Your plan has been carried out", reply: ({ n }) => ({ text: more(n), ...full }) },
      { when: "You are the orchestrator", reply: { text: plan("merge"), ...full } },
      { when: "", reply: ({ n }) => ({ text: `${n}`, ...full }) },
    ]);
    const role = { model, price: { input: 0, output: 10 }, maxOutputTokens: 500 };
    const limits = { subtasks: 3, rounds: 4, workers: 8 };
    const run = new FlexibleOrchestrator({ orchestrator: role, worker: role, synthesizer: role, limits }).start("t");
    const planned = (await Array.fromAsync(run.events)).flatMap((event) => (event.type === "plan.finished" ? [event.estimate] : []));
    const { calls, cost } = await run.outcome;
    // A plan and two looks, since the third round leaves no worker for a fourth; eight workers; and the answer.
    expect(calls).toBe(3 + 8 + 1);
    expect(planned[0]?.worst).toMatchObject({ calls: calls + 1 });
    expect(planned.at(-1)?.worst).toMatchObject({ calls });
    expect(planned.at(-1)?.worst.cost).toBeCloseTo(cost ?? 0, 10);
    expect(planned[0]?.expected.calls).toBe(1 + 3 + 1 + 1);
  });

  test("counts what a subtask is given of others", async () => {
    const alone = await ended(priced([planning(plan("keep"))]));
    const chained = await ended(priced([planning(plan("keep", "", "a", "b"))]));
    const more = (chained.estimate.expected.tokens ?? 0) - (alone.estimate.expected.tokens ?? 0);
    expect(more).toBeGreaterThan(1_300);
    expect(more).toBeLessThan(1_700);
  });

  test("grows with the request that every worker is sent", async () => {
    const short = await ended(priced([planning(plan("keep"))]));
    const long = await ended(priced([planning(plan("keep"))]), words(2_000));
    expect(long.estimate.worst.tokens - short.estimate.worst.tokens).toBeGreaterThan(3 * 2_000);
  });

  test("names no price where one role has none", async () => {
    const orchestrator = priced([planning(plan("keep"))], { worker: { model: scriptedModel([{ when: "", reply: "done" }]), id: "unpriced" } });
    const { estimate } = await orchestrator.orchestrate("t");
    expect(estimate?.expected).toEqual({ calls: 4, tokens: expect.any(Number) });
    expect(estimate?.worst).not.toHaveProperty("cost");
  });

  test("comes with a plan alone, what the plan itself has used among it", async () => {
    const { estimate, cost = 0 } = await priced([planning(plan("keep"))]).plan("t");
    expect(estimate?.expected.calls).toBe(4);
    expect(estimate?.expected.cost).toBeGreaterThan(cost);
  });

  test("is absent where the orchestrator answers by itself", async () => {
    const outcome = await priced([planning("<answer>At once.</answer>")]).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", text: "At once." });
    expect(outcome).not.toHaveProperty("estimate");
  });
});
