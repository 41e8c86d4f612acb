import { describe, expect, test } from "vitest";
import { pick, seededRandom, seedFor } from "./random.ts";

const draw = (seed: number, count: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, random);
};

describe("seededRandom", () => {
  test("repeats itself under one seed and differs under another", () => {
    expect(draw(7, 20)).toEqual(draw(7, 20));
    expect(draw(7, 20)).not.toEqual(draw(8, 20));
  });

  test("stays in [0, 1) and is spread evenly", () => {
    const numbers = draw(1, 10_000);
    expect(numbers.every((n) => n >= 0 && n < 1)).toBe(true);
    const mean = numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
    expect(mean).toBeCloseTo(0.5, 1);
    expect(numbers.filter((n) => n < 0.1).length).toBeGreaterThan(850);
  });
});

test("seedFor tells names and seeds apart", () => {
  const seeds = [seedFor(1, "a"), seedFor(1, "b"), seedFor(2, "a"), seedFor(1, "")];
  expect(new Set(seeds).size).toBe(4);
  expect(seedFor(1, "a")).toBe(seeds[0]);
});

test("pick reaches every item and rejects an empty list", () => {
  const random = seededRandom(3);
  const seen = new Set(Array.from({ length: 100 }, () => pick(random, ["a", "b", "c"])));
  expect(seen).toEqual(new Set(["a", "b", "c"]));
  expect(() => pick(random, [])).toThrow(RangeError);
});
