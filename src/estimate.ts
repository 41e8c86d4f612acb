import { dollars, tokens as shownTokens } from "./quantity.ts";

/** What calls have used, or may use. */
export interface Spend {
  readonly calls: number;
  readonly tokens: number;
  /** US dollars. Absent where a price is not known. */
  readonly cost?: number;
}

/** What calls may use before they have left: guessed, from the texts that are known. */
export interface Estimate {
  /** Where replies are as long as they usually are. */
  readonly expected: Spend;
  /** Where each reply fills its output cap. Further tries of one call are not counted. */
  readonly worst: Spend;
}

export function addSpend(a: Spend, b: Spend): Spend {
  const cost = a.cost === undefined || b.cost === undefined ? undefined : a.cost + b.cost;
  return { calls: a.calls + b.calls, tokens: a.tokens + b.tokens, ...(cost !== undefined && { cost }) };
}

/** "about $0.012, at most $0.30", or in tokens where no price is known. */
export function shownEstimate({ expected, worst }: Estimate): string {
  return `about ${shownSpend(expected)}, at most ${shownSpend(worst)}`;
}

function shownSpend({ cost, tokens }: Spend): string {
  return cost === undefined ? `${shownTokens(tokens)} tokens` : dollars(cost);
}
