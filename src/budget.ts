import { count, dollars, duration, listed, tokens } from "./quantity.ts";

/** What a run may use, all attempts of all its lives together. At least one of them; what is left out is not bounded. */
export interface Budget {
  /** US dollars. More than 0. The price of every model that may be asked must be known. */
  readonly usd?: number | undefined;
  /** Of input and output together. 1 or more. */
  readonly tokens?: number | undefined;
  /** Attempts that leave for a model. 1 or more. */
  readonly calls?: number | undefined;
  /** Of carrying the run out. After that no call leaves but that for the answer; those in flight go on. More than 0. */
  readonly seconds?: number | undefined;
}

/** "$0.50 and 20 calls". */
export function shownBudget({ usd, tokens: most, calls, seconds }: Budget): string {
  return listed([
    ...(usd === undefined ? [] : [dollars(usd)]),
    ...(most === undefined ? [] : [`${tokens(most)} tokens`]),
    ...(calls === undefined ? [] : [count(calls, "call")]),
    ...(seconds === undefined ? [] : [duration(seconds * 1_000)]),
  ]);
}

/** The most that any of them names of each measure. */
export function largestBudget(budgets: readonly Budget[]): Budget {
  return budgets.reduce((largest, budget) => {
    const measures = ["usd", "tokens", "calls", "seconds"] as const;
    const most = measures.flatMap((measure) => {
      const named = [largest[measure], budget[measure]].filter((one) => one !== undefined);
      return named.length === 0 ? [] : [[measure, Math.max(...named)] as const];
    });
    return Object.fromEntries(most);
  }, {});
}
