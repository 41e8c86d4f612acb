import { describe, expect, test } from "vitest";
import { Pace } from "./pace.ts";

/** Accepts so many, evenly over the second before `now`. */
function accepting(pace: Pace, perSecond: number, now: number): void {
  for (let nth = perSecond - 1; nth >= 0; nth--) pace.accepted(now - (nth * 1_000) / perSecond);
}

/** How many go out in so long, each as soon as it may. */
function letOut(pace: Pace, from: number, ms: number): number {
  let count = 0;
  for (let now = from; now < from + ms; now = Math.max(now, pace.opensAt)) {
    if (pace.opensAt === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
    pace.letOut(now);
    count++;
  }
  return count;
}

describe("a pace", () => {
  test("is none before anybody was throttled, and where nothing was accepted", () => {
    const pace = new Pace(() => 0.5);
    accepting(pace, 20, 1_000);
    pace.letOut(1_000);
    expect(pace.opensAt).toBe(Number.NEGATIVE_INFINITY);
    const silent = new Pace(() => 0.5);
    silent.slowDown(1_000);
    silent.letOut(1_000);
    expect(silent.opensAt).toBe(Number.NEGATIVE_INFINITY);
  });

  test("lets out as many a second as were accepted in the one before", () => {
    const pace = new Pace(() => 0.5);
    accepting(pace, 20, 10_000);
    pace.slowDown(10_000);
    pace.letOut(10_000);
    expect(letOut(pace, 10_050, 1_000)).toBeGreaterThanOrEqual(19);
    expect(letOut(pace, pace.opensAt, 1_000)).toBeLessThanOrEqual(22);
  });

  test("becomes a little quicker each second, until it is none any more", () => {
    const pace = new Pace(() => 0.5);
    accepting(pace, 10, 10_000);
    pace.slowDown(10_000);
    pace.letOut(40_000);
    expect(pace.opensAt - 40_000).toBeLessThan(30);
    pace.letOut(200_000);
    expect(pace.opensAt).toBe(Number.NEGATIVE_INFINITY);
  });

  test("that is throttled again becomes slower by a fifth at most: a lane that was closed accepts little", () => {
    const pace = new Pace(() => 0.5);
    accepting(pace, 10, 10_000);
    pace.slowDown(10_000);
    pace.accepted(12_000);
    pace.slowDown(12_000);
    pace.letOut(12_000);
    expect(pace.opensAt - 12_000).toBeLessThanOrEqual(120);
    expect(pace.opensAt - 12_000).toBeGreaterThan(100);
  });

  test("does not keep step with that of another process", () => {
    const gaps = [0, 0.5, 0.999].map((chance) => {
      const pace = new Pace(() => chance);
      accepting(pace, 10, 10_000);
      pace.slowDown(10_000);
      pace.letOut(10_000);
      return Math.round(pace.opensAt - 10_000);
    });
    expect(gaps).toEqual([90, 100, 110]);
  });
});
