import type { Fact } from "../../src/events.ts";
import { refName } from "../../src/role.ts";
import { keyOf } from "../../src/names.ts";
import type { Subtask } from "../../src/subtask.ts";
import { approvalFaults } from "./approval-invariants.ts";
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
    ...waitFaults(log, schedule),
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
  end: "none" | "done" | "unable" | "lost";
  started: boolean;
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
      case "subtask.planned":
        if (fact.ordinal !== subjects.size) faults.push(`${fact.subtask.id} is number ${fact.ordinal}, after ${subjects.size}`);
        if (subjects.has(keyOf(fact.subtask.id))) faults.push(`${fact.subtask.id} is planned twice`);
        if (tries.has(tryOf(fact.subtask, fact.sample))) faults.push(`${fact.subtask.id} is the same try as another`);
        tries.add(tryOf(fact.subtask, fact.sample));
        subjects.set(keyOf(fact.subtask.id), { subtask: fact.subtask, end: "none", started: false });
        break;
      case "subtask.started": {
        const subject = of(fact.subtaskId);
        if (subject === undefined) break;
        if (subject.started || subject.end !== "none") faults.push(`${fact.subtaskId} starts when it is ${subject.end}`);
        subject.started = true;
        for (const name of subject.subtask.dependsOn) {
          const needed = subjects.get(keyOf(name));
          if (needed !== undefined && needed.end !== "done") faults.push(`${fact.subtaskId} starts before ${name} is done`);
        }
        break;
      }
      case "subtask.finished":
      case "subtask.failed":
      case "subtask.skipped": {
        const subject = of(fact.subtaskId);
        if (subject === undefined) break;
        if (subject.end !== "none") faults.push(`${fact.subtaskId} ends again (${fact.type}) when it is ${subject.end}`);
        subject.end = fact.type === "subtask.finished" ? "done" : fact.type === "subtask.failed" && fact.error.code === "unable" ? "unable" : "lost";
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
    if (fact.type === "plan.finished" && fact.complete) complete = true;
    if (fact.type === "plan.answered") answered = true;
    if (fact.type === "plan.asked_again") {
      if (fact.round < asked) faults.push(`the plan is asked for the ${fact.round}. time after the ${asked}.`);
      asked = fact.round;
    }
  }
  return faults;
}

/** Where many calls may be in flight, none waits for its turn for ever. */
function waitFaults(log: readonly Fact[], { concurrency, admissionMs, lives }: Schedule): string[] {
  if (concurrency < 100 || admissionMs < 600_000 || lives.some((life) => life.concurrency !== undefined || life.runMs !== undefined)) return [];
  return log.flatMap((fact) => (fact.type === "subtask.failed" && fact.error.code === "admission_timeout" ? [`${fact.subtaskId} had no turn`] : []));
}
