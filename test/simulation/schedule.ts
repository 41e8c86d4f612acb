import type { Combine } from "../../src/subtask.ts";
import { chance, type Chance } from "./chance.ts";
import { budgetsFrom, type DrawnBudgets, type NewTotal, newTotalFrom } from "./drawn-budgets.ts";
import type { Ask } from "./store.ts";

/** How often what goes wrong, each a share of the calls. */
export interface Weather {
  /** Throttled: 429, 503, 529. */
  readonly throttled: number;
  /** Fails and may be tried again: 500, resets, silence, cut streams, errors in the stream, empty replies. */
  readonly broken: number;
  /** Fails for good: 400, content filter, cut at the cap. */
  readonly refused: number;
  /** Workers that say that they are unable. */
  readonly unable: number;
  /** Plans that are none, or not whole; choices of nothing. */
  readonly odd: number;
}

/** Something that happens to one process at a certain moment. */
export type Moment =
  /** When it turns to the world outside for the n-th time: to the clock, the ledger or a model. */
  | { readonly on: "touch"; readonly n: number }
  /** When it asks this of the ledger, or anything at all, for the n-th time: before that is done, or after. */
  | { readonly on: "ask"; readonly what: Ask | "anything"; readonly n: number; readonly done: boolean }
  | { readonly on: "time"; readonly ms: number };

/** What becomes of a process. */
export interface LifePlan {
  readonly weather: Weather;
  /** It dies; nothing of it goes on. */
  readonly crash?: Moment;
  /** Whoever is asked to approve plans takes them in the end, as they are or otherwise. */
  readonly agrees: boolean;
  /** Others do not see that it died, and must wait for its leases to end. */
  readonly diesUnseen: boolean;
  /** Its first run, or all of its runs, are stopped: by `abort()`, or by the signal that was handed in. */
  readonly abort?: { readonly at: Moment; readonly all: boolean; readonly bySignal: boolean };
  /** Another takes over while it lives: it is taken for dead, or stands still for longer than its lease holds. */
  readonly takenOver?: { readonly at: Moment; readonly frozen: boolean };
  /** Two processes take the runs on at the same time. */
  readonly rival: boolean;
  /** In place of the runs' own. */
  readonly concurrency: number | undefined;
  readonly runMs: number | undefined;
  /** What it says of the budgets of the runs that it goes on with; nothing where those hold that they had. */
  readonly newTotal: NewTotal | undefined;
  /** How long the ledger takes to answer, in milliseconds, at most. */
  readonly ledgerMs: number;
  /** Share of what the ledger is asked for which it is busy; and the commit from which on it takes nothing any more. */
  readonly ledgerBusy: number;
  readonly ledgerFailsAt: number | undefined;
  /** Its options differ from those of the process before it: the runs have drifted. */
  readonly drifts: boolean;
  readonly readsText: boolean;
  readonly readsEvents: boolean;
  /** Readers take this long over each piece, in milliseconds, at most. */
  readonly readerMs: number;
}

