import { vi } from "vitest";
import type { EventBody, Fact } from "../../src/events.ts";
import type { Ledger, LedgerBatch } from "../../src/ledger/ledger.ts";
import { EventStream } from "../../src/orchestrator/event-stream.ts";
import { calmLife, type LifePlan, type Schedule, scheduleFrom } from "./schedule.ts";
import { simulate } from "./simulate.ts";
import { Store, type StoreBreaker } from "./store.ts";
import type { Mortal } from "./timeline.ts";

/** Something that is broken on purpose, to see that what must notice it does. */
export interface Sabotage {
  readonly name: string;
  /** Breaks it, for one simulation; a broken store is handed back. */
  readonly breaks: () => StoreBreaker | void;
  /** What the invariants that are meant for it say. */
  readonly says: readonly RegExp[];
  /** What it takes to come to light. */
  readonly under?: (schedule: Schedule) => Schedule;
}

/** Simulates one seed after the other with something broken, until all has been said; gives what never was. */
export async function unsaid({ breaks, says, under = (schedule) => schedule }: Sabotage, seeds = 120): Promise<string[]> {
  const left = new Set(says);
  for (let seed = 1; seed <= seeds && left.size > 0; seed++) {
    const breakStore = breaks() ?? undefined;
    const { faults } = await simulate(under(scheduleFrom(seed)), { breakStore });
    vi.restoreAllMocks();
    for (const wanted of left) if (faults.some((fault) => wanted.test(fault))) left.delete(wanted);
  }
  return [...left].map(String);
}

type Emit = (event: EventBody) => void;

/** Has a run say something else than what happened, to everybody. */
export function changeEvents(change: (event: EventBody, emit: Emit, stream: EventStream) => void): void {
  const { emit } = EventStream.prototype;
  vi.spyOn(EventStream.prototype, "emit").mockImplementation(function (this: EventStream, event) {
    change(event, (other) => emit.call(this, other), this);
  });
}

/** Has runs leave this out, say it twice, or say this instead. */
export function changeEvent<Type extends EventBody["type"]>(type: Type, change: (event: Extract<EventBody, { type: Type }>) => readonly EventBody[]): void {
  const isIt = (event: EventBody): event is Extract<EventBody, { type: Type }> => event.type === type;
  changeEvents((event, emit) => {
    for (const other of isIt(event) ? change(event) : [event]) emit(other);
  });
}

/** Changes what a process wants of a ledger that is sound. */
export function changeAsking(change: (ledger: Ledger, process: Mortal) => Ledger): void {
  const { viewOf } = Store.prototype;
  vi.spyOn(Store.prototype, "viewOf").mockImplementation(function (this: Store, process, ...rest) {
    return change(viewOf.call(this, process, ...rest), process);
  });
}

/** Has processes write other facts than those that happened. */
export function changeFacts(change: (fact: Fact) => readonly Fact[]): void {
  changeAsking((ledger) => ({ ...ledger, commit: (batch) => ledger.commit(withFacts(batch, change)) }));
}

function withFacts({ runs, calls }: LedgerBatch, change: (fact: Fact) => readonly Fact[]): LedgerBatch {
  return { runs: runs.map(({ facts, ...rest }) => ({ ...rest, facts: facts.flatMap(change) })), calls };
}

/** True for the first time alone. */
export function once(): () => boolean {
  let isFirst = true;
  return () => {
    const was = isFirst;
    isFirst = false;
    return was;
  };
}

/** The first process dies after so many commits. */
export function killed(n: number): (schedule: Schedule) => Schedule {
  const first: LifePlan = { ...calmLife, crash: { on: "ask", what: "commit", n, done: true } };
  return (schedule) => ({ ...schedule, lives: [first], runs: 1, shared: false, isGiven: false, planCache: "no" });
}

/** Nothing happens to the first process, and nothing goes wrong. */
export function calm(schedule: Schedule): Schedule {
  return { ...schedule, lives: [calmLife], runs: 1, shared: false, planCache: "no", cycles: 0, copies: 0, unknown: 0 };
}
