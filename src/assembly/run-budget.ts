import type { Budget } from "../budget.ts";
import type { RunBudget } from "../calls/run-budget.ts";
import { DivvyError } from "../errors.ts";
import { BudgetPool } from "../governor/budget-pool.ts";
import { answerReserve } from "../orchestrator/ahead/answer-reserve.ts";
import type { AskedRole } from "../orchestrator/ahead/roles-asked.ts";
import type { Costs, RunSetup } from "../orchestrator/run-setup.ts";
import type { Tally } from "../orchestrator/tally.ts";
import { noUsage } from "../usage.ts";

/** What a run may use that names no budget: dollars where all prices are known, else tokens. Models that cost nothing need no bound. */
export interface Allowance {
  readonly usd: number;
  readonly tokens: number;
}

export interface BudgetWish {
  readonly named: Budget | undefined;
  /** Where none is named. */
  readonly allowance: Allowance | undefined;
  /** Who may be asked: their prices must be known. */
  readonly asked: readonly AskedRole[];
  /** Is it known what the run has cost so far? @default true */
  readonly isCostKnown?: boolean;
}

/** The budget that holds for a run. Rejects with `unknown_price` where dollars are named, and a price or what was spent so far is not known. */
export async function budgetFor({ costs }: Pick<RunSetup, "costs">, { named, allowance, asked, isCostKnown = true }: BudgetWish): Promise<Budget | undefined> {
  if (named === undefined && allowance === undefined) return undefined;
  if (named !== undefined && named.usd === undefined) return named;
  const prices = await pricesByModel(costs, asked);
  const unpriced = [...prices].flatMap(([model, price]) => (price === undefined ? [model] : []));
  if (named === undefined && allowance !== undefined) {
    if (unpriced.length > 0 || !isCostKnown) return { tokens: allowance.tokens };
    return [...prices.values()].every((price) => price === 0) ? undefined : { usd: allowance.usd };
  }
  if (unpriced.length > 0) {
    throw new DivvyError("unknown_price", `The budget is in dollars, and what ${unpriced.join(" and ")} costs is not known.`, {
      evidence: { known: unpriced },
    });
  }
  if (isCostKnown) return named;
  throw new DivvyError("unknown_price", "The budget is in dollars, and what the run has cost so far is not known.", {
    hint: "Bound it by `budget.tokens` in place of `usd`.",
  });
}

/** Opens it: with what the run has used in earlier lives, and with the answer's share kept back, for what it has to read of results that stand too. */
export async function openBudget(setup: RunSetup, budget: Budget, tally: Tally): Promise<RunBudget> {
  const { spent, activeMs } = tally;
  const pool = new BudgetPool({
    budget,
    spent: { ...spent, calls: tally.attempts },
    activeMs,
    pausedMs: setup.pausedMs,
    clock: setup.clock,
    emit: setup.run.emit,
  });
  pool.keepForAnswer(await answerReserve(setup));
  const { textTokens } = setup.costs;
  for (const [id, end] of setup.start.kept) pool.answerReads(() => textTokens(end.status === "done" ? end.result : end.error.message), id);
  return pool;
}

/** What a token in and a token out cost with each model; nothing where that is not known. */
async function pricesByModel(costs: Costs, asked: readonly AskedRole[]): Promise<ReadonlyMap<string, number | undefined>> {
  const prices = new Map<string, number | undefined>();
  for (const role of asked) {
    const price = (await costs.priceOf(role))({ ...noUsage, inputTokens: 1, outputTokens: 1 });
    const known = prices.get(role.model);
    // One model may have a price for one role and none for another.
    if (!prices.has(role.model) || price === undefined || (known !== undefined && price > known)) prices.set(role.model, price);
  }
  return prices;
}
