/** How often one side has won, and between which bounds the share lies that any number of tries would come to. */
export interface WinShare {
  readonly wins: number;
  readonly ties: number;
  readonly losses: number;
  /** Of all tries that were judged, a tie counted as half. From 0 to 1. */
  readonly share: number;
  /** Bounds of the 95 % confidence interval, by Wilson; a tie counts as half here too. From 0 to 1. */
  readonly low: number;
  readonly high: number;
}

/** Of the normal distribution, for 95 %. */
const z = 1.959964;

/** Nothing where nobody judged anything. */
export function winShare(wins: number, ties: number, losses: number): WinShare | undefined {
  const n = wins + ties + losses;
  if (n === 0) return undefined;
  const share = (wins + ties / 2) / n;
  const width = 1 + z ** 2 / n;
  const middle = (share + z ** 2 / (2 * n)) / width;
  const reach = (z / width) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2));
  // Where one side has won them all, a bound is the share itself, which sums of fractions miss by a hair.
  return { wins, ties, losses, share, low: share === 0 ? 0 : middle - reach, high: share === 1 ? 1 : middle + reach };
}
