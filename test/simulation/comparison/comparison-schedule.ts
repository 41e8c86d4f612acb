import type { Allowance } from "../../../src/assembly/run-budget.ts";
import type { Budget } from "../../../src/budget.ts";
import { chance } from "../chance.ts";
import { breeze, calmWeather, type Schedule, scheduleFrom, storm, type Weather } from "../schedule.ts";

/** When somebody stops it: before it begins, at a call, when something of it begins, or at a time. */
export type Stop = { readonly on: "begin" } | { readonly on: "call" | "progress"; readonly n: number } | { readonly on: "time"; readonly ms: number };

/** All that decides what happens in one comparison: together with its seed, everything. */
export interface ComparisonSchedule {
  readonly seed: number;
  /** How the divided way works, and what models say. */
  readonly run: Schedule;
  readonly weather: Weather;
  readonly tasks: number;
  readonly tries: number;
  /** Who judges the answers. `nobody can pay`: one whose price is not known, under a budget in dollars. */
  readonly judge: "nobody" | "the orchestrator's" | "another" | "nobody can pay";
  /** Share of the pairs about which the judge says the same, whatever place the two have. */
  readonly fair: number;
  readonly budget: Budget | undefined;
  readonly allowance: Allowance | undefined;
  readonly stop: Stop | undefined;
}

export function comparisonFrom(seed: number): ComparisonSchedule {
  const { happens, of, whole, magnitude } = chance(seed, "comparison");
  const run = runOf(scheduleFrom(seed), happens(0.4));
  const { isPriced } = run;
  const measure = of(["tokens", "calls", "seconds", ...(isPriced ? (["usd"] as const) : [])] as const);
  const bound = { usd: magnitude(200, 8_000) / 1_000, tokens: magnitude(20_000, 800_000), calls: whole(1, 70), seconds: magnitude(5, 600) } satisfies Budget;
  const bounds = of(["none", "none", "budget", "budget", "allowance"] as const);
  const judge = of(["nobody", "the orchestrator's", "the orchestrator's", "another"] as const);
  const cannotPay = happens(0.06);
  const stop: Stop = of<Stop>([
    { on: "begin" },
    { on: "call", n: magnitude(1, 60) },
    { on: "call", n: magnitude(1, 60) },
    { on: "progress", n: whole(1, 6) },
    { on: "time", ms: magnitude(100, 100_000) },
  ]);
  return {
    seed,
    run,
    weather: of([calmWeather, breeze, breeze, storm]),
    tasks: of([1, 1, 2]),
    tries: of([1, 2, 2, 3]),
    judge: cannotPay ? "nobody can pay" : judge,
    fair: happens(0.2) ? 0 : 0.8,
    budget: cannotPay ? { usd: bound.usd } : bounds === "budget" ? { [measure]: bound[measure] } : undefined,
    allowance: !cannotPay && bounds === "allowance" ? { usd: bound.usd, tokens: bound.tokens } : undefined,
    stop: happens(0.2) ? stop : undefined,
  };
}

/** One run after the other, each a life in which nobody dies: it always divides, and there is always an answer. */
function runOf(schedule: Schedule, isPlain: boolean): Schedule {
  const { synthesis, subtasks, rounds } = schedule;
  return {
    ...schedule,
    // What there is in larger plans, other simulations meet with.
    subtasks: 3 + (subtasks % 3),
    rounds: Math.min(rounds, 2),
    runs: 1,
    shared: false,
    direct: "never",
    synthesis: synthesis === "none" ? "auto" : synthesis,
    isGiven: false,
    planCache: "no",
    approves: false,
    // Of results that are compared nobody outside can tell whether it is for the answer.
    compares: false,
    ...(isPlain && { kinds: "none" as const, overCap: 0 }),
  };
}
