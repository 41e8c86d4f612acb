import type { TryVerdict } from "./evaluation/verdict.ts";
import { beginsCall, type Fact, type RunEvent } from "./events.ts";
import { lacksCall } from "./outcome.ts";
import { type CallRef, functionModel, isAside } from "./role.ts";
import { withoutPlanNotices } from "./plan-notices.ts";
import { addUsage } from "./usage.ts";
import { type CallState, idleCall, type RunState, type SubtaskState } from "./run-state.ts";

/**
 * The state after an event. Pure; every door shows runs through it, so that none keeps a second truth. Of an event that it does not know,
 * sent by a newer version than its own, it takes the time alone.
 */
export function reduce(state: RunState, event: RunEvent): RunState {
  const { runId, at } = event;
  const sinceMs = event.type === "run.resumed" ? 0 : Math.max(0, at - (state.at ?? at));
  const waitedMs = event.type === "run.resumed" ? 0 : state.waitedMs + (state.phase === "approving" ? sinceMs : 0);
  const activeMs = state.activeMs + (state.phase === "approving" ? 0 : sinceMs);
  return step({ ...state, runId, at, activeMs, waitedMs }, event);
}

function step(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case "run.started":
      return { ...state, phase: "planning", request: event.request, startedAt: event.at, budget: event.budget };
    case "run.resumed":
      return { ...resumed(state), budget: event.budget };
    case "plan.opened":
      return { ...state, plan: { ...state.plan, combine: event.combine } };
    case "plan.looked_up":
      return state;
    case "plan.reused": {
      const { fromRunId, task, similarity } = event;
      return { ...state, plan: { ...state.plan, reused: { fromRunId, task, similarity } } };
    }
    case "plan.started":
      // A process that died before this was said left a plan that was found and not taken.
      return { ...state, plan: { ...state.plan, given: event.given, ...(!event.given && { reused: undefined }) } };
    case "plan.delta":
      return { ...state, plan: withText(state.plan, event) };
    case "plan.asked_again":
      return { ...state, plan: { ...state.plan, text: "", textAttempt: 1, attempt: 1 } };
    case "plan.finished": {
      const { analysis, combine, complete, estimate } = event;
      return {
        ...state,
        phase: "working",
        estimate,
        plan: { ...state.plan, status: "done", text: "", analysis, combine, complete, endedAt: state.plan.endedAt ?? event.at },
      };
    }
    case "plan.answered":
      return { ...state, phase: "answering", plan: { ...state.plan, status: "done", text: "", analysis: event.analysis, complete: true, endedAt: event.at } };
    case "plan.failed":
      return { ...state, plan: { ...state.plan, status: "failed", text: "", error: event.error, endedAt: event.at } };
    case "round.started":
      return { ...state, phase: "planning", round: event.round, plan: { ...state.plan, ...fresh, status: "waiting", complete: false } };
    case "approval.requested":
      return { ...state, phase: "approving", approval: "requested", estimate: event.estimate };
    case "approval.given": {
      const given: RunState = { ...state, phase: "working", approval: "given" };
      return event.edited ? { ...given, subtasks: [], notices: withoutPlanNotices(state.notices) } : given;
    }
    case "approval.declined":
      return {
        ...state,
        phase: "planning",
        approval: undefined,
        estimate: undefined,
        plan: { ...state.plan, ...fresh, status: "waiting", analysis: "", combine: undefined, complete: false },
        subtasks: [],
        notices: withoutPlanNotices(state.notices),
      };
    case "approval.rejected":
      return { ...state, phase: "working" };
    case "subtask.planned":
      return { ...state, subtasks: withPlanned(state.subtasks, event) };
    case "subtask.started":
      return onSubtask(state, event.subtaskId, (task) => ({
        ...(task.endedAt === undefined ? task : begunAnew(task)),
        model: event.model,
        // No attempt of a function leaves: it runs from here on.
        ...(event.model === functionModel ? { status: "running", startedAt: event.at } : { status: "queued" }),
      }));
    case "subtask.delta":
      return onSubtask(state, event.subtaskId, (task) => withText(task, event));
    case "subtask.finished":
      return onSubtask(state, event.subtaskId, (task) => ({
        ...task,
        status: "done",
        text: event.result,
        evaluation: event.evaluation,
        chosen: event.chosen,
        endedAt: event.at,
        error: undefined,
        rejected: undefined,
      }));
    case "output.rejected": {
      const rejected = { try: event.try, issues: event.issues };
      const { subtaskId, part } = event;
      // Of a try beside the first nobody sees what was written.
      if (part !== undefined) return state;
      return subtaskId === undefined ? { ...state, answer: { ...state.answer, rejected } } : onSubtask(state, subtaskId, (task) => ({ ...task, rejected }));
    }
    case "subtask.chosen": {
      const { sample, of, reason, ties } = event;
      return onSubtask(state, event.subtaskId, (task) => ({ ...task, chosen: { sample, of, reason, ties } }));
    }
    case "subtask.delivered":
      return state;
    case "subtask.evaluated":
      return onSubtask(state, event.subtaskId, (task) => ({ ...task, rejected: undefined, verdict: verdictOf(event) }));
    case "answer.evaluated":
      return { ...state, answer: { ...state.answer, rejected: undefined, verdict: verdictOf(event) } };
    case "subtask.failed":
      return onSubtask(state, event.subtaskId, (task) => ({ ...task, status: "failed", text: "", error: event.error, endedAt: event.at }));
    case "subtask.skipped":
      return onSubtask(state, event.subtaskId, (task) => ({ ...task, status: "skipped", skipped: event.reason, because: event.because, endedAt: event.at }));
    case "attempt.started":
      return attemptStarted(state, event);
    case "attempt.settled":
      return attemptSettled(state, event);
    case "attempt.failed": {
      // Of a subtask others may be under way, or what came before may stand: its own end says what becomes of it.
      if (isAside(event) || (event.role === "worker" && event.retryInMs === undefined)) return state;
      const status = event.retryInMs === undefined ? "failed" : "retrying";
      const retryAt = event.retryInMs === undefined ? undefined : event.at + event.retryInMs;
      return onCall(state, event, (call) => ({ ...call, status, error: event.error, retryAt }));
    }
    case "governor.throttled":
      return onCall({ ...state, throttled: { model: event.model, reason: event.reason, until: event.until } }, event, (call) =>
        isAside(event) ? call : { ...call, status: "queued" },
      );
    case "budget.low":
      return state;
    case "synthesis.started":
      return { ...state, phase: "answering", answer: { ...state.answer, status: "queued", model: event.model } };
    case "reduction.started":
      return { ...state, reduction: { level: event.level, texts: event.texts, groups: event.groups } };
    case "synthesis.chosen":
      return { ...state, chosen: { subtaskId: event.subtaskId, reason: event.reason } };
    case "synthesis.failed":
      return { ...state, answer: { ...state.answer, status: "failed", error: event.error } };
    case "answer.delta":
      return { ...state, phase: "answering", reduction: undefined, answer: withText(state.answer, event) };
    case "run.noticed":
      return { ...state, notices: [...state.notices, event.notice] };
    case "run.finished":
      return { ...state, phase: "finished", throttled: undefined, reduction: undefined, answer: ended(state.answer, event), outcome: event.outcome };
    default:
      event satisfies never;
      return state;
  }
}

