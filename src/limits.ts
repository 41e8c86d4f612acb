import type { Limits, Retry, Timeout } from "./options.ts";
import type { Role } from "./role.ts";

/** A number for each. */
type Numbers<Options> = { readonly [Name in keyof Options]-?: number };

/** What holds where the options say nothing; their names say the units. */
export interface Defaults {
  readonly concurrency: number;
  readonly limits: Numbers<Limits>;
  readonly retry: Numbers<Retry>;
  readonly timeout: Numbers<Timeout>;
  readonly evaluate: { readonly maxAttempts: number };
  /** Of a window that nobody knows. */
  readonly contextTokens: number;
  /** Of one reply, reasoning included. */
  readonly maxOutputTokens: Readonly<Record<Role, number>>;
}

/** How often one run's plan is sent back with a remark, and another one asked for. */
export const maxPlanRemarks = 10;

/** Nothing is unbounded. docs/options.md says the same, and a test holds the two together. */
export const defaults: Defaults = Object.freeze({
  concurrency: 100,
  limits: Object.freeze({ subtasks: 20, workers: 100, rounds: 1, planCompletions: 2, outputRepairs: 1, upstreamBytes: 65_536 }),
  retry: Object.freeze({ attempts: 3, backoffMs: 1_000, maxBackoffMs: 30_000 }),
  timeout: Object.freeze({
    workerMs: 300_000,
    orchestratorMs: 600_000,
    synthesizerMs: 600_000,
    idleMs: 120_000,
    runMs: 3_600_000,
    admissionMs: 600_000,
  }),
  evaluate: Object.freeze({ maxAttempts: 2 }),
  contextTokens: 128_000,
  maxOutputTokens: Object.freeze({ orchestrator: 8_192, worker: 8_192, synthesizer: 16_384, evaluator: 4_096 }),
});
