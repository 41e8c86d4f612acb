import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Budget } from "../budget.ts";
import type { AttemptNeed } from "../calls/run-budget.ts";
import type { FactBody } from "../events.ts";
import { virtualClock } from "../testing/index.ts";
import { BudgetPool, type BudgetPoolOptions } from "./budget-pool.ts";

const clock = virtualClock();

function pool(budget: Budget, options: Partial<BudgetPoolOptions> = {}): { readonly pool: BudgetPool; readonly facts: FactBody[] } {
  const facts: FactBody[] = [];
  return { pool: new BudgetPool({ budget, spent: { calls: 0, tokens: 0, cost: 0 }, activeMs: 0, clock, emit: (fact) => facts.push(fact), ...options }), facts };
}

const need = (role: AttemptNeed["role"], inputTokens: number, outputTokens: number, cost = 0): AttemptNeed => ({
  role,
  // Who judges a result, and not the answer.
  ...(role === "evaluator" && { subtaskId: "a" }),
  reserved: { inputTokens, outputTokens },
  cost,
});

describe("a budget", () => {
  test("reserves for an attempt all that it may use, and takes back what it has not", () => {
    const { pool: budget } = pool({ tokens: 1_000 });
    const [first, second] = [budget.claim(need("orchestrator", 100, 600)), budget.claim(need("orchestrator", 100, 600))];
    expect(first.reserve()).toBe("reserved");
    expect(second.reserve()).toBe("later");
    first.giveBack();
    budget.spend({ calls: 1, tokens: 300 });
    expect(second.reserve()).toBe("reserved");
  });

  test.each([
    ["dollars", { usd: 0.5 }, "$0.50"],
    ["tokens", { tokens: 1_000 }, "1.0k tokens"],
    ["calls", { calls: 1 }, "1 call"],
  ] as const)("in %s refuses what does not fit, once nobody is on his way who may give back", (_, limits, shown) => {
    const { pool: budget } = pool(limits);
    const claim = (): ReturnType<BudgetPool["claim"]> => budget.claim(need("orchestrator", 100, 800, 0.4));
    const first = claim();
    expect(first.reserve()).toBe("reserved");
    expect(claim().reserve()).toBe("later");
    first.giveBack();
    budget.spend({ calls: 1, tokens: 900, cost: 0.4 });
    expect(claim().reserve()).toMatchObject({ code: "budget_exhausted", message: expect.stringContaining(`budget of ${shown}`), retryable: false });
  });

  test("keeps the answer's share back from all but the answer", () => {
    const { pool: budget } = pool({ usd: 1 });
    budget.keepForAnswer({ call: { usd: 0.4, tokens: 0 }, perToken: { usd: 0 } });
    expect(budget.claim(need("orchestrator", 0, 0, 0.7)).reserve()).toMatchObject({ message: expect.stringContaining("$0.400 kept back for the answer") });
    expect(budget.claim(need("orchestrator", 0, 0, 0.6)).reserve()).toBe("reserved");
    expect(budget.claim(need("synthesizer", 0, 0, 0.4)).reserve()).toBe("reserved");
  });

  test("keeps back what the answer will have to read: what a worker may write, then what it has written", () => {
    const { pool: budget } = pool({ usd: 1 });
    budget.keepForAnswer({ call: { usd: 0.2, tokens: 0 }, perToken: { usd: 0.001 } });
    const worker = budget.claim(need("worker", 0, 300, 0.4));
    expect(worker.reserve()).toBe("reserved");
    // 0.4 reserved, 0.2 and 300 tokens kept back: 0.1 is left.
    expect(budget.claim(need("orchestrator", 0, 0, 0.15)).reserve()).toBe("later");
    worker.giveBack();
    budget.spend({ calls: 1, tokens: 0, cost: 0.1 });
    budget.answerReads(() => 100);
    // 0.1 used, 0.2 and 100 tokens kept back: 0.6 is left.
    expect(budget.claim(need("orchestrator", 0, 0, 0.61)).reserve()).toMatchObject({ code: "budget_exhausted" });
    expect(budget.claim(need("orchestrator", 0, 0, 0.59)).reserve()).toBe("reserved");
  });

  test("keeps back, of a subtask's tries and of what is written in their place, the longest: one of them is kept", () => {
    const { pool: budget } = pool({ usd: 1 });
    budget.keepForAnswer({ call: { usd: 0, tokens: 0 }, perToken: { usd: 0.001 } });
    const leaves = (usd: number): void => {
      expect(budget.claim(need("orchestrator", 0, 0, usd + 0.01)).reserve()).not.toBe("reserved");
      const claim = budget.claim(need("orchestrator", 0, 0, usd - 0.01));
      expect(claim.reserve()).toBe("reserved");
      claim.giveBack();
    };
    const tries = [300, 200, 300].map((cap) => budget.claim({ ...need("worker", 0, cap), subtaskId: "a" }));
    for (const claim of tries) expect(claim.reserve()).toBe("reserved");
    leaves(0.7);
    for (const [index, wrote] of [100, 150, 120].entries()) {
      tries[index]?.giveBack();
      budget.answerReads(() => wrote, "a");
      leaves([0.7, 0.7, 0.85][index] ?? 0);
    }
    // Written anew; and another's.
    budget.answerReads(() => 180, "A");
    leaves(0.82);
    budget.answerReads(() => 100, "b");
    leaves(0.72);
  });

  test("keeps nothing back for an answer that takes no call", () => {
    const { pool: budget } = pool({ calls: 1 });
    budget.keepForAnswer({ call: { usd: 0, tokens: 0 }, perToken: { usd: 0 } });
    expect(budget.claim(need("orchestrator", 1, 1)).reserve()).not.toBe("reserved");
    budget.keepForAnswer(undefined);
    expect(budget.claim(need("orchestrator", 1, 1)).reserve()).toBe("reserved");
  });

  test("lets the answer's share go to who judges the answer, as to who writes it", () => {
    const { pool: budget } = pool({ calls: 2 });
    budget.keepForAnswer({ call: { usd: 0, tokens: 0 }, perToken: { usd: 0 } });
    budget.spend({ calls: 1, tokens: 0 });
    const { subtaskId: _, ...judges } = need("evaluator", 10, 10);
    expect(budget.claim(need("evaluator", 10, 10)).reserve()).toMatchObject({ code: "budget_exhausted" });
    expect(budget.claim(judges).reserve()).toBe("reserved");
  });

  test("keeps back every comparison where results are compared, each for two of them", () => {
    const { pool: budget } = pool({ tokens: 1_000, calls: 6 });
    budget.keepForAnswer({ call: { usd: 0, tokens: 500 }, comparison: { usd: 0, tokens: 50 }, perToken: { usd: 0 } });
    for (const id of ["a", "b", "c"]) budget.answerReads(() => 50, id);
    budget.answerTakes(4);
    // Three results of 50 tokens: four calls that read two of them, 150 each; 400 are left.
    expect(budget.claim(need("orchestrator", 401, 0)).reserve()).toMatchObject({ code: "budget_exhausted" });
    expect(budget.claim(need("evaluator", 200, 200)).reserve()).not.toBe("reserved");
    expect(budget.claim(need("evaluator", 133, 0)).reserve()).toBe("reserved");
    expect(budget.claim(need("evaluator", 1, 0)).reserve()).toBe("reserved");
    // Two calls are out, and four are kept back.
    expect(budget.claim(need("evaluator", 1, 0)).reserve()).toBe("later");
    budget.answerTakes(1);
    expect(budget.claim(need("evaluator", 1, 0)).reserve()).toBe("reserved");
  });

  test("keeps back for comparisons what they read where the longest result wins at once", () => {
    const { pool: budget } = pool({ tokens: 2_000 });
    budget.keepForAnswer({ call: { usd: 0, tokens: 0 }, perToken: { usd: 0 } });
    for (let n = 0; n < 10; n++) budget.answerReads(() => (n === 0 ? 100 : 1), `${n}`);
    budget.answerTakes(18);
    // The first is read in each of 18 calls, each of the others in two.
    expect(budget.claim(need("orchestrator", 2_001 - 18 * 101, 0)).reserve()).toMatchObject({ code: "budget_exhausted" });
    expect(budget.claim(need("orchestrator", 2_000 - 18 * 101, 0)).reserve()).toBe("reserved");
  });

  test("goes on from what was used before", () => {
    const { pool: budget } = pool({ calls: 3 }, { spent: { calls: 2, tokens: 0 } });
    expect(budget.claim(need("worker", 1, 1)).reserve()).toBe("reserved");
    expect(budget.claim(need("worker", 1, 1)).reserve()).toBe("later");
  });

  test("of seconds lets nothing begin when they are over, but the answer", () => {
    const time = virtualClock(50_000);
    const { pool: budget } = pool({ seconds: 10 }, { clock: time, activeMs: 4_000 });
    expect(budget.claim(need("worker", 1, 1)).reserve()).toBe("reserved");
    void time.advance(5_999);
    const late = pool({ seconds: 10 }, { clock: virtualClock(50_000), activeMs: 10_000 }).pool;
    expect(late.claim(need("worker", 1, 1)).reserve()).toMatchObject({ code: "budget_exhausted", message: expect.stringContaining("time is over") });
    expect(late.claim(need("synthesizer", 1, 1)).reserve()).toBe("reserved");
    expect([budget.outOfTime, late.outOfTime?.code]).toEqual([undefined, "budget_exhausted"]);
  });

  test("says once when it is low, and once when a model went over it: then nothing begins any more", () => {
    const { pool: budget, facts } = pool({ usd: 1 });
    budget.spend({ calls: 1, tokens: 10, cost: 0.79 });
    expect(facts).toEqual([]);
    budget.spend({ calls: 1, tokens: 10, cost: 0.02 });
    budget.spend({ calls: 1, tokens: 10, cost: 0.1 });
    expect(facts).toEqual([{ type: "budget.low", spent: { calls: 2, tokens: 20, cost: expect.closeTo(0.81, 9) }, budget: { usd: 1 } }]);
    budget.spend({ calls: 1, tokens: 10, cost: 2 });
    budget.spend({ calls: 1, tokens: 10, cost: 2 });
    expect(facts.slice(1)).toEqual([
      { type: "run.noticed", notice: { code: "over_budget", message: expect.stringContaining("more than its budget of $1.00") } },
    ]);
    expect(budget.claim(need("synthesizer", 0, 0, 0)).reserve()).toMatchObject({ code: "budget_exhausted" });
  });

  test.each([
    [true, "a model went beyond its output cap"],
    [false, "what was sent came to more than was estimated"],
  ])("blames for its excess who is to blame (beyond its cap: %s)", (isBeyondCap, why) => {
    const { pool: budget, facts } = pool({ tokens: 100 });
    budget.spend({ calls: 1, tokens: 90 }, isBeyondCap);
    budget.spend({ calls: 1, tokens: 90 });
    expect(facts.at(-1)).toMatchObject({ notice: { code: "over_budget", message: expect.stringContaining(why) } });
  });

  test("that was low before does not say so again", () => {
    const { pool: budget, facts } = pool({ calls: 10 }, { spent: { calls: 9, tokens: 0 } });
    budget.spend({ calls: 1, tokens: 0 });
    expect(facts).toEqual([]);
  });
});

