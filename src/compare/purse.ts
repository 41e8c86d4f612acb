import type { Budget } from "../budget.ts";
import type { Allowance } from "../assembly/run-budget.ts";
import { DivvyError } from "../errors.ts";
import type { Fact } from "../events.ts";

/** What something used, in a budget's measures. */
type Used = { readonly [Measure in keyof Budget]-?: number | (Measure extends "usd" ? undefined : never) };

/** What is left for the rest of a comparison: its runs share one budget. */
export class Purse {
  readonly #budget: Budget | undefined;
  /** Where no budget is named. */
  readonly #allowance: Allowance | undefined;
  /** Of the tokens, `unpriced` are those of attempts whose cost is not known. */
  #spent = { usd: 0, tokens: 0, unpriced: 0, calls: 0, seconds: 0 };

  constructor(budget: Budget | undefined, allowance: Allowance | undefined) {
    this.#budget = budget;
    this.#allowance = budget === undefined ? allowance : undefined;
  }

  /** Notes what an attempt used. */
  note(fact: Fact & { readonly type: "attempt.settled" }): void {
    this.add({ usd: fact.cost, tokens: fact.usage.totalTokens ?? 0, calls: fact.calls ?? 1, seconds: 0 });
  }

  /** @param usd nothing where that is not known */
  add({ usd: cost, tokens: used, calls: more, seconds: took }: Used): void {
    const { usd, tokens, unpriced, calls, seconds } = this.#spent;
    this.#spent = {
      usd: usd + (cost ?? 0),
      tokens: tokens + used,
      unpriced: unpriced + (cost === undefined ? used : 0),
      calls: calls + more,
      seconds: seconds + took,
    };
  }

  /**
   * What the next run may use.
   *
   * @throws DivvyError `budget_exhausted` where nothing is left
   */
  left(): { readonly budget?: Budget; readonly allowance?: Allowance } {
    const { usd, tokens, calls, seconds } = this.#budget ?? {};
    const spent = this.#spent;
    const budget: Budget = {
      ...(usd !== undefined && { usd: usd - spent.usd }),
      ...(tokens !== undefined && { tokens: tokens - spent.tokens }),
      ...(calls !== undefined && { calls: calls - spent.calls }),
      ...(seconds !== undefined && { seconds: seconds - spent.seconds }),
    };
    // Tokens bound only what has no price.
    const allowance = this.#allowance && { usd: this.#allowance.usd - spent.usd, tokens: this.#allowance.tokens - spent.unpriced };
    const measures = [budget.usd, budget.tokens, budget.calls, budget.seconds, allowance?.usd, allowance?.tokens];
    if (measures.some((left) => left !== undefined && left <= 0)) throw overBudget();
    return { ...(this.#budget && { budget }), ...(allowance && { allowance }) };
  }
}

export function overBudget(): DivvyError {
  return new DivvyError("budget_exhausted", "The budget of the comparison is used up.", {
    hint: "What is there up to then stands; raise the budget, or compare fewer tries.",
  });
}
