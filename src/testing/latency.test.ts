import { describe, expect, test } from "vitest";
import { latencyModel } from "./latency.ts";

const keys = Array.from({ length: 4_001 }, (_, i) => `call ${i}`);
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

describe("latencyModel", () => {
  test("gives the same time for the same seed and key, in whatever order it is asked", () => {
    const options = { seed: 3, firstTokenMs: { median: 500, sigma: 0.5 } };
    const [forward, backward] = [latencyModel(options), latencyModel(options)];
    const times = keys.map((key) => forward.sample(key));
    expect(
      keys
        .toReversed()
        .map((key) => backward.sample(key))
        .toReversed(),
    ).toEqual(times);
    expect(latencyModel({ ...options, seed: 4 }).sample("call 0")).not.toBe(times[0]);
    expect(new Set(times).size).toBe(keys.length);
  });

  test("is lognormal: half below the median, one in twenty far above it", () => {
    const model = latencyModel({ seed: 1, firstTokenMs: { median: 500, sigma: 0.5 } });
    const times = sorted(keys.map((key) => model.sample(key)));
    expect((times[2_000] ?? 0) / 500).toBeCloseTo(1, 1);
    expect((times[3_800] ?? 0) / 500).toBeCloseTo(2.28, 0);
    expect(times[0]).toBeGreaterThan(0);
  });

  test("has no spread at sigma 0", () => {
    const model = latencyModel({ seed: 1, firstTokenMs: { median: 500, sigma: 0 } });
    expect([model.sample("a"), model.sample("b")]).toEqual([500, 500]);
  });

  test("adds the time of each further token, unless the total is given", () => {
    const exact = { seed: 1, firstTokenMs: { median: 100, sigma: 0 }, tokenMs: { median: 10, sigma: 0 } };
    expect(latencyModel(exact).sample("a", 11)).toBe(200);
    expect(latencyModel({ ...exact, totalMs: { median: 5_000, sigma: 0 } }).sample("a", 11)).toBe(5_000);
  });

  test("spreads the time over the deltas of a reply", () => {
    const model = latencyModel({ seed: 1, firstTokenMs: { median: 100, sigma: 0 }, totalMs: { median: 400, sigma: 0 } });
    expect(model.timing("a", "x".repeat(64), 16)).toEqual({ firstMs: 100, chunkMs: 100, chunkSize: 16 });
    expect(model.timing("a", "short")).toEqual({ firstMs: 100, chunkMs: 0, chunkSize: 16 });
  });

  test("the first token never comes after the whole", () => {
    const model = latencyModel({ seed: 1, firstTokenMs: { median: 900, sigma: 0 }, totalMs: { median: 400, sigma: 0 } });
    expect(model.timing("a", "x".repeat(64), 16)).toEqual({ firstMs: 400, chunkMs: 0, chunkSize: 16 });
  });
});
