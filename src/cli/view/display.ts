import type { RunState } from "../../run-state.ts";

/** Where a run is shown while it is carried out. Must not throw. */
export interface Display {
  update(before: RunState, state: RunState): void;
  /** Says something that is no event of the run. */
  note(text: string): void;
  /** Leaves the terminal to others: nothing is written until it is to go on. */
  pause(): Promise<void>;
  goOn(): void;
  /** Leaves the last state standing. */
  close(): Promise<void>;
}

/** Shows nothing. */
export const noDisplay: Display = {
  update: () => undefined,
  note: () => undefined,
  pause: () => Promise.resolve(),
  goOn: () => undefined,
  close: () => Promise.resolve(),
};
