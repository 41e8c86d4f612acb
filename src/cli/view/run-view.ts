import { shownBudget } from "../../budget.ts";
import type { RunState, SubtaskState } from "../../run-state.ts";
import { budgetFlags } from "../flags/budget-flags.ts";
import { beginning, lastWords, oneLine } from "../writing/clean-text.ts";
import { count, dollars, duration, tokens, usedTokens } from "../../quantity.ts";
import { whyItWaits } from "./throttling.ts";
import { answerLine, type CallLine, faultOf, type LineInput, ofHundred, shortModel, workerLine } from "./worker-line.ts";

/** A run as a picture of so many lines. */
export interface RunView {
  readonly plan: { readonly status: RunState["plan"]["status"]; readonly detail: string };
  /** The analysis; while the plan is written, its last words. */
  readonly words: { readonly text: string; readonly tail: boolean } | undefined;
  /** Whose plan it is, where it was taken over, and how to have one of its own; empty where it was not. */
  readonly reused: string;
  readonly calls: readonly CallLine[];
  /** What is not shown, counted; empty where all is. */
  readonly more: string;
  /** Whose result was chosen, and why; empty where none was. */
  readonly chosen: string;
  readonly totals: string;
}

/** Lines that are not workers': plan, more, answer, totals. */
const otherLines = 4;

/** A picture lower than this has no room for the analysis. */
const leastForWords = 8;

/** The view of a run in at most so many lines. */
export function runView(input: LineInput, lines: number): RunView {
  const { state } = input;
  const words = lines < leastForWords ? undefined : wordsOf(state);
  const chosen = chosenOf(state);
  const reused = reusedOf(state);
  const shown = pick(state.subtasks, Math.max(1, lines - otherLines - (words ? 1 : 0) - (chosen === "" ? 0 : 1) - (reused === "" ? 0 : 1)));
  const answer = answerLine(input);
  return {
    plan: { status: state.plan.status, detail: planDetail(input) },
    words,
    reused,
    calls: [...shown.map((worker) => workerLine(worker, input)), ...(answer ? [answer] : [])],
    more: moreOf(state.subtasks, shown),
    chosen,
    totals: totalsOf(input),
  };
}

function planDetail({ state, now }: LineInput): string {
  const { plan, subtasks, outcome } = state;
  const parts = [plan.reused ? "taken over" : plan.given ? "given" : shortModel(plan.model ?? ""), ...(state.round > 1 ? [`round ${state.round}`] : [])];
  if (plan.status === "failed") return [...parts, faultOf(plan)].filter(Boolean).join(" · ");
  if (plan.status === "retrying") parts.push(`tries again: ${faultOf(plan)}`);
  else if (plan.status === "queued" && state.throttled) parts.push(whyItWaits(state.throttled, now));
  if (plan.status === "done" && plan.combine === undefined) parts.push("answers by itself");
  else if (subtasks.length > 0) parts.push(count(subtasks.length, "subtask") + (plan.status === "done" || outcome ? "" : " so far"));
  // While it is being written, it is not whole either.
  const isCutOff = !plan.complete && (plan.status === "done" || outcome !== undefined);
  if (plan.combine !== undefined) parts.push(isCutOff ? `${plan.combine}, cut off` : plan.combine);
  if (plan.startedAt !== undefined) parts.push(duration(((plan.endedAt ?? state.outcome) ? (plan.endedAt ?? state.at ?? now) : now) - plan.startedAt));
  return parts.filter(Boolean).join(" · ");
}

/** Of the task that a plan was written for. */
const shownTask = 200;

function reusedOf({ plan: { reused } }: RunState): string {
  if (reused === undefined) return "";
  const { fromRunId, task, similarity } = reused;
  return `of ${oneLine(fromRunId)}, ${ofHundred(similarity)} alike: "${beginning(task, shownTask)}" (without --plan-cache one of its own)`;
}

