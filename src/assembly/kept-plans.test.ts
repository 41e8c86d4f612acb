import { describe, expect, test } from "vitest";
import { embeddingModel } from "../../test/embedding-fixture.ts";
import { life } from "../../test/lives.ts";
import type { Fact } from "../events.ts";
import { memoryLedger } from "../ledger/memory-ledger.ts";
import type { OrchestratorOptions, PlanCache } from "../options.ts";
import type { Outcome } from "../outcome.ts";
import { reduce } from "../reduce.ts";
import { initialRunState } from "../run-state.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";

const lookup = { role: "orchestrator", part: "lookup" } as const;
/** A dollar for each token in: 7 for what the double says of a text. */
const price = { input: 1e6, output: 0 };
const free = { input: 0, output: 0 };

interface Said {
  readonly outcome: Outcome;
  readonly facts: readonly Fact[];
}

/** A run that looks for a plan, answers by itself, and costs nothing but for that. */
async function lookedUp(
  planCache: Partial<PlanCache>,
  { reply = "<answer>At once.</answer>", ...options }: OrchestratorOptions & { readonly reply?: string } = {},
): Promise<Said> {
  const model = scriptedModel(() => ({ text: reply, usage: { inputTokens: 100, outputTokens: 10 } }), { vary: false });
  const role = { model, price: free };
  const ledger = memoryLedger();
  const orchestrator = new FlexibleOrchestrator({
    ...{ orchestrator: role, worker: role, synthesizer: role, ledger },
    planCache: { embed: embeddingModel(), threshold: 0.9, ...planCache },
    ...options,
  });
  const run = orchestrator.start("Say it");
  const outcome = await run.outcome;
  return { outcome, facts: await ledger.readFacts(run.runId) };
}

const noticesOf = ({ coverage }: Outcome): readonly string[] => coverage.notices.map(({ code, message }) => `${code}: ${message}`);

describe("the vector by which a plan is looked for", () => {
  test("is one of the run's calls: in its usage, its cost and its state, and booked before the request leaves", async () => {
    const { outcome, facts } = await lookedUp({ price });
    expect(outcome).toMatchObject({
      status: "ok",
      calls: 2,
      cost: 7,
      usage: { inputTokens: 107, byRole: { orchestrator: { inputTokens: 107, outputTokens: 10 } } },
    });
    expect(facts.filter(({ type }) => type.startsWith("attempt.")).slice(0, 2)).toMatchObject([
      { type: "attempt.started", ...lookup, model: "double:words", reserved: { inputTokens: 6, outputTokens: 0 } },
      { type: "attempt.settled", ...lookup, usage: { inputTokens: 7, outputTokens: 0 }, cost: 7 },
    ]);
    const state = facts.reduce(reduce, initialRunState);
    expect([state.calls, state.cost, state.usage.totalTokens, state.plan.usage.totalTokens, state.plan.status]).toEqual([2, 7, 117, 117, "done"]);
  });

  test("is no plan under way: where it fails, the plan has not", async () => {
    const { outcome, facts } = await lookedUp({ embed: embeddingModel(() => Promise.reject(new Error("no vectors today"))) }, { retry: { attempts: 1 } });
    expect(outcome.status).toBe("ok");
    const failedAt = facts.findIndex(({ type }) => type === "attempt.failed");
    expect(facts[failedAt]).toMatchObject({ ...lookup, error: { message: expect.stringContaining("no vectors today") } });
    expect(facts.slice(0, failedAt + 1).reduce(reduce, initialRunState).plan).toMatchObject({ status: "waiting", error: undefined });
  });

  test.each([
    ["calls", { calls: 3 }, 2, []],
    ["tokens", { tokens: 5 }, 0, ["plan_cache_failed: The kept plans could not be looked through, and the orchestrator is asked: The run's budget"]],
  ] as const)("takes of the run's budget of %s, and is done without where that does not allow it", async (_, budget, calls, notices) => {
    const { outcome } = await lookedUp({}, { budget });
    expect(outcome.calls).toBe(calls);
    expect(noticesOf(outcome)).toEqual(notices.map((notice) => expect.stringContaining(notice)));
  });

  test("is not asked for where the budget is in dollars and its price is not known: that is noticed, and the orchestrator is asked", async () => {
    const embed = embeddingModel();
    const { outcome } = await lookedUp({ embed }, { budget: { usd: 10 } });
    expect(outcome).toMatchObject({ status: "ok", calls: 1, cost: 0 });
    expect(noticesOf(outcome)).toEqual([expect.stringMatching(/^plan_cache_failed: .*what double:words costs is not known/)]);
    expect(embed.texts).toEqual([]);
    expect((await lookedUp({ embed, price }, { budget: { usd: 10 } })).outcome).toMatchObject({ status: "ok", calls: 2, cost: 7 });
    expect((await lookedUp({ embed, price }, { budget: { usd: 5 } })).outcome).toMatchObject({ status: "ok", calls: 1, cost: 0 });
  });

  test("whose price is not known leaves open what the run has cost, where no budget in dollars forbids it", async () => {
    const { outcome } = await lookedUp({});
    expect([outcome.status, outcome.calls, outcome.cost]).toEqual(["ok", 2, undefined]);
  });

  test("that was on its way when the process died is presumed to be used, at its price, and not asked for again", async () => {
    const ledger = memoryLedger();
    const embed = embeddingModel(() => new Promise<never>(() => undefined));
    const planCache = { embed, threshold: 0.9, price };
    const first = life(ledger, [], { id: "m", planCache }).orchestrator.start("Say it");
    while (embed.texts.length === 0) await new Promise((go) => setImmediate(go));
    const second = await life(ledger, [], { id: "m", planCache }).orchestrator.resume(first.runId);
    const outcome = await second.outcome;
    expect(outcome).toMatchObject({ status: "ok", calls: 6, usage: { presumedTokens: 6 } });
    const facts = await ledger.readFacts(first.runId);
    expect(facts.filter((fact) => fact.type === "attempt.settled" && fact.part === "lookup")).toMatchObject([{ usage: { presumedTokens: 6 }, cost: 6 }]);
    expect(embed.texts).toHaveLength(1);
    await first.outcome;
  });
});
