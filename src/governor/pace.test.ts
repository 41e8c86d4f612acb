import { describe, expect, test } from "vitest";
import { Pace } from "./pace.ts";

const middle = (): number => 0.5;

/** A pace after so many went out, evenly over the second before `at`, and one more at that time, which is throttled 100 ms later. */
function throttledAfter(taken: number, at: number, random: () => number = middle): Pace {
  const pace = new Pace(random);
  for (let nth = taken; nth > 0; nth--) pace.letOut(at - (nth * 1_000) / (taken + 1));
  pace.letOut(at);
  pace.sentBack(at);
  pace.slowDown(at, at + 100);
  return pace;
}

/** When those go out that are let out as soon as they may, from one time to another. */
function letOut(pace: Pace, from: number, until: number): number[] {
  const times: number[] = [];
  for (let now = Math.max(from, pace.opensAt(from)); now < until; now = Math.max(now, pace.opensAt(now))) {
    if (times.length > 10_000) throw new Error("There is no pace.");
    pace.letOut(now);
    times.push(now);
  }
  return times;
}

function mostWithin(ms: number, times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + ms).length));
}

describe("a pace", () => {
  test("is none before anybody was throttled, and where nothing was taken", () => {
    const pace = new Pace(middle);
    for (let at = 0; at < 1_000; at += 50) pace.letOut(at);
    expect(pace.opensAt(1_000)).toBe(Number.NEGATIVE_INFINITY);
    expect(throttledAfter(0, 10_000).opensAt(10_100)).toBe(Number.NEGATIVE_INFINITY);
  });

  test.each([1, 2, 10, 49])("lets out %d within any second, where so many were taken in the one before, and evenly", (taken) => {
    const times = letOut(throttledAfter(taken, 10_000), 10_100, 12_000);
    expect(mostWithin(1_000, times)).toBeLessThanOrEqual(taken);
    expect(times.length).toBeGreaterThanOrEqual(Math.floor(1.7 * taken));
    expect(mostWithin(100, times)).toBeLessThanOrEqual(Math.ceil(0.4 * taken));
  });

  test("makes up for what a closed lane missed, but for no more than was taken in a second", () => {
    const pace = throttledAfter(40, 10_000);
    letOut(pace, 10_100, 11_500);
    const times = letOut(pace, 11_900, 12_900);
    expect(times.filter((at) => at === 11_900).length).toBeGreaterThan(1);
    expect(mostWithin(1_000, times)).toBeLessThanOrEqual(40);
  });

  test("holds for two seconds, and then becomes quicker and quicker, until it is none any more", () => {
    const pace = throttledAfter(10, 10_000);
    const inEach = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map((second) => letOut(pace, second * 1_000 + 100, second * 1_000 + 1_100).length);
    expect(inEach.slice(0, 2).every((count) => count >= 8 && count <= 10)).toBe(true);
    expect(inEach[5]).toBeGreaterThan(12);
    expect(inEach[9]).toBeGreaterThan(30);
    pace.letOut(60_000);
    expect(pace.opensAt(60_000)).toBe(Number.NEGATIVE_INFINITY);
  });

  test("that was throttled as it became quicker holds for twice as long", () => {
    const pace = throttledAfter(10, 10_000);
    letOut(pace, 10_100, 14_000);
    pace.letOut(14_000);
    pace.sentBack(14_000);
    pace.slowDown(14_000, 14_100);
    const inEach = [0, 1, 2, 3].map((second) => letOut(pace, 14_100 + second * 1_000, 15_100 + second * 1_000).length);
    expect(Math.max(...inEach)).toBeLessThanOrEqual(11);
  });

  test("is slower each time that one is throttled, down to one a second", () => {
    const pace = throttledAfter(5, 10_000);
    for (let time = 1; time <= 6; time++) pace.slowDown(10_000, 10_100);
    expect(mostWithin(1_000, letOut(pace, 11_100, 12_000))).toBe(1);
  });

  test("explains that one is throttled where as many went out in the second before as are taken", () => {
    const pace = throttledAfter(20, 10_000);
    expect(pace.explains(10_000)).toBe(true);
    expect(pace.explains(10_500)).toBe(false);
    expect(new Pace(middle).explains(0)).toBe(false);
  });

  test("does not keep step with that of another process", () => {
    const gaps = [0, 0.5, 0.999].map((chance) => {
      const pace = throttledAfter(10, 10_000, () => chance);
      const [first = 0, second = 0] = letOut(pace, 12_000, 12_000.1 + 251).slice(-2);
      return Math.round(second - first);
    });
    expect(gaps).toEqual([90, 100, 110]);
  });
});
