import { afterEach, describe, expect, test, vi } from "vitest";
import type { CompareOptions } from "../../../src/compare/compare.ts";
import type { Comparison, Figures, ComparedSide, ComparedTry } from "../../../src/compare/comparison.ts";
import { DivvyError } from "../../../src/errors.ts";
import type { Budget } from "../../../src/budget.ts";
import { calmWeather } from "../schedule.ts";
import { Timeline } from "../timeline.ts";
import { comparisonFrom, type ComparisonSchedule } from "./comparison-schedule.ts";
import { simulateComparison } from "./simulate-comparison.ts";

type Compare = (options: CompareOptions) => Promise<Comparison>;
const comparing = vi.hoisted(() => ({
  with: async (options: CompareOptions, real: Compare): Promise<Comparison> => await real(options),
  judges: async <T>(judge: () => Promise<T>): Promise<T> => await judge(),
}));
vi.mock(import("../../../src/compare/compare.ts"), async (original) => {
  const { compare } = await original();
  return { compare: async (...[tasks, options, world]) => await comparing.with(options ?? {}, async (changed) => await compare(tasks, changed, world)) };
});
vi.mock(import("../../../src/compare/judge-answers.ts"), async (original) => {
  const { judgeAnswers, ...rest } = await original();
  return { ...rest, judgeAnswers: async (...asked) => await comparing.judges(async () => await judgeAnswers(...asked)) };
});

/** Something that is broken on purpose, what is said of it, and what it takes to come to light. */
interface Sabotage {
  readonly name: string;
  readonly breaks: () => void;
  readonly says: readonly RegExp[];
  readonly under?: Partial<ComparisonSchedule>;
}

async function unsaid({ breaks, says, under = {} }: Sabotage): Promise<string[]> {
  const left = new Set(says);
  for (let seed = 1; seed <= 80 && left.size > 0; seed++) {
    breaks();
    const { faults } = await simulateComparison({ ...comparisonFrom(seed), ...under });
    vi.restoreAllMocks();
    for (const wanted of left) if (faults.some((fault) => wanted.test(fault))) left.delete(wanted);
  }
  return [...left].map(String);
}

/** It is asked for something else than it is to do. */
function asking(name: string, change: (options: CompareOptions) => CompareOptions, says: readonly RegExp[], under?: Partial<ComparisonSchedule>): Sabotage {
  const breaks = (): void => {
    comparing.with = async (options, real) => await real(change(options));
  };
  return { name, breaks, says, ...(under && { under }) };
}

/** Something else comes of it than came of it. */
function ending(name: string, change: (comparison: Comparison) => Comparison, says: readonly RegExp[], under: Partial<ComparisonSchedule> = whole): Sabotage {
  const breaks = (): void => {
    comparing.with = async (options, real) => change(await real(options));
  };
  return { name, breaks, says, under };
}

function eachTry(comparison: Comparison, change: (each: ComparedTry) => ComparedTry): Comparison {
  return { ...comparison, tasks: comparison.tasks.map((task) => ({ ...task, tries: task.tries.map(change) })) };
}

const eachOne = (comparison: Comparison, change: (one: ComparedSide) => ComparedSide): Comparison =>
  eachTry(comparison, (each) => ({ ...each, one: change(each.one) }));

function eachFigures(comparison: Comparison, change: (figures: Figures) => Figures): Comparison {
  const changed = ({ figures }: { readonly figures?: Figures }): { readonly figures?: Figures } => (figures === undefined ? {} : { figures: change(figures) });
  return { ...comparison, ...changed(comparison), tasks: comparison.tasks.map((task) => ({ ...task, ...changed(task) })) };
}

const whole: Partial<ComparisonSchedule> = {
  weather: calmWeather,
  tasks: 1,
  tries: 2,
  judge: "the orchestrator's",
  fair: 1,
  budget: undefined,
  allowance: undefined,
  stop: undefined,
};
const bounded = (budget: Budget): Partial<ComparisonSchedule> => ({ ...whole, budget });
const stopped: Partial<ComparisonSchedule> = { ...whole, stop: { on: "call", n: 4 } };
const unpaid: Partial<ComparisonSchedule> = { ...whole, judge: "nobody can pay", budget: { usd: 5 } };
const withoutBudget = ({ budget: _budget, ...options }: CompareOptions): CompareOptions => options;
const failure = new DivvyError("nothing_done", "Nothing is done.").toJSON();

