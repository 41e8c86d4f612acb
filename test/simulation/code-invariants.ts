import type { Fact } from "../../src/events.ts";
import { keyOf } from "../../src/names.ts";
import type { Outcome, Result } from "../../src/outcome.ts";
import type { Subtask } from "../../src/subtask.ts";
import { type CodeBegun, codeType, computed, judgesCode } from "./code.ts";
import { mostTries } from "./kinds.ts";
import type { Schedule } from "./schedule.ts";
import type { Kept, Store } from "./store.ts";

/** What code was to carry out, it did; and what must not be run twice is not, whoever died in between. */
export function codeFaults(outcome: Outcome, log: readonly Fact[], store: Store, schedule: Schedule): string[] {
  if (schedule.code === "no") return [];
  const isJudged = judgesCode(schedule);
  const faults = outcome.results.flatMap((result) => {
    if (result.type !== codeType) return [];
    return isJudged ? deliveryFaults(result, outcome, log, schedule) : unjudgedFaults(result, log);
  });
  return [...faults, ...repeatFaults(log, store, schedule)];
}

function unjudgedFaults(result: Result, log: readonly Fact[]): string[] {
  const isMade = result.status !== "done" || result.result === computed(result.description);
  const isDelivered = log.some((fact) => fact.type === "subtask.delivered" && keyOf(fact.subtaskId) === keyOf(result.id));
  return [
    ...(isMade ? [] : [`${result.id} was not carried out by code`]),
    ...(isDelivered ? [`${result.id} was delivered to a judge, and there is none`] : []),
  ];
}

/** What was delivered to be judged is not lost; the best of it is kept; and there are as many tries as were delivered. */
function deliveryFaults(result: Result, outcome: Outcome, log: readonly Fact[], { code, lives }: Schedule): string[] {
  const { id } = result;
  const own = standing(log, id);
  const delivered = deliveries(own);
  const faults = delivered.length > mostTries ? [`${id} was delivered ${delivered.length} times`] : [];
  const isStopped = outcome.status === "aborted" || ("error" in outcome && outcome.error.code === "run_timeout");
  // What it builds on was never judged either, is asked for anew under other settings, and may not be had under those.
  const isHeldUp = result.status === "skipped" && result.reason === "upstream" && lives.some(({ drifts }) => drifts);
  if (result.status !== "done") return delivered.length > 0 && !isStopped && !isHeldUp ? [...faults, `${id} was delivered, and is ${result.status}`] : faults;
  // It was judged in the run that it comes from.
  if (delivered.length === 0 && log.some((fact) => fact.type === "run.started" && fact.rerunOf !== undefined)) return faults;
  const { tries = 0, error } = result.evaluation ?? {};
  if (tries > delivered.length) faults.push(`${id} took ${tries} tries, and was delivered ${delivered.length} times`);
  const begun = own.findLastIndex(({ type }) => type === "subtask.started");
  const verdicts = own.slice(begun + 1).flatMap((fact) => (fact.type === "subtask.evaluated" ? [fact] : []));
  const best = verdicts.reduce<(typeof verdicts)[number] | undefined>((a, b) => (a === undefined || b.score >= a.score ? b : a), undefined);
  const wanted = best === undefined ? delivered[tries - 1] : delivered[best.try - 1];
  if (result.result !== wanted) faults.push(`${id} is ${result.result}, the best that was delivered is ${wanted}`);
  if (error?.code === "not_repeatable" && (code !== "once" || !mayHaveBegunAgain(own.slice(0, begun))))
    faults.push(`${id} is not tried again, though nobody had begun with that`);
  return faults;
}

/** The last that was delivered fell short: who died then may have begun anew. */
function mayHaveBegunAgain(own: readonly Fact[]): boolean {
  const tries = deliveries(own).length;
  return own.some((fact) => fact.type === "subtask.evaluated" && fact.try === tries);
}

/** What must not be run twice is run once for each try; what may, once more for each life in which it is begun. */
function repeatFaults(log: readonly Fact[], { codeRuns }: Store, { code, runs, rerun }: Schedule): string[] {
  // Two runs may ask for the same, and one that is done anew does.
  if (runs > 1 || rerun) return [];
  const allowed = new Map<string, number>();
  const names = new Map<string, string>();
  const allow = (name: string | undefined): void => void (name !== undefined && allowed.set(name, (allowed.get(name) ?? 0) + 1));
  const rounds = new Set<string>();
  for (const fact of log) {
    if (fact.type === "subtask.planned") {
      const name = nameOf(fact.subtask);
      names.set(keyOf(fact.subtask.id), name);
      // Whoever sees in a further round that it failed may ask for the same once more.
      const round = `${name} ${fact.round ?? 1}`;
      if (code === "once" && !rounds.has(round)) allow(name);
      rounds.add(round);
    }
    if (fact.type === "subtask.started" && code === "idempotent") allow(names.get(keyOf(fact.subtaskId)));
    if (fact.type === "subtask.delivered") allow(names.get(keyOf(fact.subtaskId)));
  }
  return [...codeRuns]
    .filter(([name, times]) => times > Math.max(1, allowed.get(name) ?? 0))
    .map(([name, times]) => `the code for ${name} was run ${times} times`);
}

