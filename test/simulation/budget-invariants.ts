import type { Budget } from "../../src/budget.ts";
import type { ErrorData } from "../../src/errors.ts";
import type { Fact } from "../../src/events.ts";
import type { Outcome } from "../../src/outcome.ts";
import { keyOf } from "../../src/names.ts";
import { refName, type Role } from "../../src/role.ts";
import { answerAtMost, type Bound, caps, longestInput } from "./answer-bounds.ts";
import { priceIn } from "./kinds.ts";
import type { Schedule } from "./schedule.ts";
import type { Kept } from "./store.ts";

export interface Amount {
  readonly usd: number;
  readonly tokens: number;
  readonly calls: number;
}

const nothing: Amount = { usd: 0, tokens: 0, calls: 0 };
const measures = ["usd", "tokens", "calls"] as const;
/** Of the times in a log, which are whole milliseconds, and of sums of dollars. */
const [roundedMs, roundedUsd] = [1, 1e-6];

type Open = { readonly need: Amount; readonly pid: number; readonly fact: Fact & { readonly type: "attempt.started" } };

/**
 * What must hold of a run's budget, from its log alone, over all its lives.
 *
 * @param named what a process that began the run, or went on with it, said of its budget; nothing where it said none
 */
export function budgetFaults(kept: readonly Kept[], schedule: Schedule, named: (pid: number) => Budget | undefined): string[] {
  const books = new BudgetBooks(schedule, named);
  for (const one of kept) books.add(one);
  return books.faults;
}

/** The newest total, and what was spent of it. */
export function standingOf(log: readonly Fact[]): { readonly budget: Budget | undefined; readonly spent: Amount } {
  let budget: Budget | undefined;
  let spent = nothing;
  for (const fact of log) {
    if (fact.type === "run.started" || fact.type === "run.resumed") budget = fact.budget;
    if (fact.type === "attempt.settled") spent = sum(spent, usedIn(fact));
  }
  return { budget, spent };
}

class BudgetBooks {
  readonly faults: string[] = [];
  readonly #schedule: Schedule;
  readonly #named: (pid: number) => Budget | undefined;
  readonly #types = new Map<string, string>();
  readonly #open = new Map<string, Open>();
  #budget: Budget | undefined;
  #spent = nothing;
  /** Tokens that stand there to be read. */
  #written = 0;
  /** In the life that is, a worker was let out with the answer's share kept back, and nobody has taken that since. */
  #isAnswerDue = false;
  #isAnswerBegun = false;
  /** A model used more than was reserved. */
  #isBroken = false;
  /** Of the life that is: what was spent before it, what models used beyond what was reserved, and how long it went on before. */
  #before = nothing;
  #excess = nothing;
  #pastMs = 0;
  #from = 0;
  #to = 0;
  #isWaiting = false;
  #lows = 0;
  #wasLow = false;
  #used = new Set<string>();
  #refused: string[] = [];
  #planError: string | undefined;

  constructor(schedule: Schedule, named: (pid: number) => Budget | undefined) {
    this.#schedule = schedule;
    this.#named = named;
  }

