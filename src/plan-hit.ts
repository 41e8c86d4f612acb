import type { RunRequest } from "./events.ts";
import type { Plan } from "./subtask.ts";

/** A plan that an orchestrator wrote for a request like the one that is asked now. */
export interface PlanHit extends RunRequest {
  /** The run that it was written in, which ended well. Its `task` and `context` are that run's. */
  readonly runId: string;
  /** How alike the two requests are: the cosine of their vectors, 1 for the same words. */
  readonly similarity: number;
  readonly plan: Plan;
}
