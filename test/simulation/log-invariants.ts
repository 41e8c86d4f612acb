import type { Fact } from "../../src/events.ts";
import { lacksCall } from "../../src/outcome.ts";
import { refName } from "../../src/role.ts";
import { keyOf } from "../../src/names.ts";
import type { Subtask } from "../../src/subtask.ts";
import { approvalFaults } from "./approval-invariants.ts";
import { planCacheFaults } from "./plan-cache-invariants.ts";
import type { Schedule } from "./schedule.ts";
import type { Kept } from "./store.ts";

/** What must hold of a run's log, over all lives of the run. */
export function logFaults(kept: readonly Kept[], schedule: Schedule): string[] {
  const log = kept.map(({ fact }) => fact);
  return [
    ...orderFaults(log),
    ...writerFaults(kept),
    ...subtaskFaults(log),
    ...attemptFaults(log),
    ...planFaults(log),
    ...roundFaults(log, schedule),
    ...waitFaults(log, schedule),
    ...planCacheFaults(log, schedule),
    ...approvalFaults(kept),
  ];
}

function orderFaults(log: readonly Fact[]): string[] {
  const faults: string[] = [];
  if (log.length > 0 && log[0]?.type !== "run.started") faults.push(`its log begins with ${log[0]?.type}`);
  for (const [index, fact] of log.entries()) {
    const before = log[index - 1];
    if (before === undefined) continue;
    if (fact.seq <= before.seq) faults.push(`fact ${fact.seq} stands after ${before.seq}`);
    if (fact.at < before.at) faults.push(`fact ${fact.seq} is of ${fact.at}, the one before it of ${before.at}`);
    if (fact.type === "run.started") faults.push("it was started twice");
    if (before.type === "run.finished" && fact.type !== "run.resumed") faults.push(`after its end there is ${fact.type}`);
  }
  return faults;
}

/** Whoever was taken over writes no more. */
function writerFaults(kept: readonly Kept[]): string[] {
  const writers = kept.map(({ pid }) => pid).filter((pid, index, all) => pid !== all[index - 1]);
  return new Set(writers).size === writers.length ? [] : [`processes wrote to its log in turns: ${writers.join(", ")}`];
}

interface Subject {
  readonly subtask: Subtask;
  readonly ordinal: number;
  /** `unjudged`: done, and its judge could not be heard. */
  end: "none" | "done" | "unjudged" | "unable" | "lost";
  started: boolean;
  /** What it was left out for is written anew: it may yet be done. */
  mayReopen: boolean;
}

