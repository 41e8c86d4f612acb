import type { EventBody } from "../events.ts";
import type { RunBudget } from "./run-budget.ts";

/** What the calls of one run share. The governor knows a run by this object: calls with a copy of it would count as another run's. */
export interface RunScope {
  readonly runId: string;
  /** Calls of this run in flight at most. */
  readonly concurrency: number;
  /** Adds an event to the run. Must not throw. */
  readonly emit: (event: EventBody) => void;
  /** Where the run's calls are recorded: its own id, or a shared cache; nowhere where it is absent. */
  readonly cache?: string;
  /** Resolves when all that was emitted will survive a crash; rejects with the `DivvyError` that keeps it from it. */
  readonly committed: () => Promise<void>;
  /** When the run's time is up, as it looks now, in epoch milliseconds. @default never */
  readonly endsAt?: () => number;
  /** @default no bound */
  readonly budget?: RunBudget;
}
