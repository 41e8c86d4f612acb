import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bestByPairs } from "./best-by-pairs.ts";
import type { PairVerdict } from "./pairwise.ts";

/** Prefers the higher number, and says what it was shown. */
const compare = async (a: number, b: number): Promise<PairVerdict> => ({
  winner: a === b ? "tie" : a > b ? "a" : "b",
  reasons: `${a} beside ${b}`,
});

describe("the best of several", () => {
  test("is found by comparing the best so far with the next one, with what was said when it won", async () => {
    expect(await bestByPairs([2, 5, 3], compare)).toEqual({ best: 5, reasons: "2 beside 5", ties: [] });
    expect(await bestByPairs([7], compare)).toEqual({ best: 7, reasons: "", ties: [] });
  });

  test("is the earlier of equals, and the later ones are named", async () => {
    const items = [{ n: 1 }, { n: 4, first: true }, { n: 4 }, { n: 2 }];
    const { best, ties } = await bestByPairs([items[0] ?? { n: 0 }, ...items.slice(1)], (a, b) => compare(a.n, b.n));
    expect(best).toBe(items[1]);
    expect(ties).toEqual([items[2]]);
  });

  test("is the best, in one comparison less than there are, where the judge is consistent", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(fc.integer()), async (first, others) => {
        let compared = 0;
        const { best, ties } = await bestByPairs([first, ...others], (a, b) => {
          compared++;
          return compare(a, b);
        });
        const all = [first, ...others];
        expect(best).toBe(Math.max(...all));
        expect(compared).toBe(others.length);
        expect(ties).toHaveLength(all.filter((one) => one === best).length - 1);
      }),
    );
  });
});