function wordsOf({ plan, outcome }: RunState): RunView["words"] {
  if (plan.analysis !== "") return { text: oneLine(plan.analysis), tail: false };
  if (plan.status === "done" || plan.status === "failed" || outcome !== undefined) return undefined;
  const words = lastWords(plan.text.slice(-600).replace(/<[^<>]*>?/g, " "), 400);
  return words === "" ? undefined : { text: words, tail: true };
}

const urgency: Readonly<Record<SubtaskState["status"], number>> = { retrying: 0, running: 1, queued: 2, waiting: 3, failed: 4, skipped: 5, done: 6 };

/** The workers that are shown where not all can be, in plan order. */
function pick(workers: readonly SubtaskState[], most: number): readonly SubtaskState[] {
  if (workers.length <= most) return workers;
  const byUrgency = workers.toSorted((a, b) => urgency[a.status] - urgency[b.status]);
  // What just ended has its share, however many run.
  const ended = byUrgency.every(({ endedAt }) => endedAt !== undefined)
    ? []
    : workers.filter(({ endedAt }) => endedAt !== undefined).toSorted((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0));
  const chosen = new Set(ended.slice(0, Math.floor(most / 4)));
  for (const worker of byUrgency) if (chosen.size < most) chosen.add(worker);
  return workers.filter((worker) => chosen.has(worker));
}

const countedAs: Readonly<Record<SubtaskState["status"], string>> = {
  running: "running",
  retrying: "trying again",
  queued: "in the queue",
  waiting: "waiting",
  done: "done",
  failed: "failed",
  skipped: "left out",
};

function moreOf(workers: readonly SubtaskState[], shown: readonly SubtaskState[]): string {
  const visible = new Set(shown);
  const counts = new Map<string, number>();
  for (const worker of workers) if (!visible.has(worker)) counts.set(countedAs[worker.status], (counts.get(countedAs[worker.status]) ?? 0) + 1);
  return counts.size === 0 ? "" : `and ${[...counts].map(([what, n]) => `${n} ${what}`).join(", ")}`;
}

/** One sentence is asked for. */
const longestReason = 400;

function chosenOf({ chosen }: RunState): string {
  if (chosen === undefined) return "";
  const reason = beginning(chosen.reason, longestReason);
  return `chose ${oneLine(chosen.subtaskId)}${reason === "" ? "" : `: ${reason}`}`;
}

function totalsOf({ state, now, since }: LineInput): string {
  const { usage, cost, calls, startedAt = now, at = now, outcome } = state;
  const parts = calls === 0 ? [] : [count(calls, "call")];
  const estimated = usage.estimatedTokens > 0 ? "~" : "";
  if (usage.totalTokens) parts.push(usedTokens(usage, estimated));
  if (cost === undefined) parts.push("price unknown");
  else if (cost > 0) parts.push(dollars(cost) + expectedOf(state));
  const begun = since ?? startedAt;
  const elapsed = (outcome ? at : now) - begun - state.waitedMs;
  const serial = outcome ? oneAfterAnother(state, begun) : 0;
  parts.push(duration(Math.max(0, elapsed)) + (serial > elapsed * 1.05 ? ` (one after another ≈ ${duration(serial)})` : ""));
  if (outcome === undefined && state.budget !== undefined) parts.push(`at most ${shownBudget(state.budget)} (${budgetFlags(state.budget)})`);
  // Of tries whose end is not known: what was billed for them may differ.
  if (usage.presumedTokens > 0) parts.push(`about ${tokens(usage.presumedTokens)} tokens presumed`);
  return parts.join(" · ");
}

/** What the whole was thought to cost, beside what it has. */
function expectedOf({ estimate, outcome }: RunState): string {
  const cost = estimate?.expected.cost;
  if (cost === undefined) return "";
  return outcome ? ` (expected ${dollars(cost)})` : ` of about ${dollars(cost)}`;
}

/** How long plan, workers and synthesis took, each for itself, of what began then or later. */
function oneAfterAnother({ plan, subtasks, answer }: RunState, from: number): number {
  return [plan, ...subtasks, answer].reduce(
    (sum, { startedAt, endedAt }) => sum + (startedAt === undefined || endedAt === undefined || startedAt < from ? 0 : endedAt - startedAt),
    0,
  );
}
