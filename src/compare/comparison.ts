import type { ErrorData } from "../errors.ts";
import type { Spend } from "../estimate.ts";
import type { Outcome } from "../outcome.ts";
import { type WinShare, winShare } from "./win-share.ts";

/** One answer to a task, and what it took. */
export interface ComparedSide {
  readonly status: Outcome["status"];
  /** Empty where there is no answer. */
  readonly text: string;
  /** Model calls that left. */
  readonly calls: number;
  /** Of input and output together. */
  readonly tokens: number;
  /** US dollars. Absent where a price is not known. */
  readonly cost?: number;
  readonly durationMs: number;
  /** What is wrong with it; absent where nothing is. */
  readonly error?: ErrorData;
}

/** A task done once each way. */
export interface ComparedTry {
  readonly one: ComparedSide;
  readonly divided: ComparedSide;
  /** Which answer serves the task better; absent where nobody judged. */
  readonly verdict?: { readonly winner: "one" | "divided" | "tie"; readonly reasons: string };
  /** What kept the two from being judged. */
  readonly judgeError?: ErrorData;
}

/** What a side takes, on average over the tries in which it came to an answer; over all, where it never did. */
export interface Average {
  /** Tries in which it came to no answer. */
  readonly unanswered: number;
  readonly calls: number;
  readonly tokens: number;
  readonly cost?: number;
  readonly durationMs: number;
}

/** Some tries, added up. */
export interface Figures {
  /** How many there are. */
  readonly tries: number;
  readonly one: Average;
  readonly divided: Average;
  /** How often the divided answer won; absent where nobody judged. */
  readonly share?: WinShare;
}

export interface TaskComparison {
  readonly task: string;
  readonly tries: readonly ComparedTry[];
  /** Absent where no try was made. */
  readonly figures?: Figures;
}

/** Tasks done both ways. Plain data: it survives JSON and back. */
export interface Comparison {
  readonly tasks: readonly TaskComparison[];
  /** Over all tasks; absent where no try was made. */
  readonly figures?: Figures;
  /** What judging used, which is in neither side. */
  readonly judging: Spend;
  /** Should one divide? In one sentence or two, made from the figures by code. */
  readonly conclusion: string;
  /** What ended it before all was done: the budget, whoever stopped it, a try in which neither way came to an answer. What is there up to then stands. */
  readonly stopped?: ErrorData;
}

export function sideOf(outcome: Outcome): ComparedSide {
  const { status, calls, usage, cost, durationMs } = outcome;
  return {
    status,
    text: "text" in outcome ? outcome.text : "",
    calls,
    tokens: usage.totalTokens ?? 0,
    ...(cost !== undefined && { cost }),
    durationMs,
    ...("error" in outcome && { error: outcome.error }),
  };
}

/** Nothing where there are none. */
export function figuresOf(tries: readonly ComparedTry[]): Figures | undefined {
  if (tries.length === 0) return undefined;
  const won = (winner: "one" | "divided" | "tie"): number => tries.filter(({ verdict }) => verdict?.winner === winner).length;
  const share = winShare(won("divided"), won("tie"), won("one"));
  return {
    tries: tries.length,
    one: average(tries.map(({ one }) => one)),
    divided: average(tries.map(({ divided }) => divided)),
    ...(share && { share }),
  };
}

function average(sides: readonly ComparedSide[]): Average {
  const answered = sides.filter(({ text }) => text !== "");
  const counted = answered.length > 0 ? answered : sides;
  const mean = (of: (side: ComparedSide) => number): number => counted.reduce((sum, side) => sum + of(side), 0) / counted.length;
  const isPriced = counted.every(({ cost }) => cost !== undefined);
  return {
    unanswered: sides.length - answered.length,
    calls: mean(({ calls }) => calls),
    tokens: mean(({ tokens }) => tokens),
    ...(isPriced && { cost: mean(({ cost = 0 }) => cost) }),
    durationMs: mean(({ durationMs }) => durationMs),
  };
}