const attempts = fc.record({
  role: fc.constantFrom("orchestrator", "worker", "synthesizer"),
  subtaskId: fc.constantFrom("a", "b", "c"),
  input: fc.nat({ max: 50 }),
  cap: fc.integer({ min: 1, max: 100 }),
  /** Of what it may use, what it uses. */
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  /** How many others are asked for before it is over. */
  lasts: fc.nat({ max: 4 }),
});

test("is never exceeded, whatever is reserved, used and given back, and always has room for the answer", () => {
  fc.assert(
    fc.property(fc.array(attempts, { maxLength: 40 }), fc.integer({ min: 200, max: 1_500 }), fc.boolean(), (asked, tokens, keeps) => {
      const { pool: budget, facts } = pool({ tokens });
      const answer = { input: 20, cap: 60 };
      if (keeps) budget.keepForAnswer({ call: { usd: 0, tokens: answer.input + answer.cap }, perToken: { usd: 0 } });
      let used = 0;
      // Whichever of a subtask's texts is kept.
      const read = new Map<string, number>();
      let open: { left: number; end: () => void }[] = [];
      const pass = (): void => {
        for (const one of open) if (one.left-- <= 0) one.end();
        open = open.filter(({ left }) => left >= 0);
      };
      for (const { role, subtaskId, input, cap, share, lasts } of asked) {
        pass();
        if (keeps && role === "synthesizer") continue;
        const claim = budget.claim({ ...need(role, input, cap), ...(role === "worker" && { subtaskId }) });
        if (claim.reserve() !== "reserved") continue;
        const end = (): void => {
          const wrote = Math.floor(cap * share);
          claim.giveBack();
          budget.spend({ calls: 1, tokens: input + wrote });
          used += input + wrote;
          if (role !== "worker") return;
          budget.answerReads(() => wrote, subtaskId);
          read.set(subtaskId, Math.max(wrote, read.get(subtaskId) ?? 0));
        };
        open.push({ left: lasts, end });
      }
      for (const { end } of open) end();
      expect(used).toBeLessThanOrEqual(tokens);
      expect(facts.some(({ type }) => type === "run.noticed")).toBe(false);
      if (!keeps || used === 0) return;
      const last = budget.claim(need("synthesizer", answer.input + [...read.values()].reduce((sum, tokens) => sum + tokens, 0), answer.cap));
      expect(last.reserve()).toBe("reserved");
    }),
  );
});
