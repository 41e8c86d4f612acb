import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { type Improved, improve } from "./improve.ts";
import type { TryVerdict, Verdict } from "./verdict.ts";

interface Told {
  readonly improved: Improved<string>;
  readonly verdicts: readonly TryVerdict[];
  /** What each try was shown of the one before. */
  readonly shown: readonly (string | undefined)[];
}

/** Tries called "1", "2", ..., with these scores; an error in place of a score is the judge's, in place of a text the writer's. */
async function improving(
  scores: readonly (number | DivvyError)[],
  options: { maxAttempts?: number; writer?: Readonly<Record<number, DivvyError>> } = {},
): Promise<Told> {
  const verdicts: TryVerdict[] = [];
  const shown: (string | undefined)[] = [];
  const improved = await improve<string>({
    threshold: 0.8,
    maxAttempts: options.maxAttempts ?? scores.length,
    write: async (before) => {
      shown.push(before && `${before.work}: ${before.verdict.reasons}`);
      const error = options.writer?.[shown.length];
      if (error !== undefined) throw error;
      return String(shown.length);
    },
    judge: async (work): Promise<Verdict> => {
      const score = scores[Number(work) - 1];
      if (score === undefined) throw new Error("One try too many.");
      if (typeof score !== "number") throw score;
      return { score, reasons: `why ${score}` };
    },
    onVerdict: (verdict) => verdicts.push(verdict),
  });
  return { improved, verdicts, shown };
}

const broken = new DivvyError("server_error", "It broke.");
const stopped = new DivvyError("aborted", "It was stopped.");

describe("work that is judged", () => {
  test("is written once where the first try is good enough", async () => {
    const { improved, shown } = await improving([0.8, 1], { maxAttempts: 3 });
    expect(improved).toEqual({ work: "1", evaluation: { score: 0.8, reasons: "why 0.8", passed: true, tries: 1 } });
    expect(shown).toEqual([undefined]);
  });

  test("is written again, with the last try and what was said of it, until it is good enough", async () => {
    const { improved, shown, verdicts } = await improving([0.5, 0.6, 0.9, 1]);
    expect(improved).toMatchObject({ work: "3", evaluation: { score: 0.9, passed: true, tries: 3 } });
    expect(shown).toEqual([undefined, "1: why 0.5", "2: why 0.6"]);
    expect(verdicts.map(({ try: number, score, passed }) => [number, score, passed])).toEqual([
      [1, 0.5, false],
      [2, 0.6, false],
      [3, 0.9, true],
    ]);
  });

  test.each([
    [[0.2, 0.7, 0.3], "2"],
    [[0.7, 0.2, 0.3], "1"],
    [[0.5, 0.5, 0.4], "2"],
    [[0], "1"],
  ])("that is never good enough (%j) stands as its best try, of several the latest, and is marked", async (scores, best) => {
    const { improved } = await improving(scores);
    expect(improved).toMatchObject({ work: best, evaluation: { passed: false, score: Math.max(...scores), tries: scores.length } });
    expect(improved.evaluation.error).toBeUndefined();
  });
});

describe("what goes wrong", () => {
  test("with the first try is its failure", async () => {
    await expect(improving([1], { writer: { 1: broken } })).rejects.toBe(broken);
  });

  test("with a further try leaves the best one standing, marked", async () => {
    const { improved } = await improving([0.4, 1], { writer: { 2: broken } });
    expect(improved).toEqual({ work: "1", evaluation: { score: 0.4, reasons: "why 0.4", passed: false, tries: 1, error: broken.toJSON() } });
  });

  test("with the judge leaves the work standing, and says that it was not judged", async () => {
    const { improved, verdicts } = await improving([broken]);
    expect(improved).toEqual({ work: "1", evaluation: { reasons: "It broke.", passed: false, tries: 1, error: broken.toJSON() } });
    expect(verdicts).toEqual([]);
  });

  test("with the judge of a further try leaves the one that was judged", async () => {
    const { improved } = await improving([0.4, broken]);
    expect(improved).toMatchObject({ work: "1", evaluation: { score: 0.4, passed: false, tries: 2, error: { code: "server_error" } } });
  });

  test("because the run was stopped is not hidden, whoever was at work", async () => {
    await expect(improving([0.4, 1], { writer: { 2: stopped } })).rejects.toBe(stopped);
    await expect(improving([stopped])).rejects.toBe(stopped);
  });
});
