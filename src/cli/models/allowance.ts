import type { Allowance } from "../../assembly/run-budget.ts";

/** What a run at the terminal may use where nothing is said of it: nobody shall find a bill that he did not expect. */
export const allowance: Allowance = { usd: 5, tokens: 500_000 };