/** All that decides what happens in one simulation: together with its seed, everything. */
export interface Schedule extends DrawnBudgets {
  readonly seed: number;
  readonly subtasks: number;
  readonly runs: number;
  /** Runs that start together ask the same, and share what they paid for. */
  readonly shared: boolean;
  readonly concurrency: number;
  readonly planFormat: "xml" | "json";
  readonly direct: "auto" | "never";
  readonly synthesis: "auto" | "none" | Combine;
  /** What plans say of it; `any` is another thing each time. */
  readonly planCombine: Combine | "any";
  readonly maxSubtasks: number;
  readonly planCompletions: number;
  /** Rounds of a plan at most. */
  readonly rounds: number;
  readonly upstreamBytes: number;
  /** The synthesizer has no prompt of its own, and so compares results two at a time where one of them is to be the answer. */
  readonly compares: boolean;
  /** The synthesizer's window, for which results may be too long; nothing where it is large enough for all. */
  readonly contextTokens: number | undefined;
  readonly attempts: number;
  readonly admissionMs: number;
  readonly allowLength: boolean;
  readonly twoModels: boolean;
  /** Models do not listen to the signal. */
  readonly areDeaf: boolean;
  readonly isPriced: boolean;
  /** Kinds of worker, with prices of their own. */
  readonly kinds: "none" | "own price" | "own model";
  /** Subtasks of one type are carried out by code, which may be run again or may not. */
  readonly code: "no" | "idempotent" | "once";
  /** What it makes is judged, where anybody judges. */
  readonly codeIsJudged: boolean;
  /** Who judges results and answers; each role's work is, or is not. */
  readonly judge: "nobody" | "a model" | "code";
  readonly judged: readonly ("worker" | "synthesizer")[];
  /** Workers' results have a form: JSON of a schema. */
  readonly formed: boolean;
  /** So does the answer, which is merged then. */
  readonly answerFormed: boolean;
  /** Tries of each subtask; of one type there are more than of others. */
  readonly samples: 1 | 2 | 3;
  /** Shares of the plans that have such things in them. */
  readonly cycles: number;
  readonly copies: number;
  readonly unknown: number;
  readonly answers: number;
  /** Plans need approval. */
  readonly approves: boolean;
  /** The plan is handed in, not asked for. */
  readonly isGiven: boolean;
  /** Runs look for the plan of an earlier one: there is one, and it is like theirs, or not; it is refused; or nothing can be looked for. */
  readonly planCache: "no" | "hit" | "miss" | "refused" | "fails";
  readonly lives: readonly LifePlan[];
  /** Workers begin with so much in common that the first of them is waited for, until it can be found in the provider's cache. */
  readonly warms: boolean;
  /** Everything is kept in an SQLite file, and not in memory. */
  readonly onSqlite: boolean;
  /** One subtask is done anew when all is done. */
  readonly rerun: boolean;
}

export const calmWeather: Weather = { throttled: 0, broken: 0, refused: 0, unable: 0, odd: 0 };

/** A life in which nothing happens: whatever was left can be done in it. */
export const calmLife: LifePlan = {
  weather: calmWeather,
  agrees: true,
  diesUnseen: false,
  rival: false,
  concurrency: undefined,
  runMs: undefined,
  newTotal: undefined,
  ledgerMs: 0,
  ledgerBusy: 0,
  ledgerFailsAt: undefined,
  drifts: false,
  readsText: true,
  readsEvents: true,
  readerMs: 0,
};

export function scheduleFrom(seed: number): Schedule {
  const draw = chance(seed, "schedule");
  const { happens, whole, of } = draw;
  const lives = Array.from({ length: of([1, 1, 1, 2, 2, 3, 4]) }, (_, index) => lifePlan(draw, index));
  const runs = happens(0.2) ? 2 : 1;
  // Apart from all else, so that they change nothing of that.
  const judging = chance(seed, "judging");
  const answering = chance(seed, "answering");
  const drawn: Omit<Schedule, keyof DrawnBudgets | "lives" | "approves"> = {
    seed,
    subtasks: whole(3, 15),
    runs,
    shared: runs === 2 && happens(0.7),
    concurrency: of([1, 1, 2, 3, 8, 100, 100]),
    planFormat: happens(0.15) ? "json" : "xml",
    direct: happens(0.8) ? "auto" : "never",
    synthesis: of(["auto", "auto", "auto", "auto", "none", "merge", "keep", "choose"]),
    planCombine: of(["merge", "merge", "keep", "choose", "any"]),
    maxSubtasks: happens(0.1) ? 4 : 20,
    planCompletions: of([0, 1, 2, 2]),
    // Apart from all else, so that it changes nothing of that.
    rounds: chance(seed, "rounds").of([1, 1, 1, 2, 3, 5]),
    upstreamBytes: happens(0.1) ? 30 : 65_536,
    compares: answering.happens(0.4),
    contextTokens: answering.happens(0.12) ? answering.of([4_000, 4_000, 6_000, 9_000]) : undefined,
    attempts: of([1, 2, 3, 3]),
    admissionMs: happens(0.2) ? 20_000 : 600_000,
    allowLength: happens(0.2),
    twoModels: happens(0.3),
    areDeaf: happens(0.15),
    isPriced: happens(0.7),
    kinds: of(["none", "none", "own price", "own model"]),
    formed: chance(seed, "forms").happens(0.2),
    answerFormed: chance(seed, "form of the answer").happens(0.1),
    code: chance(seed, "code").of(["no", "no", "no", "idempotent", "once"]),
    codeIsJudged: chance(seed, "judged code").happens(0.85),
    judge: judging.of(["nobody", "nobody", "nobody", "a model", "a model", "code"]),
    judged: judging.of([["worker"], ["worker"], ["synthesizer"], ["worker", "synthesizer"]]),
    samples: chance(seed, "samples").of([1, 1, 1, 1, 1, 1, 2, 3]),
    cycles: happens(0.15) ? 0.5 : 0,
    copies: happens(0.2) ? 0.7 : 0,
    unknown: happens(0.2) ? 0.5 : 0,
    answers: happens(0.15) ? 0.7 : 0,
    isGiven: happens(0.08),
    planCache: chance(seed, "plan cache").of([...Array.from({ length: 14 }, () => "no" as const), "hit", "hit", "miss", "refused", "fails"]),
    warms: chance(seed, "warming").happens(0.15),
    onSqlite: seed % 50 === 0,
    rerun: happens(0.2),
  };
  const { isPriced, copies, judge, samples, shared, answerFormed } = drawn;
  return {
    ...drawn,
    // Then the orchestrator does not answer by itself, nor does a plan.
    ...(answerFormed && { synthesis: "merge", answers: 0, isGiven: false }),
    // Of two copies of one subtask nobody outside can tell whose result is judged.
    judge: copies > 0 ? "nobody" : judge,
    // Nor which of their tries a request is, or whose in a shared cache.
    samples: copies > 0 || shared ? 1 : samples,
    // Of two runs that share their calls nobody outside can tell which plan is whose.
    approves: !drawn.shared && chance(seed, "approval").happens(0.25),
    ...budgetsFrom(seed, isPriced),
    lives: lives.map((life, index) => ({ ...life, newTotal: newTotalFrom(seed, index, isPriced) })),
  };
}

