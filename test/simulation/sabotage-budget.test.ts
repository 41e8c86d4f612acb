import { afterEach, describe, expect, test, vi } from "vitest";
import type { Budget } from "../../src/budget.ts";
import type { AttemptClaim } from "../../src/calls/run-budget.ts";
import { BudgetPool } from "../../src/governor/budget-pool.ts";
import { Tally } from "../../src/orchestrator/tally.ts";
import { calm, changeEvent, type Sabotage, unsaid } from "./sabotage.ts";
import type { LifePlan, Schedule } from "./schedule.ts";

/** Has every claim be granted. */
function grantAll(): void {
  const { claim } = BudgetPool.prototype;
  vi.spyOn(BudgetPool.prototype, "claim").mockImplementation(function (this: BudgetPool, need): AttemptClaim {
    const real = claim.call(this, need);
    let isReal = false;
    return {
      reserve: () => {
        isReal = real.reserve() === "reserved";
        return "reserved";
      },
      giveBack: () => {
        if (isReal) real.giveBack();
      },
    };
  });
}

/** Nothing goes wrong but what its budget does not allow. */
const under =
  (budget: Budget, more: Partial<Schedule> = {}): ((schedule: Schedule) => Schedule) =>
  (schedule) => ({
    ...calm(schedule),
    isPriced: true,
    isGiven: false,
    answers: 0,
    rerun: false,
    budgets: [budget, undefined],
    fillsCap: 0,
    overCap: 0,
    areRaised: false,
    ...more,
  });

/** The first process dies, the next goes on under the budget that there was. */
const resumed = (budget: Budget): ((schedule: Schedule) => Schedule) => {
  return (schedule) => {
    const calmly = under(budget)(schedule);
    const dying = calmly.lives.map((life): LifePlan => ({ ...life, crash: { on: "ask", what: "commit", n: 7, done: true } }));
    return { ...calmly, lives: dying };
  };
};

const sabotages: readonly Sabotage[] = [
  {
    name: "grants all that is asked of it",
    breaks: () => grantAll(),
    says: [/ starts when .* are spent and .* reserved of/, /it has spent .* tokens of/],
    under: under({ tokens: 40_000 }, { fillsCap: 0.5 }),
  },
  {
    name: "lets attempts start when it is exceeded",
    breaks: () => grantAll(),
    says: [/ starts when .* of .* are spent$/],
    under: under({ tokens: 60_000 }, { overCap: 0.5 }),
  },
  {
    name: "lets attempts start when its time is over",
    breaks: () => grantAll(),
    says: [/ starts when its time is over/],
    under: under({ seconds: 2 }),
  },
  {
    name: "forgets what was spent before",
    breaks: () => void vi.spyOn(Tally.prototype, "attempts", "get").mockReturnValue(0),
    says: [/it has spent \d+ calls of/],
    under: resumed({ calls: 6 }),
  },
  {
    name: "forgets what reserved attempts may use",
    breaks: () => {
      const { claim } = BudgetPool.prototype;
      vi.spyOn(BudgetPool.prototype, "claim").mockImplementation(function (this: BudgetPool, need) {
        return claim.call(this, { ...need, reserved: { ...need.reserved, outputTokens: 0 } });
      });
    },
    says: [/ starts when .* are spent and .* reserved of/],
    under: under({ tokens: 40_000 }),
  },
  {
    name: "keeps nothing back for the answer",
    breaks: () => void vi.spyOn(BudgetPool.prototype, "keepForAnswer").mockReturnValue(),
    says: [/its budget does not pay for the answer/],
    under: under({ calls: 4 }, { synthesis: "merge" }),
  },
  {
    name: "takes each attempt for dearer than it may be",
    breaks: () => {
      const { claim } = BudgetPool.prototype;
      vi.spyOn(BudgetPool.prototype, "claim").mockImplementation(function (this: BudgetPool, need) {
        return claim.call(this, { ...need, cost: 1e9 });
      });
    },
    says: [/is left out for the budget, and would have fitted in/],
    under: under({ usd: 100 }),
  },
  {
    name: "holds another total than the one that is named",
    breaks: () => changeEvent("run.started", (event) => [{ ...event, budget: { calls: 1_000 } }]),
    says: [/its budget is .*, and was to be/],
    under: under({ calls: 6 }),
  },
  {
    name: "does not say that it is low",
    breaks: () => changeEvent("budget.low", () => []),
    says: [/nobody said that its budget is low/],
    under: under({ tokens: 60_000 }, { fillsCap: 0.5 }),
  },
  {
    name: "says again and again that it is low",
    breaks: () => changeEvent("attempt.settled", (event) => [event, { type: "budget.low", spent: { calls: 1, tokens: 1 }, budget: { calls: 100 } }]),
    says: [/its budget is said to be low at .* of/, /is said to be low twice in one life/],
    under: under({ calls: 100 }),
  },
  {
    name: "says of what was done that it was left out",
    breaks: () => changeEvent("subtask.finished", ({ subtaskId }) => [{ type: "subtask.skipped", subtaskId, reason: "budget", because: "" }]),
    says: [/ is skipped for the budget, and was begun/, /it is ok, without/],
    under: under({ calls: 100 }),
  },
  {
    name: "says of another fault than that it is used up",
    breaks: () =>
      changeEvent("run.finished", (event) => {
        const { outcome } = event;
        return [outcome.status === "partial" ? { ...event, outcome: { ...outcome, error: { ...outcome.error, code: "incomplete" } } } : event];
      }),
    says: [/it ended with incomplete, and lacks/],
    under: under({ calls: 4 }),
  },
];

describe("a simulation notices a budget that", () => {
  afterEach(() => void vi.restoreAllMocks());
  test.for(sabotages.map((sabotage) => [sabotage.name, sabotage] as const))("%s", { timeout: 60_000 }, async ([, sabotage]) => {
    expect(await unsaid(sabotage)).toEqual([]);
  });
});
