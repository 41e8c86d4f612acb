import { keyOf } from "../../names.ts";
import type { Evaluation } from "../../evaluation/verdict.ts";
import type { CallState, RunState, SubtaskState } from "../../run-state.ts";
import { firstWords, lastWords, oneLine } from "../writing/clean-text.ts";
import { count, dollars, duration, listed, tokens } from "../../quantity.ts";
import { whyItWaits } from "./throttling.ts";
import type { TokenMeter } from "./token-meter.ts";

/** What one call is doing, as a line of a table. All of it is clean and on one line. */
export interface CallLine {
  readonly id: string;
  readonly status: SubtaskState["status"];
  readonly detail: string;
  /** Cut the detail at its beginning, since its end is news. */
  readonly tail: boolean;
  readonly tokens: string;
  /** How often it was tried, where once was not enough. */
  readonly tries: string;
  readonly time: string;
  readonly cost: string;
}

/** More than any terminal is wide. */
const longest = 400;

export interface LineInput {
  readonly state: RunState;
  /** Epoch milliseconds. */
  readonly now: number;
  /** When what is shown began, where that was not the run's own beginning: it may have been left for days. */
  readonly since?: number | undefined;
  readonly meter: TokenMeter;
}

/** Which of several tries is kept. */
export function chosenTry({ sample, of, ties }: NonNullable<SubtaskState["chosen"]>): string {
  const tied = ties.length === 0 ? "" : `, and ${listed(ties.map((tie) => `try ${tie}`))} ${ties.length === 1 ? "is" : "are"} as good`;
  return `try ${sample} is kept of ${of}${tied}`;
}

export function workerLine(worker: SubtaskState, input: LineInput): CallLine {
  const { subtask, error } = worker;
  // Who was stopped has not failed.
  if (worker.status === "failed" && error?.code === "aborted") {
    return { id: oneLine(subtask.id), status: "skipped", detail: "stopped", tail: false, ...figures(subtask.id, worker, input) };
  }
  return { id: oneLine(subtask.id), status: worker.status, ...detailOf(worker, input), ...figures(subtask.id, worker, input) };
}

/** The synthesizer's line; nothing where no model writes the answer. */
export function answerLine(input: LineInput): CallLine | undefined {
  const { answer, outcome } = input.state;
  if (answer.model === undefined) return undefined;
  const over = outcome !== undefined && answer.status !== "failed";
  const status = over ? (outcome.status === "aborted" ? "skipped" : "done") : answer.status;
  const detail =
    status === "done"
      ? judgedAs(outcome?.evaluation) + shortModel(answer.model)
      : status === "skipped"
        ? "stopped"
        : status === "queued" && outcome === undefined
          ? reductionOf(input.state)
          : undefined;
  return {
    id: "answer",
    status,
    ...(detail === undefined ? callDetail(answer, input) : { detail, tail: false }),
    ...figures("answer", { ...answer, status }, input),
  };
}

/** What is done before an answer is written from results that are too long for one call; nothing where they are not, or wait. */
export function reductionOf({ reduction, throttled, answer }: RunState): string | undefined {
  if (reduction === undefined || throttled?.model === answer.model) return undefined;
  const { level, texts, groups } = reduction;
  return `shortens ${count(texts, level === 1 ? "result" : "text")} in ${count(groups, "call")}, to fit its window`;
}

function detailOf(worker: SubtaskState, input: LineInput): Pick<CallLine, "detail" | "tail"> {
  const { subtask, status } = worker;
  switch (status) {
    case "waiting":
      return { detail: waitsFor(worker, input.state), tail: false };
    case "done":
      return { detail: judgedAs(worker.evaluation) + firstWords(subtask.description, longest), tail: false };
    case "skipped":
      return { detail: whySkipped(worker, input), tail: false };
    default:
      return callDetail(worker, input, firstWords(subtask.description, longest));
  }
}

/** How good it was found, before what it is. */
function judgedAs(evaluation: Evaluation | undefined): string {
  if (evaluation === undefined) return "";
  const { score, passed } = evaluation;
  if (score === undefined) return "not judged · ";
  return `${passed ? "" : "falls short, "}${ofHundred(score)} · `;
}

/** A score as people read it. */
export function ofHundred(score: number): string {
  return `${Math.round(score * 100)} of 100`;
}

