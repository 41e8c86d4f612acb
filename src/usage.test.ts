import fc from "fast-check";
import type { LanguageModelUsage } from "ai";
import { describe, expect, test } from "vitest";
import { addUsage, noUsage, presumedUsage, type SpentUsage } from "./usage.ts";

const count = fc.option(fc.nat({ max: 1_000_000 }), { nil: undefined });

const usages: fc.Arbitrary<SpentUsage> = fc.record({
  inputTokens: count,
  inputTokenDetails: fc.record({ noCacheTokens: count, cacheReadTokens: count, cacheWriteTokens: count }),
  outputTokens: count,
  outputTokenDetails: fc.record({ textTokens: count, reasoningTokens: count }),
  totalTokens: count,
  estimatedTokens: fc.nat({ max: 1_000_000 }),
  presumedTokens: fc.nat({ max: 1_000_000 }),
});

describe("usages add up", () => {
  test("in any order and grouping", () => {
    fc.assert(
      fc.property(usages, usages, usages, (a, b, c) => {
        expect(addUsage(a, b)).toEqual(addUsage(b, a));
        expect(addUsage(addUsage(a, b), c)).toEqual(addUsage(a, addUsage(b, c)));
      }),
    );
  });

  test("count by count: what one side does not tell is the other's, and unknown only where neither tells it", () => {
    const told: SpentUsage = {
      inputTokens: 10,
      inputTokenDetails: { noCacheTokens: 4, cacheReadTokens: 6, cacheWriteTokens: undefined },
      outputTokens: 3,
      outputTokenDetails: { textTokens: undefined, reasoningTokens: 2 },
      totalTokens: 13,
      estimatedTokens: 2,
      presumedTokens: 0,
    };
    expect(addUsage(told, presumedUsage({ inputTokens: 5, outputTokens: 7 }))).toEqual({
      inputTokens: 15,
      inputTokenDetails: { noCacheTokens: 4, cacheReadTokens: 6, cacheWriteTokens: undefined },
      outputTokens: 10,
      outputTokenDetails: { textTokens: undefined, reasoningTokens: 2 },
      totalTokens: 25,
      estimatedTokens: 2,
      presumedTokens: 12,
    });
  });

  test("to themselves where nothing was used; a count that is unknown there is then 0 where nothing was used at all", () => {
    fc.assert(
      fc.property(usages, (usage) => {
        const { inputTokens, outputTokens, totalTokens } = usage;
        expect(addUsage(noUsage, usage)).toEqual({ ...usage, inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0, totalTokens: totalTokens ?? 0 });
      }),
    );
  });

  test("without changing either, and the sum survives JSON", () => {
    fc.assert(
      fc.property(usages, usages, (a, b) => {
        const before = JSON.stringify([a, b]);
        const sum = addUsage(a, b);
        expect(JSON.stringify([a, b])).toBe(before);
        expect(addUsage(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)))).toEqual(sum);
      }),
    );
  });
});

test("what is presumed is marked, all of it", () => {
  expect(presumedUsage({ inputTokens: 5, outputTokens: 7 })).toMatchObject({
    inputTokens: 5,
    outputTokens: 7,
    totalTokens: 12,
    estimatedTokens: 0,
    presumedTokens: 12,
  });
});

test("usage can be handed to whatever takes the AI SDK's", () => {
  const usage: LanguageModelUsage = addUsage(presumedUsage({ inputTokens: 3, outputTokens: 4 }), noUsage);
  expect(usage).toMatchObject({ inputTokens: 3, outputTokens: 4, totalTokens: 7 });
});
