import type { Calls, RunScope } from "../calls/call.ts";
import type { Request } from "../events.ts";
import type { Fence } from "../prompt/fence.ts";
import type { Clock } from "../runtime.ts";
import type { Subtask } from "../subtask.ts";
import type { Upstream } from "./worker-prompt.ts";

/** What one worker is to do. */
export interface Job {
  readonly request: Request;
  readonly subtask: Subtask;
  readonly upstream: readonly Upstream[];
  readonly sample: number;
}

export interface WorkerDeps {
  readonly calls: Calls;
  readonly run: RunScope;
  readonly signal: AbortSignal;
  readonly fence: Fence;
  readonly clock: Clock;
}
