import { pairAsks } from "../../evaluation/pairwise.ts";
import { asks as mostAsks } from "../../evaluation/judge.ts";
import { type Filling, fully, usually } from "../../synthesis/rooms.ts";

/** How long replies usually are, in tokens: rough, since nobody can know. */
export const usual = { plan: 700, look: 200, worker: 700, choice: 120, verdict: 150 } as const;
/** Of the results' length, an answer that merges them. */
export const mergedShare = 0.8;
/** Subtasks of a plan that is not there yet, and what the description of one takes, in tokens. */
export const usualSubtasks = 4;
export const usualDescription = 120;

/** How the unknown is filled in. */
export interface Guess {
  /** Subtasks that the plan may still add, and further rounds of it. */
  readonly more: number;
  readonly looks: number;
  /** Tokens of a reply that is usually so long, and is cut at its cap. */
  readonly reply: (usualTokens: number, cap: number) => number;
  readonly reductions: Filling;
  /** Replies that are asked for again for their form, of each try. */
  readonly repairs: (most: number) => number;
  /** Tries of work that is judged. */
  readonly tries: (most: number) => number;
  /** Questions for a verdict on each, and for one on two texts in one order. */
  readonly asks: number;
  readonly pairAsks: number;
}

/** As runs usually go. */
export function expected(more: number, looks: number): Guess {
  return { more, looks: Math.min(1, looks), reply: Math.min, reductions: usually, repairs: () => 0, tries: () => 1, asks: 1, pairAsks: 1 };
}

/** All that may be asked for, and every reply as long as its cap. */
export function worst(more: number, looks: number): Guess {
  return { more, looks, reply: (_, cap) => cap, reductions: fully, repairs: (most) => most, tries: (most) => most, asks: mostAsks, pairAsks };
}