/** Every subtask ends once; what is done or cannot be done stays so; and nothing starts before what it needs is done. */
function subtaskFaults(log: readonly Fact[]): string[] {
  const faults: string[] = [];
  const subjects = new Map<string, Subject>();
  const of = (id: string): Subject | undefined => {
    const subject = subjects.get(keyOf(id));
    if (subject === undefined) faults.push(`there is no subtask ${id}`);
    return subject;
  };
  const tries = new Set<string>();
  const isSettled = ({ end }: Subject): boolean => end === "done" || end === "unable";
  for (const fact of log) {
    switch (fact.type) {
      case "run.resumed":
        for (const subject of subjects.values()) {
          if (!isSettled(subject)) subject.end = "none";
          subject.started = false;
        }
        break;
      case "approval.given":
      case "approval.declined":
        if (fact.type === "approval.given" && !fact.edited) break;
        // What was planned is void.
        subjects.clear();
        tries.clear();
        break;
      case "subtask.planned": {
        const before = subjects.get(keyOf(fact.subtask.id));
        if (before === undefined && fact.ordinal !== subjects.size) faults.push(`${fact.subtask.id} is number ${fact.ordinal}, after ${subjects.size}`);
        if (before !== undefined && (fact.round === undefined || fact.ordinal !== before.ordinal || before.end === "done" || before.end === "unjudged"))
          faults.push(`${fact.subtask.id} is planned twice`);
        if (tries.has(tryOf(fact.subtask, fact.sample))) faults.push(`${fact.subtask.id} is the same try as another`);
        tries.add(tryOf(fact.subtask, fact.sample));
        subjects.set(keyOf(fact.subtask.id), { subtask: fact.subtask, ordinal: fact.ordinal, end: "none", started: false, mayReopen: false });
        if (before !== undefined) for (const one of dependantsOf(keyOf(fact.subtask.id), subjects)) one.mayReopen = one.end === "lost";
        break;
      }
      case "subtask.started": {
        const subject = of(fact.subtaskId);
        if (subject === undefined) break;
        if (subject.mayReopen) [subject.end, subject.started, subject.mayReopen] = ["none", false, false];
        if (subject.started || subject.end !== "none") faults.push(`${fact.subtaskId} starts when it is ${subject.end}`);
        subject.started = true;
        for (const name of subject.subtask.dependsOn) {
          const needed = subjects.get(keyOf(name));
          if (needed !== undefined && needed.end !== "done" && needed.end !== "unjudged") faults.push(`${fact.subtaskId} starts before ${name} is done`);
        }
        break;
      }
      case "subtask.finished":
      case "subtask.failed":
      case "subtask.skipped": {
        const subject = of(fact.subtaskId);
        if (subject === undefined) break;
        if (subject.mayReopen && fact.type === "subtask.skipped") [subject.end, subject.mayReopen] = ["none", false];
        if (subject.end !== "none") faults.push(`${fact.subtaskId} ends again (${fact.type}) when it is ${subject.end}`);
        subject.end = endIn(fact, subject);
        break;
      }
      case "attempt.started":
        if (fact.subtaskId !== undefined && of(fact.subtaskId)?.started !== true) faults.push(`an attempt of ${fact.subtaskId} leaves before it starts`);
        break;
      case "run.finished":
        // A run that broke before its story began has no subtasks to tell of.
        if (fact.outcome.results.length === 0 && fact.outcome.status !== "ok") break;
        for (const { subtask, end } of subjects.values()) if (end === "none") faults.push(`${subtask.id} has no end`);
        break;
      default:
    }
  }
  return faults;
}

function endIn(fact: Fact & { type: "subtask.finished" | "subtask.failed" | "subtask.skipped" }, { started }: Subject): Subject["end"] {
  // What is taken over stays as it was.
  if (fact.type === "subtask.finished") return started && lacksCall(fact.evaluation) ? "unjudged" : "done";
  return fact.type === "subtask.failed" && fact.error.code === "unable" ? "unable" : "lost";
}

/** Those that wait for one, over others or directly. */
function dependantsOf(key: string, subjects: ReadonlyMap<string, Subject>): Subject[] {
  const found = new Set([key]);
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const [other, { subtask }] of subjects) if (subtask.dependsOn.some((name) => found.has(keyOf(name)))) found.add(other);
  }
  found.delete(key);
  return [...found].flatMap((other) => subjects.get(other) ?? []);
}

function tryOf({ type, description, dependsOn }: Subtask, sample: number): string {
  return JSON.stringify([type, description, dependsOn, sample]);
}

/** Every attempt is booked once: when it ends, or when the process that made it is known to be gone. */
function attemptFaults(log: readonly Fact[]): string[] {
  const faults: string[] = [];
  const open = new Map<string, number>();
  for (const fact of log) {
    if (fact.type === "attempt.started" || fact.type === "attempt.settled") {
      const name = refName(fact);
      const before = open.get(name) ?? 0;
      if (fact.type === "attempt.started" ? before !== 0 : before !== fact.attempt)
        faults.push(`${fact.type} ${fact.attempt} of ${name}, when ${before} is open (${fact.seq})`);
      open.set(name, fact.type === "attempt.started" ? fact.attempt : 0);
    }
    if (fact.type === "run.finished") for (const [name, attempt] of open) if (attempt !== 0) faults.push(`attempt ${attempt} of ${name} is open at the end`);
  }
  return faults;
}

