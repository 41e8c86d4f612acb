import type { RunRequest } from "../../events.ts";
import type { PlanHit } from "../../plan-hit.ts";
import type { DividedPlan } from "../../subtask.ts";

/** Plans of earlier runs that were asked for as this one's would be. Every method may reject with a `DivvyError`. */
export interface KeptPlans {
  /** The embedding model, by name. */
  readonly model: string;
  readonly threshold: number;
  readonly accept: ((hit: PlanHit) => boolean | Promise<boolean>) | undefined;
  /** Makes a vector of a text, by a call of this run: of texts that mean the same, vectors point the same way. Ends with the run. */
  readonly embed: (text: string) => Promise<Float32Array>;
  readonly list: () => Promise<readonly { readonly runId: string; readonly vector: Float32Array }[]>;
  /** What a run was asked, and its plan; nothing where it is gone, or did not end well. */
  readonly read: (runId: string) => Promise<{ readonly request: RunRequest; readonly plan: DividedPlan } | undefined>;
  /** Keeps this run's. */
  readonly keep: (vector: Float32Array) => Promise<void>;
}
