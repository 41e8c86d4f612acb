import { expect, test } from "vitest";
import { Purse } from "./purse.ts";

const nothing = { usd: 0, tokens: 0, calls: 0, seconds: 0 };

test("what is left of a budget is what nobody has used, in the measures that it bounds", () => {
  const purse = new Purse({ tokens: 100, seconds: 10 }, { usd: 5, tokens: 500_000 });
  purse.add({ usd: 1, tokens: 30, calls: 4, seconds: 2.5 });
  expect(purse.left()).toEqual({ budget: { tokens: 70, seconds: 7.5 } });
  purse.add({ ...nothing, tokens: 70 });
  expect(() => purse.left()).toThrow("used up");
});

test("the allowance is one for all as well: dollars where there is a price, else tokens", () => {
  const priced = new Purse(undefined, { usd: 5, tokens: 1_000 });
  priced.add({ ...nothing, usd: 1, tokens: 2_000 });
  expect(priced.left()).toEqual({ allowance: { usd: 4, tokens: 1_000 } });
  priced.add({ ...nothing, usd: 4 });
  expect(() => priced.left()).toThrow("used up");
  const unpriced = new Purse(undefined, { usd: 5, tokens: 1_000 });
  unpriced.add({ ...nothing, usd: undefined, tokens: 1_000 });
  expect(() => unpriced.left()).toThrow("used up");
});

test("of tokens the allowance counts those alone that have no price, whatever else costs dollars", () => {
  const mixed = new Purse(undefined, { usd: 5, tokens: 1_000 });
  mixed.add({ ...nothing, usd: 1, tokens: 2_000 });
  mixed.add({ ...nothing, usd: undefined, tokens: 400 });
  expect(mixed.left()).toEqual({ allowance: { usd: 4, tokens: 600 } });
  mixed.add({ ...nothing, usd: undefined, tokens: 600 });
  expect(() => mixed.left()).toThrow("used up");
});

test("without either nothing is bounded", () => {
  const purse = new Purse(undefined, undefined);
  purse.add({ usd: 1_000, tokens: 1e9, calls: 1e6, seconds: 1e6 });
  expect(purse.left()).toEqual({});
});
