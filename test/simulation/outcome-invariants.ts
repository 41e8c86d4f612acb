import type { Fact } from "../../src/events.ts";
import { asLogged, type Outcome, type Result } from "../../src/outcome.ts";
import { reduce } from "../../src/reduce.ts";
import { initialRunState, type RunState } from "../../src/run-state.ts";
import { addUsage } from "../../src/usage.ts";
import { type Asked, numberIn } from "./double.ts";
import type { Schedule } from "./schedule.ts";
import { codeType } from "./code.ts";
import { choiceFaults } from "./choice-invariants.ts";
import { codeFaults } from "./code-invariants.ts";
import { formFaults } from "./form-invariants.ts";
import { judgingFaults } from "./judging-invariants.ts";
import { reductionFaults } from "./reduction-invariants.ts";
import { samplesFaults } from "./samples-invariants.ts";
import type { Scene } from "./scene.ts";
import type { Store } from "./store.ts";
import type { WatchedRun } from "./watched-run.ts";

/** What must hold of a run's end. */
export function outcomeFaults(watched: WatchedRun, outcome: Outcome, scene: Scene): string[] {
  const { store, asked, schedule } = scene;
  const log = store.factsOf(outcome.runId);
  const said = textFaults(watched, outcome);
  // Stopped while somebody is asked, or decided when another has gone on with it: then nobody writes that.
  const isElsewhere = schedule.approves && "error" in outcome && ["run_taken_over", "run_held", "aborted"].includes(outcome.error.code);
  const unsaved = isElsewhere || isUnsaved(outcome) || ("error" in outcome && brokenLedger.has(outcome.error.code));
  // One that ended before it began is nowhere.
  if (log.length === 0 && outcome.results.length === 0 && outcome.status !== "ok") return said;
  const end = log.findLastIndex((fact) => fact.type === "run.finished" && alike(fact.outcome, asLogged(outcome)));
  if (end === -1) return unsaved ? said : [...said, `it ended ${outcome.status}, and its log does not say so`];
  const endedAt = log.find((fact) => fact.type === "run.finished" && alike(fact.outcome, asLogged(outcome)))?.at ?? 0;
  const state = log.slice(0, end + 1).reduce(reduce, initialRunState);
  return [
    ...said,
    ...statusFaults(watched, outcome, state, schedule, endedAt),
    ...resultFaults(outcome, state, scene),
    ...attemptFaults(outcome, log.slice(0, end)),
    ...droppedFaults(outcome, log.slice(0, end)),
    ...sumFaults(outcome, state),
    ...answerFaults(outcome, store, asked, schedule),
    ...codeFaults(outcome, log.slice(0, end), store, schedule),
    ...formFaults(outcome, log, schedule),
    ...judgingFaults(outcome, log.slice(0, end), schedule),
    ...choiceFaults(outcome, log.slice(0, end), scene),
    ...reductionFaults(outcome, log.slice(0, end), scene),
    ...samplesFaults(outcome, log.slice(0, end), schedule),
    ...afterAbort(watched, log.slice(0, end), schedule),
  ];
}

export const brokenLedger: ReadonlySet<string> = new Set(["ledger_failed", "ledger_busy"]);

export function isUnsaved({ coverage }: Outcome): boolean {
  return coverage.notices.some(({ code }) => code === "not_saved");
}

