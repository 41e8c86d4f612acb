import { expect, test } from "vitest";
import type { Average, Figures } from "./comparison.ts";
import { conclusionOf } from "./conclusion.ts";
import { winShare } from "./win-share.ts";

const one: Average = { unanswered: 0, calls: 1, tokens: 1_000, cost: 0.01, durationMs: 10_000 };
const divided: Average = { unanswered: 0, calls: 5, tokens: 4_000, cost: 0.025, durationMs: 8_000 };
const figures = (wins: number, ties: number, losses: number): Figures => {
  const share = winShare(wins, ties, losses);
  return { tries: wins + ties + losses, one, divided, ...(share && { share }) };
};

test.each([
  [
    "a clear win",
    figures(9, 1, 0),
    "Dividing gives the better answer here: it won 95 % of 10 judged tries, a tie counted as half a win (95 %: 66 % to 99 %). It takes 2.5 times the cost and 0.8 times the time of one call.",
  ],
  [
    "a clear loss",
    figures(0, 0, 10),
    "Do not divide here: one call gives the better answer. Divided, it won 0 % of 10 judged tries (95 %: 0 % to 28 %), and it takes 2.5 times the cost and 0.8 times the time of one call.",
  ],
  [
    "one win, which is nothing",
    figures(1, 0, 0),
    "Too few tries to tell whether dividing gives the better answer: it won 100 % of 1 judged try (95 %: 21 % to 100 %), which may be chance. It takes 2.5 times the cost and 0.8 times the time of one call.",
  ],
  [
    "many ties",
    figures(0, 200, 0),
    "Dividing makes no difference to the answer that would show here: it won 50 % of 200 judged tries, a tie counted as half a win (95 %: 43 % to 57 %). It takes 2.5 times the cost and 0.8 times the time of one call.",
  ],
  [
    "no judge",
    { tries: 1, one, divided },
    "Dividing takes 2.5 times the cost and 0.8 times the time of one call. Whether its answers are better, nobody judged.",
  ],
  [
    "a way that never answers, which is not cheap",
    { tries: 3, one, divided: { ...divided, unanswered: 3, tokens: 40 } },
    "Whether its answers are better, nobody judged. Divided, 3 of 3 tries came to no answer.",
  ],
  [
    "a way that sometimes does not answer",
    { ...figures(0, 0, 10), one: { ...one, unanswered: 1 } },
    "Do not divide here: one call gives the better answer. Divided, it won 0 % of 10 judged tries (95 %: 0 % to 28 %), and it takes 2.5 times the cost and 0.8 times the time of one call. In one call, 1 of 10 tries came to no answer.",
  ],
  [
    "a way that takes next to nothing",
    { tries: 1, one, divided: { ...divided, cost: 0.000_123 } },
    "Dividing takes 0.012 times the cost and 0.8 times the time of one call. Whether its answers are better, nobody judged.",
  ],
  ["no try", undefined, "Nothing was done both ways, so nothing can be said."],
])("of %s", (_, given, sentence) => {
  expect(conclusionOf(given)).toBe(sentence);
});

test("goes by tokens where a price is not known, or nothing costs anything", () => {
  const { cost: _, ...unpriced } = divided;
  expect(conclusionOf({ tries: 1, one, divided: unpriced })).toContain("4.0 times the tokens");
  expect(conclusionOf({ tries: 1, one: { ...one, cost: 0 }, divided: { ...divided, cost: 0 } })).toContain("4.0 times the tokens");
});
