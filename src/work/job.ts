import type { Calls } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import type { RunRequest } from "../events.ts";
import type { Fence } from "../prompt/fence.ts";
import type { Clock } from "../runtime.ts";
import type { Subtask } from "../subtask.ts";
import type { Upstream } from "./worker-prompt.ts";

/** How far a function had come with a subtask in earlier lives of the run. */
export interface Before {
  /** Oldest first: none of it is made again. */
  readonly results: readonly string[];
  /** May it have begun once more after the last of them? */
  readonly mayHaveBegun: boolean;
}

/** What one worker is to do. */
export interface Job {
  readonly request: RunRequest;
  readonly subtask: Subtask;
  readonly upstream: readonly Upstream[];
  readonly sample: number;
  /** Absent where it had not begun. */
  readonly before?: Before;
}

export interface WorkerDeps {
  readonly calls: Calls;
  readonly run: RunScope;
  readonly signal: AbortSignal;
  readonly fence: Fence;
  readonly clock: Clock;
}
