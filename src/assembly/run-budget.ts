import type { Budget } from "../budget.ts";
import type { RunBudget } from "../calls/call.ts";
import { DivvyError } from "../errors.ts";
import { BudgetPool } from "../governor/budget-pool.ts";
import { answerReserve } from "../orchestrator/answer-reserve.ts";
import type { RunSetup } from "../orchestrator/run-setup.ts";
import type { Tally } from "../orchestrator/tally.ts";
import { noUsage } from "../usage.ts";

/** What a run may use that names no budget: dollars where all prices are known, else tokens. */
export interface Allowance {
  readonly usd: number;
  readonly tokens: number;
}

/** The budget that holds for a run. Rejects with `unknown_price` where dollars are named, and a price is not known. */
export async function budgetFor(setup: RunSetup, named: Budget | undefined, allowance: Allowance | undefined): Promise<Budget | undefined> {
  if (named === undefined && allowance === undefined) return undefined;
  if (named !== undefined && named.usd === undefined) return named;
  const unpriced = await unpricedModels(setup);
  if (named === undefined) return unpriced.length === 0 ? { usd: allowance?.usd ?? 0 } : { tokens: allowance?.tokens ?? 0 };
  if (unpriced.length === 0) return named;
  throw new DivvyError("unknown_price", `The budget is in dollars, and what ${unpriced.join(" and ")} costs is not known.`, { evidence: { known: unpriced } });
}

/** Opens it: with what the run has used in earlier lives, and with the answer's share kept back, for what it has to read of results that stand too. */
export async function openBudget(setup: RunSetup, budget: Budget, tally: Tally): Promise<RunBudget> {
  const { spent, activeMs } = tally;
  if (budget.usd !== undefined && spent.cost === undefined) {
    throw new DivvyError("unknown_price", "The budget is in dollars, and what the run has cost so far is not known.", {
      hint: "Bound it by `budget.tokens` in place of `usd`.",
    });
  }
  const pool = new BudgetPool({ budget, spent: { ...spent, calls: tally.attempts }, activeMs, clock: setup.clock, emit: setup.run.emit });
  pool.keepForAnswer(await answerReserve(setup));
  for (const end of setup.kept.values()) if (end.status === "done") pool.wrote(setup.costs.textTokens(end.result));
  return pool;
}

async function unpricedModels({ roles, costs }: RunSetup): Promise<readonly string[]> {
  const models = new Set<string>();
  for (const role of [roles.orchestrator, roles.worker, ...roles.workers.values(), roles.synthesizer]) {
    const priceOf = await costs.priceOf(role);
    if (priceOf({ ...noUsage, inputTokens: 1, outputTokens: 1 }) === undefined) models.add(role.model);
  }
  return [...models];
}