function lifePlan(draw: Chance, index: number): Omit<LifePlan, "newTotal"> {
  const { happens, of, whole, magnitude } = draw;
  const fate = draw.random();
  const fair = happens(0.3);
  return {
    weather: fair ? calmWeather : of([breeze, breeze, storm]),
    ...(fate < 0.5 && { crash: moment(draw, index) }),
    agrees: false,
    diesUnseen: happens(0.3),
    ...(((fate >= 0.5 && fate < 0.7) || happens(0.05)) && { abort: { at: moment(draw, index), all: happens(0.5), bySignal: happens(0.5) } }),
    ...(fate >= 0.7 && fate < 0.82 && { takenOver: { at: moment(draw, index), frozen: happens(0.5) } }),
    rival: index > 0 && happens(0.1),
    concurrency: happens(0.15) ? of([1, 2, 100]) : undefined,
    runMs: happens(0.12) ? magnitude(200, 60_000) : undefined,
    ledgerMs: of([0, 0, 2, 50, 1_000]),
    ledgerBusy: happens(0.1) ? 0.2 : 0,
    ledgerFailsAt: happens(0.05) ? whole(1, 30) : undefined,
    drifts: index > 0 && happens(0.05),
    readsText: happens(0.5),
    readsEvents: happens(0.5),
    readerMs: happens(0.3) ? 300 : 0,
  };
}

export const breeze: Weather = { throttled: 0.05, broken: 0.08, refused: 0.02, unable: 0.02, odd: 0.1 };
export const storm: Weather = { throttled: 0.15, broken: 0.3, refused: 0.06, unable: 0.04, odd: 0.3 };

/** What a process that goes on with runs asks besides, and what every one asks. */
const readings: readonly Ask[] = ["readRun", "readFacts", "readLease"];
const leasings: readonly Ask[] = ["takeLease", "renewLease", "releaseLease"];

function moment({ of, magnitude, happens }: Chance, index: number): Moment {
  switch (of(["touch", "commit", "commit", "ask", index === 0 ? "touch" : "lease", "lease", "time", "time"] as const)) {
    case "touch":
      return { on: "touch", n: magnitude(8, 600) };
    case "commit":
      return { on: "ask", what: "commit", n: magnitude(1, 45), done: happens(0.5) };
    case "ask":
      return { on: "ask", what: "anything", n: magnitude(1, 120), done: happens(0.5) };
    case "lease":
      return { on: "ask", what: of(index === 0 ? leasings : [...readings, ...leasings]), n: of([1, 1, 1, 2]), done: happens(0.5) };
    case "time":
      return { on: "time", ms: magnitude(20, 60_000) };
  }
}