  add({ fact, pid }: Kept): void {
    // While somebody was asked, no time went on.
    if (this.#isWaiting && fact.type !== "run.resumed") this.#from += fact.at - this.#to;
    this.#isWaiting = fact.type === "approval.requested";
    if (fact.type === "run.started" || fact.type === "run.resumed") this.#begin(fact, pid);
    this.#to = fact.at;
    switch (fact.type) {
      case "subtask.planned":
        this.#types.set(keyOf(fact.subtask.id), keyOf(fact.subtask.type));
        // Written anew, it has used nothing yet, and is no longer left out.
        this.#used.delete(fact.subtask.id);
        this.#refused = this.#refused.filter((name) => name !== fact.subtask.id);
        break;
      case "attempt.started":
        this.#start(fact, pid);
        break;
      case "attempt.settled":
        this.#settle(fact, pid);
        break;
      case "budget.low":
        if (this.#lows++ > 0) this.faults.push("its budget is said to be low twice in one life");
        if (!this.#reaches(this.#spent, 0.8)) this.faults.push(`its budget is said to be low at ${shown(this.#spent)} of ${JSON.stringify(this.#budget)}`);
        break;
      case "subtask.skipped":
        if (fact.reason !== "budget") break;
        if (this.#used.has(fact.subtaskId)) this.faults.push(`${fact.subtaskId} is skipped for the budget, and was begun`);
        this.#refuse("worker", fact.subtaskId);
        break;
      case "subtask.failed":
        this.#refuseTry(fact.error, fact.subtaskId);
        break;
      case "plan.failed":
        this.#planError = fact.error.code;
        this.#refuseTry(fact.error, "the plan");
        if (fact.error.code === "budget_exhausted") this.#refuse("orchestrator", "the plan");
        break;
      case "synthesis.failed":
        this.#refuseTry(fact.error, "the answer");
        if (fact.error.code === "budget_exhausted") this.#refuse("synthesizer", "the answer");
        break;
      case "run.finished":
        this.#end(fact);
        break;
      default:
    }
  }

  #begin(fact: Fact & { readonly type: "run.started" | "run.resumed" }, pid: number): void {
    const wanted = this.#named(pid) ?? this.#budget;
    if (JSON.stringify(fact.budget) !== JSON.stringify(wanted))
      this.faults.push(`its budget is ${JSON.stringify(fact.budget)}, and was to be ${JSON.stringify(wanted)}`);
    this.#budget = wanted;
    this.#pastMs += this.#to - this.#from;
    this.#from = fact.at;
    [this.#isAnswerDue, this.#isAnswerBegun] = [false, false];
    [this.#before, this.#excess, this.#lows, this.#refused, this.#planError] = [this.#spent, nothing, 0, [], undefined];
    this.#used.clear();
    this.#look();
  }

  #start(fact: Open["fact"], pid: number): void {
    const { inputTokens, outputTokens } = fact.reserved;
    const need = { usd: this.#usd(fact.role, fact.subtaskId, inputTokens, outputTokens), tokens: inputTokens + outputTokens, calls: 1 };
    this.#open.set(nameOf(fact), { need, pid, fact });
    // Whatever begins leaves room for an answer that reads it, until the answer has taken that.
    if (!this.#isBroken) this.#isAnswerDue = fact.role === "worker" || (fact.role === "orchestrator" && this.#isAnswerDue);
    const reserved = sum(...[...this.#open.values()].map((one) => one.need));
    const name = `attempt ${fact.attempt} of ${nameOf(fact)} (${fact.seq})`;
    if (this.#exceeds(this.#spent)) this.faults.push(`${name} starts when ${shown(this.#spent)} of ${JSON.stringify(this.#budget)} are spent`);
    else if (this.#exceeds(sum(this.#spent, reserved)))
      this.faults.push(`${name} starts when ${shown(this.#spent)} are spent and ${shown(reserved)} reserved of ${JSON.stringify(this.#budget)}`);
    if (fact.role !== "synthesizer" && this.#isTimeOver(-roundedMs)) this.faults.push(`${name} starts when its time is over`);
  }

  #settle(fact: Fact & { readonly type: "attempt.settled" }, pid: number): void {
    const open = this.#open.get(nameOf(fact));
    this.#open.delete(nameOf(fact));
    const used = usedIn(fact);
    this.#spent = sum(this.#spent, used);
    if (used.tokens > 0 && fact.subtaskId !== undefined && open?.pid === pid) this.#used.add(fact.subtaskId);
    if (fact.role === "synthesizer") this.#isAnswerBegun ||= used.tokens > 0;
    else this.#written += fact.usage.outputTokens ?? 0;
    if (open === undefined) return;
    // Of a process that is gone: it belongs to what was spent before.
    if (open.pid !== pid) {
      this.#before = sum(this.#before, used);
      this.#look();
    }
    const { inputTokens = 0, outputTokens = 0 } = fact.usage;
    const { reserved } = open.fact;
    if (inputTokens > reserved.inputTokens || outputTokens > reserved.outputTokens) {
      this.#isBroken = true;
      this.#isAnswerDue = false;
      const beyond = { usd: used.usd - open.need.usd, tokens: used.tokens - open.need.tokens, calls: 0 };
      this.#excess = sum(this.#excess, { usd: Math.max(0, beyond.usd), tokens: Math.max(0, beyond.tokens), calls: 0 });
    }
    for (const measure of measures) {
      const most = Math.max(this.#budget?.[measure] ?? Number.POSITIVE_INFINITY, this.#before[measure]) + this.#excess[measure];
      if (this.#spent[measure] > most + roundedUsd) this.faults.push(`it has spent ${this.#spent[measure]} ${measure} of ${most} (${fact.seq})`);
    }
  }

  /** What failed could not be tried again for the budget; what the try would have taken is not known here, a cap may be doubled. */
  #refuseTry({ code, evidence }: ErrorData, name: string): void {
    if (code !== "budget_exhausted" && evidence?.budget !== undefined) this.#refused.push(name);
  }

  /** Something was not begun for the budget: it must not have fitted in with nothing else under way. */
  #refuse(role: Role, name: string): void {
    this.#refused.push(name);
    if (this.#budget === undefined) this.faults.push(`${name} is left out for the budget, and there is none`);
    if (role !== "synthesizer" && this.#isTimeOver(roundedMs)) return;
    const need =
      role === "synthesizer"
        ? this.#answerNeed(0)
        : sum(this.#needOf(role, name, { inputTokens: longestInput(this.#schedule), outputTokens: caps[role], calls: 1 }), this.#answerNeed(caps[role]));
    if (!this.#exceeds(sum(this.#spent, need))) this.faults.push(`${name} is left out for the budget, and would have fitted in`);
    // The answer's share is kept back from the beginning: only where it was not there then, or a model took it, is it missing.
    // One that was begun may have had to be asked for again.
    if (role === "synthesizer" && !this.#isBroken && !this.#isAnswerBegun && !this.#exceeds(sum(this.#before, need)))
      this.faults.push("its budget does not pay for the answer");
    if (role === "synthesizer" && this.#isAnswerDue) this.faults.push("its budget does not pay for the answer, though it let a worker begin");
  }

  /** For an answer that reads so many tokens more than were written. */
  #answerNeed(more: number): Amount {
    return this.#needOf("synthesizer", undefined, answerAtMost(this.#schedule, this.#written + more, this.#types.size));
  }

  #needOf(role: Role, subtaskId: string | undefined, { inputTokens, outputTokens, calls }: Bound): Amount {
    return { usd: this.#usd(role, subtaskId, inputTokens, outputTokens), tokens: inputTokens + outputTokens, calls };
  }

  #end({ outcome }: Fact & { readonly type: "run.finished" }): void {
    const { status, coverage, results } = outcome;
    const code = "error" in outcome ? outcome.error.code : undefined;
    for (const result of results) {
      if (result.status !== "skipped" || result.reason !== "budget") continue;
      if (!coverage.missing.some(({ id, why }) => id === result.id && why.includes("budget")))
        this.faults.push(`its coverage does not say why ${result.id} is missing`);
    }
    if (this.#refused.length > 0) {
      const others = ["run_timeout", this.#planError];
      if (status === "ok") this.faults.push(`it is ok, without ${this.#refused.join(", ")}`);
      else if (status !== "aborted" && code !== "budget_exhausted" && !others.includes(code))
        this.faults.push(`it ended with ${code}, and lacks ${this.#refused.join(", ")} for its budget`);
    } else if (code === "budget_exhausted" && !isUnjudgedForBudget(outcome))
      this.faults.push("it says that its budget is used up, and nothing was left out for it");
    if (this.#lows === 0 && !this.#wasLow && this.#reaches(this.#spent, 0.8, roundedUsd))
      this.faults.push(`nobody said that its budget is low: ${shown(this.#spent)} of ${JSON.stringify(this.#budget)}`);
  }

  /** Where it stands when its life begins. */
  #look(): void {
    this.#wasLow = this.#reaches(this.#before, 0.8);
  }

  #isTimeOver(toleranceMs: number): boolean {
    const activeMs = this.#pastMs + this.#to - this.#from;
    return activeMs + toleranceMs >= (this.#budget?.seconds ?? Number.POSITIVE_INFINITY) * 1_000;
  }

  #exceeds(amount: Amount): boolean {
    return measures.some((measure) => amount[measure] > (this.#budget?.[measure] ?? Number.POSITIVE_INFINITY) + roundedUsd);
  }

  #reaches(amount: Amount, share: number, beyond = -roundedUsd): boolean {
    return measures.some((measure) => amount[measure] > (this.#budget?.[measure] ?? Number.POSITIVE_INFINITY) * share + beyond);
  }

  #usd(role: Role, subtaskId: string | undefined, inputTokens: number, outputTokens: number): number {
    const price = priceIn(this.#schedule, role, this.#types.get(keyOf(subtaskId ?? "")));
    return price === undefined ? 0 : (inputTokens * Math.max(price.input, price.cacheWrite ?? 0) + outputTokens * price.output) / 1e6;
  }
}

function usedIn({ usage, cost = 0, calls }: Fact & { readonly type: "attempt.settled" }): Amount {
  return { usd: cost, tokens: usage.totalTokens ?? 0, calls: calls ?? 1 };
}

function sum(...amounts: readonly Amount[]): Amount {
  return amounts.reduce((a, b) => ({ usd: a.usd + b.usd, tokens: a.tokens + b.tokens, calls: a.calls + b.calls }), nothing);
}

function shown({ usd, tokens, calls }: Amount): string {
  return `${usd.toFixed(6)} USD, ${tokens} tokens, ${calls} calls`;
}

function nameOf(fact: Fact & { readonly type: "attempt.started" | "attempt.settled" }): string {
  return refName(fact).trim();
}

/** All is there, and a verdict or a further try is what its budget did not allow. */
function isUnjudgedForBudget({ results, evaluation }: Outcome): boolean {
  const judged = results.map((result) => (result.status === "done" ? result.evaluation : undefined));
  return [...judged, evaluation].some((one) => one?.error?.code === "budget_exhausted" || one?.error?.evidence?.budget !== undefined);
}
