import { latencyModel } from "../src/testing/latency.ts";

/**
 * What every contender carries out: a plan of `subtasks` tasks, a worker for each, a synthesis. Times follow a fixed, seeded model,
 * so that contenders and repetitions wait for the same replies.
 */
export interface Workload {
  readonly subtasks: number;
  readonly seed: number;
}

/** Seed of the run that warms a process up: every reply comes at once. */
export const warmUp = 0;

/** The planner's first tag comes after this, in milliseconds. */
export function planFirstMs({ seed }: Workload): number {
  return seed === warmUp ? 0 : 300;
}

/** Between two tags, in milliseconds. */
export const tagMs = 5;

/** Deltas of a worker's and of the synthesizer's reply. */
export const deltas = 50;

export const models = { planner: "bench-planner", worker: "bench-worker", synthesizer: "bench-synthesizer" } as const;

export function planParts({ subtasks }: Workload, combine: "merge" | "keep" = "merge"): string[] {
  const tasks = Array.from({ length: subtasks }, (_, n) => {
    return `<task id="t${n}"><type>part-${n}</type><description>Write part ${n} of the report for the people who read part ${n}. About 60 words.</description></task>\n`;
  });
  return [`<analysis>One part for each reader.</analysis>\n<tasks combine="${combine}">\n`, ...tasks, "</tasks>"];
}

/** When a part of the plan is due, in milliseconds after the planner's request. */
export function planPartMs(workload: Workload, part: number): number {
  return planFirstMs(workload) + part * tagMs;
}

/** Of a worker, in milliseconds from its request to its last byte: lognormal, as model calls are. */
export function workerMs({ seed }: Workload, subtask: number): number {
  if (seed === warmUp) return 0;
  return latencyModel({ seed, firstTokenMs: { median: 400, sigma: 0.4 }, totalMs: { median: 3000, sigma: 0.5 } }).sample(`worker ${subtask}`);
}

export function synthesisMs({ seed }: Workload): number {
  return seed === warmUp ? 0 : 1500;
}

/** One call after another, as the latencies say: the whole plan, every worker in turn, the synthesis. */
export function sequentialMs(workload: Workload): number {
  const work = workersMs(workload).reduce((sum, ms) => sum + ms, 0);
  return planPartMs(workload, workload.subtasks + 1) + work + synthesisMs(workload);
}

/** The soonest that any engine could be done, as the latencies say: each worker as soon as its tag is out. */
export function soonestMs(workload: Workload): number {
  const ends = workersMs(workload).map((ms, subtask) => planPartMs(workload, subtask + 1) + ms);
  return Math.max(planPartMs(workload, workload.subtasks + 1), ...ends) + synthesisMs(workload);
}

function workersMs(workload: Workload): number[] {
  return Array.from({ length: workload.subtasks }, (_, subtask) => workerMs(workload, subtask));
}

export const reply: readonly string[] = Array.from({ length: deltas }, (_, n) => `word${n} of the reply `);