/** A plan that is complete stays as it is. */
function planFaults(log: readonly Fact[]): string[] {
  const faults: string[] = [];
  let complete = false;
  let asked = -1;
  let answered = false;
  for (const fact of log) {
    if (fact.type === "run.resumed") answered = false;
    if (fact.type === "approval.declined" || (fact.type === "approval.given" && fact.edited)) [complete, answered, asked] = [false, false, -1];
    if ((complete || answered) && (fact.type === "subtask.planned" || fact.type === "plan.asked_again" || fact.type === "plan.opened"))
      faults.push(`${fact.type} after the plan was complete`);
    if ((complete || answered) && fact.type === "attempt.started" && fact.role === "orchestrator")
      faults.push("the orchestrator is asked when the plan is complete");
    if (fact.type === "round.started") [complete, asked] = [false, -1];
    if (fact.type === "plan.finished" && fact.complete) complete = true;
    if (fact.type === "plan.answered") answered = true;
    if (fact.type === "plan.asked_again") {
      if (fact.round < asked) faults.push(`the plan is asked for the ${fact.round}. time after the ${asked}.`);
      asked = fact.round;
    }
  }
  return faults;
}

/** A round is begun when all of the one before has ended and something of it is done, and as often as the limit allows. */
function roundFaults(log: readonly Fact[], { rounds, isGiven }: Schedule): string[] {
  const faults: string[] = [];
  const ends = new Map<string, boolean>();
  const roundOf = new Map<string, number>();
  let round = 1;
  let isPlanned = false;
  for (const fact of log) {
    switch (fact.type) {
      case "plan.finished":
        isPlanned = fact.complete;
        break;
      case "subtask.planned":
        if ((fact.round ?? 1) !== round) faults.push(`${fact.subtask.id} is said to be of round ${fact.round}, in round ${round}`);
        roundOf.set(keyOf(fact.subtask.id), round);
        ends.delete(keyOf(fact.subtask.id));
        break;
      case "run.resumed":
        for (const [key, isDone] of ends) if (!isDone) ends.delete(key);
        break;
      case "subtask.finished":
      case "subtask.failed":
      case "subtask.skipped":
        ends.set(keyOf(fact.subtaskId), fact.type === "subtask.finished");
        break;
      case "round.started":
        if (fact.round !== round + 1 || fact.round > rounds || isGiven) faults.push(`round ${fact.round} begins after ${round} of ${rounds}`);
        if (!isPlanned) faults.push(`round ${fact.round} begins before the plan of the one before is there`);
        for (const key of roundOf.keys()) if (!ends.has(key) && !isUnable(log, key)) faults.push(`round ${fact.round} begins before ${key} has ended`);
        if (![...roundOf].some(([key, of]) => of === round && ends.get(key) === true))
          faults.push(`round ${fact.round} begins, and nothing of the last is done`);
        [round, isPlanned] = [fact.round, false];
        break;
      default:
    }
  }
  return faults;
}

/** It ended for good in an earlier life. */
function isUnable(log: readonly Fact[], key: string): boolean {
  return log.some((fact) => fact.type === "subtask.failed" && keyOf(fact.subtaskId) === key && fact.error.code === "unable");
}

/** Where many calls may be in flight, none waits for its turn for ever. */
function waitFaults(log: readonly Fact[], { concurrency, admissionMs, lives }: Schedule): string[] {
  if (concurrency < 100 || admissionMs < 600_000 || lives.some((life) => life.concurrency !== undefined || life.runMs !== undefined)) return [];
  return log.flatMap((fact) => (fact.type === "subtask.failed" && fact.error.code === "admission_timeout" ? [`${fact.subtaskId} had no turn`] : []));
}
