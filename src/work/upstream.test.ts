import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundUpstream } from "./upstream.ts";

const upstream = (...results: string[]): { id: string; type: string; result: string }[] =>
  results.map((result, index) => ({ id: `r${index}`, type: "t", result }));
const cutNote = /\n\[cut here: the first (\d+) of (\d+) characters\]$/;

describe("upstream results", () => {
  test("that fit go whole, to the byte", () => {
    const results = upstream("é".repeat(5), "x");
    expect(boundUpstream(results, 11)).toEqual({ upstream: results, cut: [] });
    expect(boundUpstream(results, 10).cut).toEqual(["r0"]);
    expect(boundUpstream([], 0)).toEqual({ upstream: [], cut: [] });
  });

  test("get an equal share each; what short ones leave goes to the longer ones", () => {
    const { upstream: bounded, cut } = boundUpstream(upstream("a".repeat(100), "b".repeat(10), "c".repeat(100)), 110);
    expect(cut).toEqual(["r0", "r2"]);
    expect(bounded.map(({ result }) => result)).toEqual([
      `${"a".repeat(50)}\n[cut here: the first 50 of 100 characters]`,
      "b".repeat(10),
      `${"c".repeat(50)}\n[cut here: the first 50 of 100 characters]`,
    ]);
  });

  test("are cut between characters", () => {
    expect(boundUpstream(upstream("😀😀"), 7).upstream[0]?.result).toBe("😀\n[cut here: the first 2 of 4 characters]");
    expect(boundUpstream(upstream("漢字"), 5).upstream[0]?.result).toBe("漢\n[cut here: the first 1 of 2 characters]");
  });

  test("are never over the bound but for the notes, keep their beginnings to the character, and are cut only where they must be", () => {
    const text = fc.array(fc.constantFrom("a", "é", "漢", "😀", "\n", "\uFEFF", "\uFFFD"), { maxLength: 40 }).map((all) => all.join(""));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), fc.nat(200), (texts, bound) => {
        const results = upstream(...texts);
        const { upstream: bounded, cut } = boundUpstream(results, bound);
        const kept = bounded.map(({ id, result }) => (cut.includes(id) ? result.replace(cutNote, "") : result));
        const size = (all: readonly string[]): number => all.reduce((sum, one) => sum + Buffer.byteLength(one), 0);
        expect(size(kept)).toBeLessThanOrEqual(bound);
        for (const [index, { id, result }] of results.entries()) {
          const beginning = kept[index] ?? "";
          expect(result.startsWith(beginning)).toBe(true);
          expect(beginning.isWellFormed()).toBe(true);
          if (!cut.includes(id)) expect(beginning).toBe(result);
          else
            expect(
              cutNote
                .exec(bounded[index]?.result ?? "")
                ?.slice(1)
                .map(Number),
            ).toEqual([beginning.length, result.length]);
        }
        // One that is cut has got at least as much as any other, but for the character that did not fit.
        const longest = Math.max(0, ...kept.map((one) => Buffer.byteLength(one)));
        for (const id of cut) expect(Buffer.byteLength(kept[Number(id.slice(1))] ?? "") + 4).toBeGreaterThan(longest);
        if (size(texts) <= bound) expect(cut).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});
