import { pick, seededRandom, seedFor } from "../../src/testing/random.ts";

/** Chance from a seed and a name, so that what is drawn under one name does not depend on what was drawn before. */
export interface Chance {
  /** In [0, 1). */
  readonly random: () => number;
  /** Happens so often. */
  readonly happens: (share: number) => boolean;
  /** A whole number, both ends included. */
  readonly whole: (from: number, to: number) => number;
  /** A whole number of which each order of magnitude is as likely as the next. */
  readonly magnitude: (from: number, to: number) => number;
  readonly of: <T>(items: readonly T[]) => T;
}

export function chance(seed: number, name: string): Chance {
  const random = seededRandom(seedFor(seed, name));
  return {
    random,
    happens: (share) => random() < share,
    whole: (from, to) => from + Math.floor(random() * (to - from + 1)),
    magnitude: (from, to) => Math.round(from * (to / from) ** random()),
    of: (items) => pick(random, items),
  };
}
