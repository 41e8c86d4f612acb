import type { Budget } from "../../src/budget.ts";
import { chance, type Chance } from "./chance.ts";

/** What is drawn of budgets for one simulation, apart from all else that is drawn for it. */
export interface DrawnBudgets {
  /** Of the first run, the second, ...; nothing where one has none. */
  readonly budgets: readonly (Budget | undefined)[];
  /** Shares of the replies that use their output cap up, and that go beyond it. */
  readonly fillsCap: number;
  readonly overCap: number;
  /** In the end they are raised, so that all can be done. */
  readonly areRaised: boolean;
}

/** What a process that goes on with a run says of its budget, the new total: beside the one before, or what was spent. */
export interface NewTotal {
  readonly is: "higher" | "the same" | "below what is spent" | "another";
  /** Where there was none before, or where it is another. */
  readonly other: Budget;
}

/** Enough for everything. */
export const raised: NewTotal = { is: "another", other: { tokens: 1e9, calls: 1e6 } };

export function budgetsFrom(seed: number, isPriced: boolean): DrawnBudgets {
  const draw = chance(seed, "budgets");
  const { happens } = draw;
  return {
    budgets: Array.from({ length: 2 }, () => (happens(0.5) ? drawnBudget(draw, isPriced) : undefined)),
    fillsCap: happens(0.2) ? 0.3 : 0,
    overCap: happens(0.25) ? 0.3 : 0,
    areRaised: happens(0.6),
  };
}

export function newTotalFrom(seed: number, life: number, isPriced: boolean): NewTotal | undefined {
  const draw = chance(seed, `budget of life ${life}`);
  if (life === 0 || draw.happens(0.6)) return undefined;
  return { is: draw.of(["higher", "higher", "the same", "below what is spent", "another"]), other: drawnBudget(draw, isPriced) };
}

/** From what does not even pay for a plan to what is enough for most. */
function drawnBudget({ of, whole, magnitude, happens }: Chance, isPriced: boolean): Budget {
  const measures = ["tokens", "calls", "seconds", ...(isPriced ? (["usd"] as const) : [])] as const;
  const picked = new Set([of(measures), ...(happens(0.3) ? [of(measures)] : []), ...(happens(0.1) ? measures : [])]);
  return {
    ...(picked.has("usd") && { usd: magnitude(100, 4_000) / 1_000 }),
    ...(picked.has("tokens") && { tokens: magnitude(15_000, 250_000) }),
    ...(picked.has("calls") && { calls: whole(1, 25) }),
    ...(picked.has("seconds") && { seconds: magnitude(1, 300) }),
  };
}

/** The total that is named, of what the run has had and spent; nothing where the one before is to hold. */
export function namedTotal(
  wanted: NewTotal | undefined,
  before: Budget | undefined,
  spent: { readonly usd: number; readonly tokens: number; readonly calls: number },
): Budget | undefined {
  if (wanted === undefined) return undefined;
  const { is, other } = wanted;
  if (is === "another" || before === undefined) return other;
  if (is === "the same") return before;
  const { usd, tokens, calls, seconds } = before;
  if (is === "higher") {
    return {
      ...(usd !== undefined && { usd: usd * 2 }),
      ...(tokens !== undefined && { tokens: tokens * 2 }),
      ...(calls !== undefined && { calls: calls * 2 }),
      ...(seconds !== undefined && { seconds: seconds * 2 }),
    };
  }
  return {
    ...(usd !== undefined && { usd: Math.max(spent.usd / 2, 1e-6) }),
    ...(tokens !== undefined && { tokens: Math.max(Math.floor(spent.tokens / 2), 1) }),
    ...(calls !== undefined && { calls: Math.max(Math.floor(spent.calls / 2), 1) }),
    ...(seconds !== undefined && { seconds: seconds / 2 }),
  };
}