const sabotages: readonly Sabotage[] = [
  {
    name: "never ends",
    breaks: () => {
      comparing.with = async () => await new Promise<never>(() => undefined);
    },
    says: [/Nothing happens any more, and it is not over: a comparison/],
  },
  {
    name: "throws",
    breaks: () => {
      comparing.with = async () => await Promise.reject(new Error("It is broken."));
    },
    says: [/it threw Error: It is broken/],
  },
  {
    name: "asks somebody before it says that its judge cannot be paid",
    breaks: () => {
      comparing.with = async (options, real) => {
        await real(withoutBudget(options));
        throw new DivvyError("unknown_price", "Nobody knows.");
      };
    },
    says: [/its judge cannot be paid, and somebody was asked/],
    under: unpaid,
  },
  asking("is carried out though its judge cannot be paid", withoutBudget, [/its judge cannot be paid, and it is carried out/], unpaid),
  asking(
    "may use as much as it likes: tokens",
    withoutBudget,
    [/its models used \d+ tokens, \d+ of them beyond their caps, and it may use 2000/],
    bounded({ tokens: 2_000 }),
  ),
  asking("may use as much as it likes: dollars", withoutBudget, [/its models cost .* USD, and it may use 0\.001/], bounded({ usd: 0.001 })),
  asking("may use as much as it likes: calls", withoutBudget, [/\d+ calls left, and it may use 3/], bounded({ calls: 3 })),
  asking("may use as much as it likes: time", withoutBudget, [/call \d+ left after .* ms, and it may take 1 s/], bounded({ seconds: 1 })),
  asking(
    "does not hear who stops it",
    ({ signal: _signal, ...options }) => options,
    [/\d+ calls left after it was stopped/, /it ended .* ms after it was stopped/],
    stopped,
  ),
  asking("does less than it is to", (options) => ({ ...options, tries: 1 }), [/of 2 tries there are 1, and it does not say why/], whole),
  asking("is judged though nobody was to", (options) => ({ ...options, judge: true }), [/was judged, though nobody was to/], { ...whole, judge: "nobody" }),
  asking("is not judged", (options) => ({ ...options, judge: false }), [/has neither a verdict nor an error/], whole),
  asking(
    "says twice what it does",
    ({ onProgress, ...options }) => ({
      ...options,
      onProgress: (progress) => {
        onProgress?.(progress);
        onProgress?.(progress);
      },
    }),
    [/it says that it does divided 1 1, divided 1 1/, /it has 2 tries, and began 4/],
    whole,
  ),
  asking(
    "does not say what it does",
    ({ onProgress, ...options }) => ({ ...options, onProgress: (progress) => (progress.doing === "one" ? undefined : onProgress?.(progress)) }),
    [/call \d+ is for one, when divided is done/],
    whole,
  ),
  {
    name: "is judged again and again",
    breaks: () => {
      comparing.judges = async (judge) => {
        await judge();
        return await judge();
      };
    },
    says: [/was judged again when there was a verdict/],
    under: whole,
  },
  {
    name: "leaves its timers",
    breaks: () => {
      const { clockOf } = Timeline.prototype;
      vi.spyOn(Timeline.prototype, "clockOf").mockImplementation(function (this: Timeline, owner) {
        const { now, setTimer } = clockOf.call(this, owner);
        return {
          now,
          setTimer: (ms, fn) => {
            setTimer(ms, fn);
            return () => undefined;
          },
        };
      });
    },
    says: [/\d+ timers are left/],
    under: whole,
  },
  {
    name: "leaves its listeners",
    breaks: () => void vi.spyOn(AbortSignal.prototype, "removeEventListener").mockReturnValue(),
    says: [/\d+ listeners are left/],
    under: whole,
  },
  {
    name: "leaves its calls",
    breaks: () => {
      comparing.with = async (options, real) => {
        const model = options.orchestrator?.synthesizer;
        const comparison = await real(options);
        if (typeof model === "object" && "model" in model && typeof model.model === "object" && "doStream" in model.model)
          void model.model.doStream({ prompt: [{ role: "system", content: "You answer a request." }] });
        return comparison;
      };
    },
    says: [/1 calls are left/],
    under: whole,
  },
  ending("says that it was stopped when nobody stopped it", (one) => ({ ...one, stopped: { ...failure, code: "aborted" } }), [
    /it says that it was stopped, and nobody stopped it/,
  ]),
  ending("says that its budget is used up when it has none", (one) => ({ ...one, stopped: { ...failure, code: "budget_exhausted" } }), [
    /it says that its budget is used up, and it has none/,
  ]),
  ending(
    "was stopped and says something else",
    ({ stopped: _stopped, ...one }) => ({ ...one, stopped: failure }),
    [/it was stopped, and says nothing_done/],
    stopped,
  ),
  ending(
    "goes on when nobody can judge",
    (one) => eachTry({ ...one, stopped: failure }, ({ verdict: _verdict, ...each }) => ({ ...each, judgeError: { ...failure, code: "authentication" } })),
    [/it goes on, though nobody can judge: authentication/],
  ),
  ending("counts its calls wrongly", (one) => eachOne(one, (side) => ({ ...side, calls: 9 })), [
    /the one call of try 1 of task 1 says 9 calls; 1 questions were asked/,
    /the one call of try 1 of task 1 took 9/,
  ]),
  ending("counts its tokens wrongly", (one) => eachOne(one, (side) => ({ ...side, tokens: side.tokens + 1 })), [
    /the one call of .* says \d+ tokens; its models said/,
  ]),
  ending("counts its cost wrongly", (one) => eachOne(one, (side) => ({ ...side, ...(side.cost !== undefined && { cost: side.cost * 2 }) })), [
    /the one call of .* says that it cost .*; by its prices it is/,
  ]),
  ending("does not know its cost", (one) => eachOne(one, ({ cost: _cost, ...side }) => side), [
    /the one call of .* says that it cost undefined, and its price is known/,
  ]),
  ending("counts what judging takes wrongly", (one) => ({ ...one, judging: { ...one.judging, tokens: one.judging.tokens + 1 } }), [
    /judging says \d+ tokens; its models said/,
  ]),
  ending("gives another answer than its model did", (one) => eachOne(one, (side) => ({ ...side, text: "It is so." })), [
    /the one call of .* is not what its model wrote/,
  ]),
  ending("gives an answer of nobody", (one) => eachTry(one, (each) => ({ ...each, divided: { ...each.divided, text: "As #9999#." } })), [
    /the divided answer of .* rests on call 9999, which was for something else/,
  ]),
  ending("has an error where nothing is wrong", (one) => eachOne(one, (side) => ({ ...side, error: failure })), [/is ok, with the error nothing_done/]),
  ending("is stopped on one side, and counts", (one) => eachOne(one, (side) => ({ ...side, status: "aborted" })), [/was stopped, and counts/]),
  ending("goes back in time", (one) => eachOne(one, (side) => ({ ...side, durationMs: -1 })), [/took less than no time/]),
  ending(
    "counts a try without any answer",
    (one) => eachTry(one, (each) => ({ ...each, one: { ...each.one, text: "" }, divided: { ...each.divided, text: "" } })),
    [/has no answer either way/, /is ok, and has no answer/],
  ),
  ending("asks a judge where there is one answer", (one) => eachOne(one, (side) => ({ ...side, text: "" })), [/needs no judge, and one was asked/]),
  ending(
    "gives the prize to who has no answer",
    (one) => eachTry(one, (each) => ({ ...each, one: { ...each.one, text: "" }, verdict: { winner: "one", reasons: "" } })),
    [/is won by one, and divided has/],
  ),
  ending("has another verdict than its judge gave", (one) => eachTry(one, (each) => ({ ...each, verdict: { winner: "one", reasons: "It is so." } })), [
    /is won by one, its judge said second and, swapped, first/,
    /is judged for It is so\., its judge said/,
  ]),
  ending(
    "has a verdict that nobody gave",
    (one) => eachTry(one, ({ judgeError: _error, ...each }) => ({ verdict: { winner: "one", reasons: "It is so." }, ...each })),
    [/has a verdict that nobody gave/],
    { ...whole, weather: { ...calmWeather, odd: 0.4 } },
  ),
  ending("has no figures", ({ figures: _figures, ...one }) => one, [/the figures of all are missing/]),
  ending("has figures of other tries", (one) => eachFigures(one, (figures) => ({ ...figures, tries: 7 })), [
    /the figures of Task 0\. are of 7 tries, there are 2/,
  ]),
  ending("does not count who has no answer", (one) => eachFigures(one, (figures) => ({ ...figures, one: { ...figures.one, unanswered: 2 } })), [
    /the figures of all of one call say that 2 have no answer, it is 0/,
  ]),
  ending("has other averages", (one) => eachFigures(one, (figures) => ({ ...figures, divided: { ...figures.divided, tokens: 1, cost: 1 } })), [
    /the figures of all, divided, say .* in all, it is/,
    /the figures of all, divided, say that it cost 1, in all it is/,
  ]),
  ending(
    "counts who has won wrongly",
    (one) => eachFigures(one, (figures) => ({ ...figures, ...(figures.share && { share: { ...figures.share, wins: 9 } }) })),
    [/say 9, \d, \d won, tied and lost, it is/],
  ),
  ending("has no share", (one) => eachFigures(one, ({ share: _share, ...figures }) => figures), [/have a share of 2 judged tries/]),
  ending("has another share", (one) => eachFigures(one, (figures) => ({ ...figures, ...(figures.share && { share: { ...figures.share, share: 0.9 } }) })), [
    /say a share of 0\.9/,
  ]),
  ending(
    "has a narrower interval",
    (one) => eachFigures(one, (figures) => ({ ...figures, ...(figures.share && { share: { ...figures.share, low: 0.45 } }) })),
    [/say that it lies from 0\.45 to/],
  ),
  ending("concludes more than it may", (one) => ({ ...one, conclusion: "Dividing gives the better answer here." }), [
    /it concludes: Dividing gives the better answer here\., and was to say: Too few tries to tell/,
  ]),
];

describe("a simulation notices a comparison that", () => {
  afterEach(() => {
    comparing.with = async (options, real) => await real(options);
    comparing.judges = async (judge) => await judge();
    vi.restoreAllMocks();
  });
  test.for(sabotages.map((sabotage) => [sabotage.name, sabotage] as const))("%s", { timeout: 60_000 }, async ([, sabotage]) => {
    expect(await unsaid(sabotage)).toEqual([]);
  });
});
