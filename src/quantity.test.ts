import { expect, test } from "vitest";
import { age, dollars, duration, listed, tokens, usedTokens } from "./quantity.ts";
import { presumedUsage } from "./usage.ts";

test("tokens", () => {
  expect([0, 999, 1000, 12_345, 999_949, 999_950].map(tokens)).toEqual(["0", "999", "1.0k", "12.3k", "999.9k", "1.0M"]);
});

test("tokens used, with those from a cache where there are any", () => {
  const usage = presumedUsage({ inputTokens: 12_345, outputTokens: 300 });
  const cached = (cacheReadTokens: number) => ({ ...usage, inputTokenDetails: { ...usage.inputTokenDetails, cacheReadTokens } });
  expect([usedTokens(usage), usedTokens(cached(0), "~"), usedTokens(cached(9_800))]).toEqual([
    "12.3k in, 300 out",
    "~12.3k in, ~300 out",
    "12.3k in (9.8k cached), 300 out",
  ]);
});

test("durations", () => {
  expect([0, 940, 59_900, 59_960, 125_000, 3_661_000].map(duration)).toEqual(["0.0 s", "0.9 s", "59.9 s", "1m 00s", "2m 05s", "1h 01m"]);
});

test("dollars", () => {
  expect([0, 0.00001, 0.0012, 0.0134, 0.5, 12.345].map(dollars)).toEqual(["$0", "<$0.0001", "$0.0012", "$0.013", "$0.500", "$12.35"]);
});

test("ages", () => {
  const [minute, hour] = [60_000, 3_600_000];
  expect([-5, 0, 59_999, minute, 59 * minute, hour, 47 * hour, 48 * hour, 4000 * hour].map(age)).toEqual([
    "0s",
    "0s",
    "59s",
    "1m",
    "59m",
    "1h",
    "47h",
    "2d",
    "166d",
  ]);
});

test("lists", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(listed)).toEqual(["", "a", "a and b", "a, b and c"]);
});
