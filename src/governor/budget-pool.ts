import { type Budget, shownBudget } from "../budget.ts";
import type { AnswerReserve, AttemptClaim, AttemptNeed, RunBudget } from "../calls/run-budget.ts";
import { AnswerReading } from "./answer-reading.ts";
import { DivvyError } from "../errors.ts";
import type { Spend } from "../estimate.ts";
import type { FactBody } from "../events.ts";
import { count, dollars, tokens as shownTokens } from "../quantity.ts";
import type { Clock } from "../runtime.ts";

/** What is bounded, each in its own unit. */
interface Amount {
  readonly usd: number;
  readonly tokens: number;
  readonly calls: number;
}

const nothing: Amount = { usd: 0, tokens: 0, calls: 0 };
const measures = ["usd", "tokens", "calls"] as const;
/** Of a budget: from then on it is said to be low. */
const lowShare = 0.8;
/** Sums of dollars are rounded somewhere beyond this. */
const rounding = 1e-9;

export interface BudgetPoolOptions {
  readonly budget: Budget;
  /** What the run has used in earlier lives, and how long it was carried out, in milliseconds. */
  readonly spent: Spend;
  readonly activeMs: number;
  /** How long somebody has been waited for since, in milliseconds: that does not count. @default never */
  readonly pausedMs?: () => number;
  readonly clock: Clock;
  readonly emit: (fact: FactBody) => void;
}

/**
 * The budget of one run. Each attempt takes out of it, before it leaves, all that it may use, and puts back when it is over what it
 * has not. The answer's share is kept back from the beginning, and grows with what workers may write.
 */
export class BudgetPool implements RunBudget {
  readonly inDollars: boolean;
  readonly #budget: Budget;
  readonly #emit: BudgetPoolOptions["emit"];
  readonly #clock: Clock;
  /** When its seconds are over, in epoch milliseconds, pauses left out. */
  readonly #endsAt: number;
  readonly #pausedMs: () => number;
  #spent: Amount;
  #reserved = nothing;
  /** Attempts that have reserved, and are not over. */
  #outstanding = 0;
  #answer: AnswerReserve | undefined;
  /** Calls that the answer takes. */
  #answerCalls = 1;
  readonly #reading = new AnswerReading();
  #isLow: boolean;
  #isOver: boolean;
  #wasBeyondCap = false;

  constructor({ budget, spent, activeMs, pausedMs = () => 0, clock, emit }: BudgetPoolOptions) {
    const { usd, seconds } = budget;
    this.inDollars = usd !== undefined;
    this.#budget = budget;
    this.#emit = emit;
    this.#clock = clock;
    this.#pausedMs = pausedMs;
    this.#endsAt = seconds === undefined ? Number.POSITIVE_INFINITY : clock.now() + seconds * 1_000 - activeMs;
    this.#spent = { usd: spent.cost ?? 0, tokens: spent.tokens, calls: spent.calls };
    this.#isLow = this.#exceeds(this.#spent, lowShare);
    this.#isOver = this.#exceeds(this.#spent, 1);
  }

  get outOfTime(): DivvyError | undefined {
    return this.#clock.now() < this.#endsAt + this.#pausedMs() ? undefined : this.#overTime();
  }

  keepForAnswer(answer: AnswerReserve | undefined): void {
    this.#answer = answer;
  }

  answerTakes(calls: number): void {
    this.#answerCalls = calls;
  }

