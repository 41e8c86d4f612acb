import { DivvyError, isStop } from "../../errors.ts";
import type { Notice } from "../../notice.ts";
import type { AnswerMode, Coverage, Outcome } from "../../outcome.ts";
import type { Plan } from "../../subtask.ts";
import { firstGap, type Parts } from "./gap.ts";
import type { Tally } from "../tally.ts";

export interface RunEnd extends Parts {
  readonly runId: string;
  /** How results become the answer, as the plan says. */
  readonly plan: Plan | undefined;
  readonly notices: readonly Notice[];
  readonly answer: string;
  readonly signal: AbortSignal;
  readonly tally: Tally;
  readonly durationMs: number;
}

/** The outcome of a run, said as it is: `ok` only where nothing at all is missing. */
export function outcomeOf(end: RunEnd): Outcome {
  const { runId, planned, census, tally, signal, answer } = end;
  const cost = tally.cost;
  const base = {
    runId,
    coverage: coverageOf(end),
    analysis: planned.analysis,
    ...(end.plan && { plan: end.plan }),
    results: census.results,
    calls: tally.calls,
    usage: tally.usage,
    ...(cost !== undefined && { cost }),
    ...(tally.estimate && { estimate: tally.estimate }),
    ...(end.synthesis.evaluation && { evaluation: end.synthesis.evaluation }),
    durationMs: Math.round(end.durationMs),
  };
  const refused = planned.kind === "subtasks" ? planned.refused : undefined;
  const stopped = signal.aborted && signal.reason instanceof DivvyError ? signal.reason : refused;
  const said = { text: answer, ...(end.synthesis.output && { output: end.synthesis.output.value }) };
  if (planned.kind === "direct") return { status: "ok", ...base, ...said };
  const gap = firstGap(end, stopped);
  if (gap === undefined) return { status: "ok", ...base, ...said };
  if (stopped !== undefined && isStop(stopped)) return { status: "aborted", ...base, error: stopped.toJSON() };
  // What it had taken over from another run is nothing that it did.
  if (census.done.length > 0 && refused === undefined) return { status: "partial", ...base, ...said, error: gap };
  return { status: "failed", ...base, error: gap };
}

function coverageOf({ planned, census, synthesis, notices }: RunEnd): Coverage {
  const { results, done, missing, dropped, planComplete } = census;
  const answer: AnswerMode = planned.kind === "direct" ? "direct" : synthesis.mode;
  return {
    planned: results.length + dropped,
    done: done.length,
    failed: results.filter(({ status }) => status === "failed").length,
    skipped: results.filter(({ status }) => status === "skipped").length,
    dropped,
    planComplete,
    answer,
    missing,
    notices,
  };
}

/** A run that could not begin, or that broke by a fault of our own. */
export function failedOutcome(runId: string, error: DivvyError, tally: Tally, durationMs: number): Outcome {
  return {
    status: isStop(error) ? "aborted" : "failed",
    runId,
    coverage: { planned: 0, done: 0, failed: 0, skipped: 0, dropped: 0, planComplete: false, answer: "none", missing: [], notices: tally.notices },
    analysis: "",
    results: [],
    calls: tally.calls,
    usage: tally.usage,
    ...(tally.cost !== undefined && { cost: tally.cost }),
    durationMs: Math.round(durationMs),
    error: error.toJSON(),
  };
}
