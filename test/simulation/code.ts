import type { OrchestratorOptions } from "../../src/options.ts";
import type { Evaluate } from "../../src/role-options.ts";
import { type Clock, sleep } from "../../src/runtime.ts";
import type { Subtask } from "../../src/subtask.ts";
import type { FunctionTools, WorkerFunction } from "../../src/work/function-worker.ts";
import { chance } from "./chance.ts";
import { judgedUntil, modelJudging } from "./kinds.ts";
import type { Schedule, Weather } from "./schedule.ts";

/** The type of the subtasks that code carries out. */
export const codeType = "check";

/** What comes of it. @param time which run of it this is, where it is judged: that makes something else of it */
export function computed(description: string, time?: number): string {
  return time === undefined ? `Computed: ${description}` : `Computed for the ${time}. time: ${description}`;
}

/** Is what code makes judged? */
export function judgesCode({ code, judge, codeIsJudged }: Schedule): boolean {
  return code !== "no" && judge !== "nobody" && codeIsJudged;
}

/** Code begins to carry out a subtask. */
export interface CodeBegun {
  readonly task: string;
  readonly subtask: Subtask;
  readonly before: FunctionTools["before"];
}

/**
 * Code that takes its time. Where it is judged it may throw, and does not always make something else of it the next time.
 *
 * @param onBegun gives the how many-th time it is, from 1
 */
export function codeOf(schedule: Schedule, { broken }: Weather, clock: Clock, onBegun: (begun: CodeBegun) => number): Pick<OrchestratorOptions, "workers"> {
  const { code, seed } = schedule;
  if (code === "no") return {};
  const isJudged = judgesCode(schedule);
  const run: WorkerFunction = async (subtask, { request, signal, before }) => {
    const { description } = subtask;
    const time = onBegun({ task: request.task, subtask, before });
    await sleep(clock, chance(seed, `code ${description}`).magnitude(1, 30_000), signal);
    if (!isJudged) return computed(description);
    const { happens } = chance(seed, `code ${description} ${time}`);
    if (happens(broken)) throw new Error("It is broken.");
    return computed(description, happens(0.2) ? 1 : time);
  };
  return { workers: { [codeType]: { run, idempotent: code === "idempotent", ...(isJudged && { evaluate: codeJudging(schedule) }) } } };
}

function codeJudging({ judge, seed }: Schedule): Evaluate {
  if (judge === "a model") return modelJudging;
  const judgeOf: (piece: { readonly text: string }) => number = ({ text }) => chance(seed, `verdict on ${text}`).whole(0, 10) / 10;
  return { ...judgedUntil, judge: (piece) => ({ score: judgeOf(piece), reasons: `This could be better: ${piece.text}` }) };
}