  claim({ role, subtaskId, reserved: { inputTokens, outputTokens }, cost }: AttemptNeed): AttemptClaim {
    // Who judges the answer does so when it is written.
    const isAnswer = role === "synthesizer" || (role === "evaluator" && subtaskId === undefined);
    const need: Amount = { usd: cost, tokens: inputTokens + outputTokens, calls: 1 };
    // It reads the plan, too; of what is written for a subtask, one text.
    const [toRead, writtenFor] = [isAnswer ? 0 : outputTokens, role === "worker" ? subtaskId : undefined];
    const end =
      role === "synthesizer" || this.#endsAt === Number.POSITIVE_INFINITY ? undefined : { at: this.#endsAt + this.#pausedMs(), error: () => this.#overTime() };
    return {
      end,
      reserve: () => {
        if (end !== undefined && this.#clock.now() >= end.at) return end.error();
        const kept = isAnswer ? nothing : this.#keptBack(this.#reading.with(toRead, writtenFor), () => this.#reading.longestWith(toRead, writtenFor));
        if (this.#exceeds(sum(this.#spent, this.#reserved, kept, need), 1)) {
          return this.#outstanding > 0 ? "later" : this.#exhausted(this.#why(need, kept), sum(this.#spent, kept, need));
        }
        this.#reserved = sum(this.#reserved, need);
        this.#reading.begin(toRead, writtenFor);
        this.#outstanding++;
        return "reserved";
      },
      giveBack: () => {
        this.#reserved = difference(this.#reserved, need);
        this.#reading.end(toRead, writtenFor);
        this.#outstanding--;
      },
    };
  }

  answerReads(tokens: () => number, subtaskId?: string): void {
    this.#reading.add(tokens(), subtaskId);
  }

  spend({ cost = 0, tokens: usedTokens, calls: usedCalls }: Spend, isBeyondCap = false): void {
    this.#wasBeyondCap ||= isBeyondCap;
    this.#spent = sum(this.#spent, { usd: cost, tokens: usedTokens, calls: usedCalls });
    const { usd, tokens, calls } = this.#spent;
    if (!this.#isLow && this.#exceeds(this.#spent, lowShare)) {
      this.#isLow = true;
      this.#emit({ type: "budget.low", spent: { calls, tokens, ...(this.inDollars && { cost: usd }) }, budget: this.#budget });
    }
    if (this.#isOver || !this.#exceeds(this.#spent, 1)) return;
    this.#isOver = true;
    const why = this.#wasBeyondCap ? "a model went beyond its output cap" : "what was sent came to more than was estimated";
    const message = `The run has used more than its budget of ${shownBudget(this.#budget)}, since ${why}: ${this.#shown(this.#spent)}. Nothing new starts.`;
    this.#emit({ type: "run.noticed", notice: { code: "over_budget", message } });
  }

  /** @param longest of the results to be read */
  #keptBack(toRead: number, longest: () => number): Amount {
    const calls = this.#answerCalls;
    if (this.#answer === undefined || calls === 0) return nothing;
    const { call, comparison = call, perToken, reductions } = this.#answer;
    if (calls === 1) {
      const before = reductions?.(toRead);
      const reads = before?.leaves ?? toRead;
      return sum({ usd: call.usd + perToken.usd * reads, tokens: call.tokens + reads, calls }, before ?? nothing);
    }
    // The best so far is compared with the next, twice: n results take 2 (n - 1) calls. Each of the others is read in two of them, and at
    // worst the longest, which wins at once, in all: 2 ((n - 1) longest + the others). So ten results, one of 100 tokens and nine of 1,
    // take 2 * (9 * 100 + 9) = 1,818; and three of 50 take 2 * (2 * 50 + 100) = 400.
    const read = (calls - 2) * longest() + 2 * toRead;
    return { usd: comparison.usd * calls + perToken.usd * read, tokens: comparison.tokens * calls + read, calls };
  }

  #exceeds(amount: Amount, share: number): boolean {
    return measures.some((measure) => amount[measure] > (this.#budget[measure] ?? Number.POSITIVE_INFINITY) * share + rounding);
  }

  #overTime(): DivvyError {
    return this.#exhausted("its time is over");
  }

  #exhausted(why: string, needed?: Amount): DivvyError {
    const { usd, tokens, calls } = this.#budget;
    const budget = needed && {
      ...(usd !== undefined && { usd: needed.usd }),
      ...(tokens !== undefined && { tokens: needed.tokens }),
      ...(calls !== undefined && { calls: needed.calls }),
    };
    return new DivvyError("budget_exhausted", `The run's budget of ${shownBudget(this.#budget)} allows no further call: ${why}.`, {
      ...(budget && { evidence: { budget } }),
    });
  }

  #why(need: Amount, kept: Amount): string {
    const keeps = kept === nothing ? "" : `, ${this.#shown(kept)} kept back for the answer`;
    return `${this.#shown(this.#spent)} used${keeps}, and this one may take ${this.#shown(need)}`;
  }

  /** In the measures that are bounded. */
  #shown({ usd, tokens, calls }: Amount): string {
    const { usd: mostUsd, tokens: mostTokens, calls: mostCalls } = this.#budget;
    return [
      ...(mostUsd === undefined ? [] : [dollars(usd)]),
      ...(mostTokens === undefined ? [] : [`${shownTokens(tokens)} tokens`]),
      ...(mostCalls === undefined ? [] : [count(calls, "call")]),
    ].join(", ");
  }
}

function sum(...amounts: readonly Amount[]): Amount {
  return amounts.reduce((a, b) => ({ usd: a.usd + b.usd, tokens: a.tokens + b.tokens, calls: a.calls + b.calls }));
}

function difference(a: Amount, b: Amount): Amount {
  return { usd: a.usd - b.usd, tokens: a.tokens - b.tokens, calls: a.calls - b.calls };
}
