import { type Budget, shownBudget } from "../../budget.ts";
import { listed } from "../../quantity.ts";

/** The flags that set what a budget bounds: those of other measures would not change it, and dollars may not be possible. */
export function budgetFlags({ usd, tokens, calls, seconds }: Budget): string {
  return listed([
    ...(usd === undefined ? [] : ["--budget"]),
    ...(tokens === undefined ? [] : ["--max-tokens"]),
    ...(calls === undefined ? [] : ["--max-calls"]),
    ...(seconds === undefined ? [] : ["--max-seconds"]),
  ]);
}

/** What a run may use at most, and how to change that. */
export function shownBound(budget: Budget): string {
  const flags = budgetFlags(budget);
  return `budget: at most ${shownBudget(budget)}; ${flags} ${flags.includes(" ") ? "change" : "changes"} it`;
}