/** Code begins only where its log says so; and anew only when what it delivered last has been judged and falls short, of which it is told. */
export function codeBegunFaults(begun: CodeBegun, logs: readonly (readonly Kept[])[], schedule: Schedule): string[] {
  const name = nameOf(begun.subtask);
  const key = keyOf(begun.subtask.id);
  const planned = logs
    .map((kept) => kept.map(({ fact }) => fact))
    .filter((log) => log.some((fact) => fact.type === "run.started" && fact.request.task === begun.task))
    .filter((log) => log.some((fact) => fact.type === "subtask.planned" && keyOf(fact.subtask.id) === key && nameOf(fact.subtask) === name));
  const faults = planned.map((log) => {
    const own = standing(log, begun.subtask.id);
    return [...beginningFaults(begun, own, judgesCode(schedule)), ...timeFaults(name, own, log)];
  });
  // Of two runs that ask for the same nobody outside can tell whose it is.
  if (faults.some((those) => those.length === 0)) return [];
  return faults[0] ?? [`the code for ${name} begins before a log says what it is for`];
}

function beginningFaults({ subtask, before }: CodeBegun, own: readonly Fact[], isJudged: boolean): string[] {
  const name = nameOf(subtask);
  if (!own.some(({ type }) => type === "subtask.started")) return [`the code for ${name} begins before its log says so`];
  const delivered = deliveries(own);
  const last = delivered.at(-1);
  if (!isJudged || last === undefined) return before === undefined ? [] : [`the code for ${name} is told of a try that there was not`];
  const verdict = own.findLast((fact) => fact.type === "subtask.evaluated");
  if (verdict === undefined || verdict.try !== delivered.length || verdict.passed || delivered.length >= mostTries)
    return [`the code for ${name} begins anew when it has delivered ${delivered.length} times, and verdict ${verdict?.try} is ${verdict?.score}`];
  if (before?.result !== last || before.verdict.reasons !== verdict.reasons)
    return [`the code for ${name} is told of ${JSON.stringify(before)}, it delivered ${last}`];
  return [];
}

/** What came last before it, its turn or the verdict on its last try, came in time. */
function timeFaults(name: string, own: readonly Fact[], log: readonly Fact[]): string[] {
  const last = own.findLast(({ type }) => type === "subtask.started" || type === "subtask.evaluated");
  const { budget } = log.findLast((fact) => fact.type === "run.started" || fact.type === "run.resumed") ?? {};
  if (last === undefined || budget?.seconds === undefined) return [];
  const activeMs = activeMsOf(log.slice(0, log.indexOf(last) + 1));
  return activeMs < budget.seconds * 1_000 + roundedMs ? [] : [`the code for ${name} begins when the time of its run is over`];
}

/** Of the times in a log, which are whole milliseconds, over some lives. */
const roundedMs = 10;

/** How long a run has gone on, as long as its log reaches: not from one life to the next, nor while somebody was asked. */
function activeMsOf(log: readonly Fact[]): number {
  return log.reduce((sum, fact, index) => {
    const before = log[index - 1];
    const stood = before === undefined || before.type === "approval.requested" || fact.type === "run.resumed";
    return stood ? sum : sum + fact.at - before.at;
  }, 0);
}

/** What a log says of a subtask since it was planned as it is. */
function standing(log: readonly Fact[], id: string): Fact[] {
  const key = keyOf(id);
  const planned = log.findLastIndex((fact) => fact.type === "subtask.planned" && keyOf(fact.subtask.id) === key);
  return log.slice(planned + 1).filter((fact) => "subtaskId" in fact && fact.subtaskId !== undefined && keyOf(fact.subtaskId) === key);
}

function deliveries(own: readonly Fact[]): string[] {
  return own.flatMap((fact) => (fact.type === "subtask.delivered" ? [fact.result] : []));
}

function nameOf({ id, description }: Subtask): string {
  return `${id}: ${description}`;
}
