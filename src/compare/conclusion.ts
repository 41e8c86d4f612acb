import { count } from "../quantity.ts";
import type { Average, Figures } from "./comparison.ts";

/** Where the whole interval lies so near the middle, a difference would be too small to matter. */
const evenLow = 0.4;
const evenHigh = 0.6;

/** Should one divide at all? By the figures alone, and no further than they reach. */
export function conclusionOf(figures: Figures | undefined): string {
  if (figures === undefined) return "Nothing was done both ways, so nothing can be said.";
  return [wayOf(figures), ...unanswered(figures)].join(" ");
}

function wayOf(figures: Figures): string {
  const { share } = figures;
  const takes = ratios(figures);
  if (share === undefined) return `${takes === undefined ? "" : `Dividing takes ${takes}. `}Whether its answers are better, nobody judged.`;
  const { share: won, low, high } = share;
  const judged = share.wins + share.ties + share.losses;
  const halves = share.ties === 0 ? "" : ", a tie counted as half a win";
  const range = `it won ${percent(won)} of ${count(judged, "judged try", "judged tries")}${halves} (95 %: ${percent(low)} to ${percent(high)})`;
  const more = takes === undefined ? "" : ` It takes ${takes}.`;
  if (low > 0.5) return `Dividing gives the better answer here: ${range}.${more}`;
  if (high < 0.5) return `Do not divide here: one call gives the better answer. Divided, ${range}${takes === undefined ? "" : `, and it takes ${takes}`}.`;
  if (low >= evenLow && high <= evenHigh) return `Dividing makes no difference to the answer that would show here: ${range}.${more}`;
  return `Too few tries to tell whether dividing gives the better answer: ${range}, which may be chance.${more}`;
}

/** "2.4 times the cost and 0.8 times the time of one call"; nothing where a way never came to an answer, since then it took nothing to give one. */
function ratios({ tries, one, divided }: Figures): string | undefined {
  if (one.unanswered === tries || divided.unanswered === tries) return undefined;
  const [what, ratio] = spent(one, divided);
  return `${times(ratio)} the ${what} and ${times(divided.durationMs / one.durationMs)} the time of one call`;
}

/** Which way came to no answer, and how often. */
function unanswered({ tries, one, divided }: Figures): readonly string[] {
  const said = (way: string, { unanswered: missing }: Average): string[] =>
    missing === 0 ? [] : [`${way}, ${missing} of ${count(tries, "try", "tries")} came to no answer.`];
  return [...said("In one call", one), ...said("Divided", divided)];
}

function spent(one: Average, divided: Average): readonly [what: string, ratio: number] {
  if (one.cost !== undefined && divided.cost !== undefined && one.cost > 0) return ["cost", divided.cost / one.cost];
  return ["tokens", divided.tokens / one.tokens];
}

function times(ratio: number): string {
  if (!Number.isFinite(ratio)) return "an unknown multiple of";
  if (ratio < 0.995) return `${Number(ratio.toPrecision(2))} times`;
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} times`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
