import type { Combine } from "./subtask.ts";

/** What decides the calls of one role: its model by name, everything else as short hashes, so that nothing secret is kept. */
export interface RolePrint {
  readonly model: string;
  /** Of the model's address. */
  readonly endpoint: string;
  /** Of the output cap, temperature, reasoning and the provider's options. */
  readonly settings: string;
  /** Of the prompt, filled in. */
  readonly prompt: string;
  /** Of the form that its work is to have; absent where it is text. */
  readonly output?: string;
  /** Of who judges its work, and by what; absent where nobody does. */
  readonly evaluation?: string;
  /** Of how many tries there are of each subtask, and who compares them; absent where there is one. */
  readonly sampling?: string;
  /** Tokens of its window, which `settings` hold too; absent where nobody stated them. */
  readonly window?: number;
}

/** What decides the calls of a run. Not among it: limits, timeouts, concurrency. */
export interface RunPrint {
  readonly orchestrator: RolePrint;
  readonly synthesizer: RolePrint;
  /** By the type of subtask that a kind is for, `default` for all others. */
  readonly workers: Readonly<Record<string, RolePrint>>;
  readonly planFormat: "xml" | "json";
  readonly direct: boolean;
  readonly combine?: Combine | "none";
  readonly maxSubtasks: number;
  /** A limit all the same: kept for a resume that names none. @default 1 */
  readonly rounds?: number;
}
