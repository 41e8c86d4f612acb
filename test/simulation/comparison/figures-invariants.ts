import type { Average, Comparison, Figures, ComparedSide, ComparedTry } from "../../../src/compare/comparison.ts";
import type { WinShare } from "../../../src/compare/win-share.ts";

/** Figures follow from the tries, and what is said follows from the figures. */
export function figuresFaults({ tasks, figures, conclusion }: Comparison): string[] {
  return [
    ...tasks.flatMap((task) => averageFaults(`the figures of ${task.task}`, task.figures, task.tries)),
    ...averageFaults(
      "the figures of all",
      figures,
      tasks.flatMap(({ tries }) => tries),
    ),
    ...conclusionFaults(conclusion, figures),
  ];
}

function averageFaults(name: string, figures: Figures | undefined, tries: readonly ComparedTry[]): string[] {
  if (figures === undefined) return tries.length === 0 ? [] : [`${name} are missing`];
  if (figures.tries !== tries.length) return [`${name} are of ${figures.tries} tries, there are ${tries.length}`];
  return [
    ...sideFaults(
      `${name} of one call`,
      figures.one,
      tries.map(({ one }) => one),
    ),
    ...sideFaults(
      `${name}, divided,`,
      figures.divided,
      tries.map(({ divided }) => divided),
    ),
    ...shareFaults(name, figures.share, tries),
  ];
}

/** Averages over the tries that came to an answer; over all, where none did. */
function sideFaults(name: string, { unanswered, calls, tokens, cost, durationMs }: Average, sides: readonly ComparedSide[]): string[] {
  const answered = sides.filter(({ text }) => text !== "");
  if (unanswered !== sides.length - answered.length) return [`${name} say that ${unanswered} have no answer, it is ${sides.length - answered.length}`];
  const counted = answered.length === 0 ? sides : answered;
  const sums = [sumOf(counted, (side) => side.calls), sumOf(counted, (side) => side.tokens), sumOf(counted, (side) => side.durationMs)];
  const said = [calls, tokens, durationMs].map((mean) => mean * counted.length);
  const faults = said.every((sum, index) => isNear(sum, sums[index])) ? [] : [`${name} say ${said.join(", ")} in all, it is ${sums.join(", ")}`];
  const isPriced = counted.every((side) => side.cost !== undefined);
  const paid = isPriced ? sumOf(counted, (side) => side.cost ?? 0) : undefined;
  return isNear(cost === undefined ? undefined : cost * counted.length, paid) ? faults : [...faults, `${name} say that it cost ${cost}, in all it is ${paid}`];
}

/** Of the normal distribution, for 95 %. */
const z = 1.959964;

function shareFaults(name: string, share: WinShare | undefined, tries: readonly ComparedTry[]): string[] {
  const won = (winner: string): number => tries.filter(({ verdict }) => verdict?.winner === winner).length;
  const [wins, ties, losses] = [won("divided"), won("tie"), won("one")];
  const judged = wins + ties + losses;
  if (share === undefined || judged === 0) return (share === undefined) === (judged === 0) ? [] : [`${name} have a share of ${judged} judged tries`];
  const counts = [share.wins, share.ties, share.losses].join(", ");
  if (counts !== [wins, ties, losses].join(", ")) return [`${name} say ${counts} won, tied and lost, it is ${wins}, ${ties}, ${losses}`];
  const faults = isNear(share.share, (wins + ties / 2) / judged) ? [] : [`${name} say a share of ${share.share}`];
  // By Wilson, its bounds are the shares from which what came out is as far as chance goes.
  const isBound = (at: number): boolean => isNear((share.share - at) ** 2, (z ** 2 * at * (1 - at)) / judged);
  const { low, high } = share;
  if (!isBound(low) || !isBound(high) || low > share.share || high < share.share) faults.push(`${name} say that it lies from ${low} to ${high}`);
  return faults;
}

/** It says no more than the interval does. */
function conclusionFaults(conclusion: string, figures: Figures | undefined): string[] {
  const share = figures?.share;
  const wanted =
    figures === undefined
      ? "Nothing was done both ways"
      : share === undefined
        ? "nobody judged"
        : share.low > 0.5
          ? "Dividing gives the better answer"
          : share.high < 0.5
            ? "one call gives the better answer"
            : share.low >= 0.4 && share.high <= 0.6
              ? "makes no difference"
              : "Too few tries to tell";
  return conclusion.includes(wanted) ? [] : [`it concludes: ${conclusion}, and was to say: ${wanted}`];
}

function sumOf(sides: readonly ComparedSide[], of: (side: ComparedSide) => number): number {
  return sides.reduce((sum, side) => sum + of(side), 0);
}

function isNear(a: number | undefined, b: number | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Math.abs(a - b) < 1e-6;
}