/** What was not done is to be done anew; what was used stays used. */
function resumed(state: RunState): RunState {
  const again = <C extends AnyCall>(call: C): C => ({ ...call, ...fresh, status: "waiting" });
  const stands = ({ status, error, evaluation, model }: SubtaskState): boolean =>
    status === "done" ? model === undefined || !lacksCall(evaluation) : error?.code === "unable";
  const subtasks = state.subtasks.map((task) => (stands(task) ? task : begunAnew(task)));
  const plan = state.plan.complete ? state.plan : again(state.plan);
  return {
    ...state,
    phase: state.plan.complete ? "working" : "planning",
    plan,
    subtasks,
    answer: again(state.answer),
    reduction: undefined,
    chosen: undefined,
    throttled: undefined,
    outcome: undefined,
  };
}

/** What it has used stays used. */
function begunAnew(task: SubtaskState): SubtaskState {
  return { ...task, ...fresh, status: "waiting", skipped: undefined, evaluation: undefined, chosen: undefined, because: "" };
}

/** One that was planned before came to nothing, and is written anew. */
function withPlanned(subtasks: RunState["subtasks"], { subtask, ordinal }: Fact & { type: "subtask.planned" }): RunState["subtasks"] {
  const before = subtasks[ordinal];
  if (before !== undefined && before.subtask.id === subtask.id) return subtasks.with(ordinal, { ...begunAnew(before), subtask, model: undefined });
  return [...subtasks, { ...idleCall, subtask, skipped: undefined, evaluation: undefined, chosen: undefined, because: "" }];
}

