import type { DivvyError } from "../errors.ts";
import type { Spend } from "../estimate.ts";
import type { CallRef } from "../role.ts";

/** What an attempt takes of its run's budget: reserved when it is let out, never while it waits. */
export interface Claim {
  /** `later`: what is missing is reserved by others that are on their way, and may come back. An error where nothing will. */
  reserve(): "reserved" | "later" | DivvyError;
  /** From then on (epoch milliseconds) nothing is reserved any more, whoever gives back, and who waits for it need not. @default never */
  readonly end?: { readonly at: number; readonly error: () => DivvyError } | undefined;
}

export interface AttemptClaim extends Claim {
  /** The attempt is over: what it did not use goes back. Call once each time that it was reserved. */
  giveBack(): void;
}

/** What an attempt may use at most. */
export interface AttemptNeed extends CallRef {
  readonly reserved: { readonly inputTokens: number; readonly outputTokens: number };
  /** US dollars of that; 0 where a price need not be known. */
  readonly cost: number;
}

/** What calls take that come before the one for the answer. */
export interface ReductionsNeed {
  readonly usd: number;
  readonly tokens: number;
  readonly calls: number;
  /** Tokens that are then left to read. */
  readonly leaves: number;
}

/** What is kept back for a run's answer: its call without what it has to read, and each token of that. */
export interface AnswerReserve {
  readonly call: { readonly usd: number; readonly tokens: number };
  /** In its place, where results are compared two at a time: each of those calls. @default as `call` */
  readonly comparison?: { readonly usd: number; readonly tokens: number };
  readonly perToken: { readonly usd: number };
  /** Where so much is to be read that it is reduced first. @default never */
  readonly reductions?: (toRead: number) => ReductionsNeed | undefined;
}

/** What a call takes of a run's budget. */
export interface CallBudget {
  /** Must prices be known? */
  readonly inDollars: boolean;
  claim(need: AttemptNeed): AttemptClaim;
  /** An attempt has used so much. @param isBeyondCap its model wrote more than its output cap */
  spend(used: Spend, isBeyondCap?: boolean): void;
  /**
   * So many tokens stand there that the answer will have to read.
   *
   * @param tokens called only where it matters: counting takes time
   * @param subtaskId of what is written for one, in several tries or anew, it reads one text: the longest counts. Default: it reads this besides all else
   */
  answerReads(tokens: () => number, subtaskId?: string): void;
}

/** What one run may use, and what is left of it. */
export interface RunBudget extends CallBudget {
  /** Says that its seconds are over: then nothing begins but the answer. Nothing where they are not. */
  readonly outOfTime: DivvyError | undefined;
  /** From now on; nothing where the answer takes no call. */
  keepForAnswer(answer: AnswerReserve | undefined): void;
  /**
   * How many calls the answer takes, as the plan now says; it may come to say otherwise. 0: none, and as long as that holds nothing is
   * kept back. 1: one that reads everything. More: comparisons, each of which reads two of the results.
   *
   * @default 1
   */
  answerTakes(calls: number): void;
}