function whySkipped(worker: SubtaskState, { state }: LineInput): string {
  switch (worker.skipped) {
    case "upstream":
      return `left out: ${neededBy(worker, state)}`;
    case "timeout":
      return "left out: the time was up";
    case "budget":
      return "left out: the budget did not allow it";
    case "approval":
      return isTakenOver(state) ? "left to the process that has taken over" : "left out: the plan was not approved";
    default:
      return state.approval === "requested" ? "waits for approval" : "stopped before it began";
  }
}

/** Somebody else was asked as well, and has decided first. */
function isTakenOver({ outcome }: RunState): boolean {
  return outcome !== undefined && "error" in outcome && outcome.error.code === "run_taken_over";
}

function callDetail(
  call: Omit<CallState, "status"> & { readonly status: SubtaskState["status"] },
  { state, now }: LineInput,
  before = "",
): Pick<CallLine, "detail" | "tail"> {
  const { throttled } = state;
  switch (call.status) {
    case "queued":
      return {
        detail: throttled !== undefined && throttled.model === call.model ? whyItWaits(throttled, now) : "waits for its turn",
        tail: false,
      };
    case "retrying":
      return { detail: `tries again: ${faultOf(call)}`, tail: false };
    case "failed":
      return { detail: faultOf(call), tail: false };
    default: {
      const words = lastWords(call.text, longest);
      return words === "" ? { detail: before, tail: false } : { detail: words, tail: true };
    }
  }
}

/** What went wrong. Messages begin with the model's name, which would leave a narrow line no room for the rest. */
export function faultOf({ error, model }: Pick<CallState, "error" | "model">): string {
  const message = error?.message ?? "failed";
  return oneLine(model !== undefined && message.startsWith(`${model} `) ? `it${message.slice(model.length)}` : message);
}

/** Whether it waits for others. */
export function isHeldUp(worker: SubtaskState, state: RunState): boolean {
  return missingOf(worker, state).length > 0;
}

function waitsFor(worker: SubtaskState, state: RunState): string {
  const missing = missingOf(worker, state);
  if (state.approval === "requested" && missing.length === 0) return "waits for approval";
  return missing.length === 0 ? "waits" : `waits for ${oneLine(missing.join(", "))}`;
}

function missingOf({ subtask }: SubtaskState, state: RunState): readonly string[] {
  const done = new Set(state.subtasks.filter(({ status }) => status === "done").map((other) => keyOf(other.subtask.id)));
  return subtask.dependsOn.filter((id) => !done.has(keyOf(id)));
}

function neededBy({ subtask }: SubtaskState, state: RunState): string {
  const statuses = new Map(state.subtasks.map((other) => [keyOf(other.subtask.id), other.status]));
  const missing = subtask.dependsOn.find((id) => statuses.get(keyOf(id)) !== "done");
  return `it needs ${oneLine(missing ?? "what is missing")}`;
}

function figures(
  id: string,
  call: Pick<CallState, "attempt" | "text" | "usage" | "cost" | "startedAt" | "endedAt"> & { readonly status: SubtaskState["status"] },
  { now, meter }: LineInput,
): Pick<CallLine, "tokens" | "tries" | "time" | "cost"> {
  const over = call.status === "done" || call.status === "failed" || call.status === "skipped";
  const reported = call.usage.outputTokens ?? 0;
  // What was written before a resume, and only judged after it, has begun at no time that is known here, and has taken what it took.
  if (call.startedAt === undefined && !(over && reported > 0)) return { tokens: "", tries: "", time: "", cost: "" };
  const writing = over || call.status === "retrying" ? 0 : meter.count(id, call);
  const total = reported + writing;
  const isEstimate = writing > 0 || call.usage.estimatedTokens > 0 || call.usage.presumedTokens > 0;
  return {
    tokens: total === 0 ? "" : `${isEstimate ? "~" : ""}${tokens(total)} tok`,
    tries: over && call.attempt > 1 ? count(call.attempt, "try", "tries") : "",
    time: call.startedAt === undefined ? "" : duration((call.endedAt ?? now) - call.startedAt),
    cost: over && call.cost !== undefined && call.cost > 0 ? dollars(call.cost) : "",
  };
}

/** The model without its provider, which the models line has said. */
export function shortModel(model: string): string {
  const name = oneLine(model);
  return name.slice(name.indexOf(":") + 1) || name;
}
