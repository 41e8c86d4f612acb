import type { Budget } from "../budget.ts";
import { listed } from "../quantity.ts";

/** The flags that set what a budget bounds: those of other measures would not change it, and dollars may not be possible. */
export function budgetFlags({ usd, tokens, calls, seconds }: Budget): string {
  return listed([
    ...(usd === undefined ? [] : ["--budget"]),
    ...(tokens === undefined ? [] : ["--max-tokens"]),
    ...(calls === undefined ? [] : ["--max-calls"]),
    ...(seconds === undefined ? [] : ["--max-seconds"]),
  ]);
}
