import { expect, test } from "vitest";
import { winShare } from "./win-share.ts";

test.each([
  // As in the published tables of Wilson's interval.
  [10, 0, 0, 1, 0.7225, 1],
  [0, 0, 10, 0, 0, 0.2775],
  [15, 0, 5, 0.75, 0.5313, 0.8881],
  [1, 0, 0, 1, 0.2065, 1],
])("%i wins, %i ties and %i losses are a share of %d, from %d to %d", (wins, ties, losses, share, low, high) => {
  const found = winShare(wins, ties, losses);
  expect(found?.share).toBe(share);
  expect(found?.low).toBeCloseTo(low, 3);
  expect(found?.high).toBeCloseTo(high, 3);
});

test.each([1, 2, 3, 7, 11, 40])("who has won all or none of %d has a bound that is just that", (tries) => {
  expect([winShare(0, 0, tries)?.low, winShare(tries, 0, 0)?.high]).toEqual([0, 1]);
});

test("a tie counts as half a win", () => {
  expect(winShare(1, 2, 1)).toMatchObject({ wins: 1, ties: 2, losses: 1, share: 0.5 });
  expect(winShare(0, 3, 0)?.share).toBe(0.5);
});

test("of no tries there is no share", () => {
  expect(winShare(0, 0, 0)).toBeUndefined();
});