const fresh = {
  attempt: 1,
  text: "",
  textAttempt: 1,
  startedAt: undefined,
  endedAt: undefined,
  error: undefined,
  rejected: undefined,
  verdict: undefined,
  retryAt: undefined,
} as const;

function attemptStarted(state: RunState, event: Fact & { type: "attempt.started" }): RunState {
  const { attempt, model, at } = event;
  const throttled = state.throttled?.model === model ? undefined : state.throttled;
  const counted = { ...state, throttled, calls: state.calls + (beginsCall(event) ? 1 : 0) };
  const isAnswer = event.role === "synthesizer";
  // Results that are compared are being made the answer; while they are shortened it waits.
  if (isAnswer && event.part !== undefined && state.reduction === undefined)
    return { ...counted, answer: { ...state.answer, status: "running", model, startedAt: state.answer.startedAt ?? at } };
  if (isAside(event)) return counted;
  // An answer that was read cannot be taken back by a new try; its own deltas say when it is.
  const voids = !isAnswer && event.requeues === 0;
  return onCall(isAnswer ? { ...counted, reduction: undefined } : counted, event, (call) => ({
    ...call,
    status: "running",
    attempt,
    model,
    startedAt: call.startedAt ?? at,
    error: undefined,
    retryAt: undefined,
    ...(voids && { text: "", textAttempt: attempt }),
  }));
}

function attemptSettled(state: RunState, event: Fact & { type: "attempt.settled" }): RunState {
  const total = { ...state, usage: addUsage(state.usage, event.usage), cost: addCost(state.cost, event.cost) };
  return onCall(total, event, (call) => ({ ...call, usage: addUsage(call.usage, event.usage), cost: addCost(call.cost, event.cost) }));
}

function addCost(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

function verdictOf({ score, reasons, try: number, passed }: TryVerdict): TryVerdict {
  return { score, reasons, try: number, passed };
}

/** More of a text; a new attempt voids what came before. */
function withText<C extends Pick<CallState, "text" | "textAttempt">>(call: C, { attempt, text }: { attempt: number; text: string }): C {
  return { ...call, textAttempt: attempt, text: call.textAttempt === attempt ? call.text + text : text };
}

/** The answer of a run that is over; one that failed stays failed, whatever stands in its place. */
function ended(answer: CallState, { outcome, at }: Fact & { type: "run.finished" }): CallState {
  return {
    ...answer,
    status: answer.status === "failed" ? "failed" : "done",
    text: "text" in outcome ? outcome.text : "",
    textAttempt: idleCall.textAttempt,
    endedAt: at,
  };
}

/** The fields that every call has, whoever makes it. */
type AnyCall = Omit<CallState, "status"> & { readonly status: SubtaskState["status"] };

function onCall(state: RunState, { role, subtaskId }: CallRef, change: <C extends AnyCall>(call: C) => C): RunState {
  if (role === "orchestrator") return { ...state, plan: change(state.plan) };
  // Who judges the answer has no subtask either.
  return subtaskId === undefined ? { ...state, answer: change(state.answer) } : onSubtask(state, subtaskId, change);
}

function onSubtask(state: RunState, id: string, change: (task: SubtaskState) => SubtaskState): RunState {
  const index = state.subtasks.findIndex(({ subtask }) => subtask.id === id);
  const task = state.subtasks[index];
  return task === undefined ? state : { ...state, subtasks: state.subtasks.with(index, change(task)) };
}
