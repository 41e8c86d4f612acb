import { expect, test } from "vitest";
import { dollars, duration, tokens } from "./quantity.ts";

test("tokens", () => {
  expect([0, 999, 1000, 12_345, 999_949, 999_950].map(tokens)).toEqual(["0", "999", "1.0k", "12.3k", "999.9k", "1.0M"]);
});

test("durations", () => {
  expect([0, 940, 59_900, 59_960, 125_000, 3_661_000].map(duration)).toEqual(["0.0 s", "0.9 s", "59.9 s", "1m 00s", "2m 05s", "1h 01m"]);
});

test("dollars", () => {
  expect([0, 0.00001, 0.0012, 0.0134, 0.5, 12.345].map(dollars)).toEqual(["$0", "<$0.0001", "$0.0012", "$0.013", "$0.500", "$12.35"]);
});