export function alike(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What was read in pieces is the text. */
function textFaults({ text, textOver }: WatchedRun, outcome: Outcome): string[] {
  if (!textOver || !("text" in outcome) || text === outcome.text) return [];
  return [`textStream gave ${JSON.stringify(text)}, its text is ${JSON.stringify(outcome.text)}`];
}

/** The status says what is so. */
function statusFaults({ abortedAt }: WatchedRun, outcome: Outcome, state: RunState, { synthesis }: Schedule, endedAt: number): string[] {
  const { status, coverage, results } = outcome;
  const faults: string[] = [];
  const count = (wanted: Result["status"]): number => results.filter((result) => result.status === wanted).length;
  const counts = { planned: results.length + coverage.dropped, done: count("done"), failed: count("failed"), skipped: count("skipped") };
  for (const [name, n] of Object.entries(counts)) {
    const said: unknown = Object.entries(coverage).find(([key]) => key === name)?.[1];
    if (said !== n) faults.push(`its coverage says ${name} ${String(said)}; it is ${n}`);
  }
  if (coverage.missing.length !== counts.failed + counts.skipped) faults.push("its coverage does not name all that is missing");
  const all = coverage.planComplete && results.length > 0 && counts.done === results.length && coverage.dropped === 0;
  const good = outcome.evaluation?.passed !== false && results.every((result) => result.status !== "done" || result.evaluation?.passed !== false);
  const whole = coverage.answer === "direct" || (all && good && coverage.answer === (synthesis === "auto" ? state.plan.combine : synthesis));
  if ((status === "ok") !== whole) faults.push(`it is ${status}, and ${whole ? "whole" : "not whole"}`);
  if (status === "aborted" && abortedAt === undefined && !("error" in outcome && outcome.error.code === "plan_rejected"))
    faults.push("it is aborted, and nobody stopped it");
  if (status === "partial" && counts.done === 0) faults.push("it is partial, and nothing is done");
  if (status === "failed" && counts.done > 0) faults.push("it is failed, and something is done");
  const stopped = results.some(
    (result) => (result.status === "skipped" && result.reason === "aborted") || (result.status === "failed" && result.error.code === "aborted"),
  );
  if (stopped && (status === "partial" || status === "failed")) faults.push(`it was stopped, and is ${status}`);
  // Time may have been up before that; or it came to its end before, and was about to say so: here, or in a life with the same end.
  const timedOut = "error" in outcome && outcome.error.code === "run_timeout";
  if (abortedAt !== undefined && Math.ceil(abortedAt) < endedAt && status === "partial" && !timedOut) faults.push("it was stopped, and is partial");
  return faults;
}

/** Results are what the log says of them. */
function resultFaults({ results, plan }: Outcome, { subtasks }: RunState, { asked, store, schedule }: Scene): string[] {
  const faults: string[] = [];
  if (
    !alike(
      results.map(({ id }) => id),
      subtasks.map(({ subtask }) => subtask.id),
    )
  )
    return [`its results are not those that its log plans: ${results.length} of ${subtasks.length}`];
  if (
    plan?.kind === "subtasks" &&
    !alike(
      plan.subtasks.map(({ id }) => id),
      results.map(({ id }) => id),
    )
  )
    faults.push("its plan is not the one that was carried out");
  for (const [index, result] of results.entries()) {
    const task = subtasks[index];
    if (task === undefined) continue;
    if (task.status !== result.status) faults.push(`${result.id} is ${result.status}, its log says ${task.status}`);
    if (!alike(task.usage, result.usage)) faults.push(`${result.id} used ${result.usage.totalTokens}, its log says ${task.usage.totalTokens}`);
    if (result.status === "failed" && result.error.code !== task.error?.code)
      faults.push(`${result.id} failed with ${result.error.code}, its log says ${task.error?.code}`);
    if (result.status === "skipped" && result.reason !== task.skipped) faults.push(`${result.id} was skipped: ${result.reason}, its log says ${task.skipped}`);
    if (result.status !== "done") continue;
    if (result.result !== task.text) faults.push(`${result.id} is not what its log says`);
    // What code made is looked at elsewhere.
    if (schedule.code !== "no" && result.type === codeType) continue;
    const n = numberIn(result.result);
    if (asked.find((one) => one.n === n)?.description !== result.description) faults.push(`${result.id} rests on call ${n}, which was for something else`);
    // Late answers to a process that is gone are as good as any.
    const answer = store.answers.get(n);
    if (answer?.replace(/^<response>|<\/response>$/g, "").trim() !== result.result.trim()) faults.push(`${result.id} is not what call ${n} answered`);
  }
  return faults;
}

/** Tries that left are those that the log says left. */
function attemptFaults({ results, durationMs }: Outcome, log: readonly Fact[]): string[] {
  const faults = durationMs >= 0 ? [] : ["it took less than no time"];
  for (const { id, attempts, durationMs: took } of results) {
    const left = log.filter((fact) => fact.type === "attempt.started" && fact.role === "worker" && fact.subtaskId === id && fact.requeues === 0).length;
    if (left !== attempts) faults.push(`${id} took ${attempts} attempts, its log says ${left}`);
    if (took < 0) faults.push(`${id} took ${took} ms`);
  }
  return faults;
}

/** Subtasks over the limit stay over it. */
function droppedFaults({ coverage: { dropped } }: Outcome, log: readonly Fact[]): string[] {
  // Of a plan that was sent back nothing counts any more.
  const planned = log.slice(log.findLastIndex(({ type }) => type === "approval.declined") + 1).findLast((fact) => fact.type === "plan.finished");
  return planned === undefined || planned.dropped === dropped ? [] : [`its coverage says dropped ${dropped}, its log says ${planned.dropped}`];
}

/** What it used is what its log adds up to. */
function sumFaults(outcome: Outcome, state: RunState): string[] {
  const faults: string[] = [];
  const { byRole, ...usage } = outcome.usage;
  if (outcome.calls !== state.calls) faults.push(`it made ${outcome.calls} calls, its log says ${state.calls}`);
  if (!alike(usage, state.usage)) faults.push(`it used ${JSON.stringify(usage)}, its log says ${JSON.stringify(state.usage)}`);
  if (!alike([byRole.orchestrator, byRole.worker, byRole.synthesizer, byRole.evaluator].reduce(addUsage), usage))
    faults.push("its roles' usage does not add up");
  if (Math.abs((outcome.cost ?? -1) - (state.cost ?? -1)) > 1e-9) faults.push(`it cost ${outcome.cost}, its log says ${state.cost}`);
  const messages = outcome.coverage.notices.map(({ message }) => message);
  if (new Set(messages).size !== messages.length) faults.push("it says something twice");
  if (
    !alike(
      messages,
      state.notices.map(({ message }) => message),
    )
  )
    faults.push(`its notices are ${JSON.stringify(messages)}, its log says ${JSON.stringify(state.notices.map(({ message }) => message))}`);
  return faults;
}

/** The text holds the results, each as it came. */
function answerFaults(outcome: Outcome, store: Store, asked: readonly Asked[], { isGiven, synthesis, answerFormed }: Schedule): string[] {
  if (!("text" in outcome)) return [];
  const { text, coverage, results } = outcome;
  const done = results.flatMap((result) => (result.status === "done" ? [result] : []));
  const faults: string[] = [];
  if (done.length > 0 && text === "" && synthesis !== "none") faults.push("something is done, and no answer is written");
  // After JSON nothing can stand.
  const saysIt = coverage.answer !== "none" && !(coverage.answer === "merge" && answerFormed);
  for (const { id } of coverage.missing) if (saysIt && !text.includes(`- ${id}`)) faults.push(`its text does not say that ${id} is missing`);
  switch (coverage.answer) {
    case "keep":
      for (const { id, result } of done) if (!text.includes(result)) faults.push(`its text lacks the result of ${id}`);
      break;
    case "choose":
      if (!done.some(({ result }) => text.startsWith(result))) faults.push("its text is none of its results");
      break;
    case "merge": {
      const written = store.answers.get(numberIn(text));
      if ((done.length > 1 || answerFormed) && (written === undefined || !text.startsWith(written))) faults.push("its text is not what its synthesizer wrote");
      break;
    }
    case "direct": {
      // One that ended in the midst of its answer may have meant to.
      const isWritten = asked.some(({ n, role }) => role === "orchestrator" && text.startsWith(`The answer #${n}#`.slice(0, text.length)));
      const whole = /<answer>(.*?)(?:<\/answer>|$)/s.exec(store.answers.get(numberIn(text)) ?? "")?.[1];
      if ((!isWritten || (whole !== undefined && whole.trim() !== text.trim())) && !isGiven) faults.push("its text is not what its orchestrator wrote");
      break;
    }
    case "none":
      if (text !== "") faults.push("it has a text, though none was to be written");
  }
  return faults;
}

/** Nothing starts once it was stopped. */
function afterAbort({ abortedAt, pastSeq }: WatchedRun, log: readonly Fact[], { shared }: Schedule): string[] {
  if (abortedAt === undefined || shared) return [];
  const begun = log.filter(({ type, seq, at }) => seq > pastSeq && at > Math.round(abortedAt) && (type === "attempt.started" || type === "subtask.started"));
  return begun.map(({ type, seq }) => `${type} (${seq}) after it was stopped`);
}
