import { expect, test } from "vitest";
import { defaults } from "./limits.ts";
import { anotherSample, moreOfRepair, moreOfTry, sampleOfPlan, sampleOfRerun, sampleOfSeveral } from "./sample.ts";

/** As `options-check.ts` allows. */
const [mostTries, mostAttempts, mostRepairs] = [10, 10, 10];

test("of a worker's calls that may be alike, no two have one number", () => {
  const numbers = new Set<number>();
  let calls = 0;
  for (let copy = 0; copy < defaults.limits.workers; copy++)
    for (let index = 0; index < mostTries; index++)
      // The second try and the first repair differ from what they follow by what is said of that.
      for (let attempt = 2; attempt <= mostAttempts; attempt++)
        for (let reply = 1; reply <= mostRepairs; reply++) {
          numbers.add(sampleOfSeveral(copy, mostTries, index) + moreOfTry(attempt) + moreOfRepair(reply));
          calls++;
        }
  expect(numbers.size).toBe(calls);
  // All are below those of a resume that asks anew.
  for (const number of numbers) if (number >= anotherSample(0)) expect.fail(`${number} is as high as another's.`);
});

test("a rerun's number is its own, and leaves room to count on from it", () => {
  expect(sampleOfRerun("a")).not.toBe(sampleOfRerun("b"));
  expect(Number.isSafeInteger(sampleOfSeveral(anotherSample(2 ** 48), mostTries, mostTries) + moreOfTry(mostAttempts))).toBe(true);
});

test("numbers are those under which calls of earlier versions are recorded", () => {
  expect([moreOfRepair(1), moreOfRepair(2), moreOfTry(1), moreOfTry(2), moreOfTry(3)]).toEqual([0, 1_000, 0, 0, 50_000]);
  expect([sampleOfSeveral(2, 3, 1), anotherSample(2), sampleOfPlan(0), sampleOfPlan(2)]).toEqual([7, 1_000_002, 0, 2_000]);
  expect(sampleOfRerun("run")).toBe(189_915_489_968_384);
});
