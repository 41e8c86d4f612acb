/** One piece of the request, as the orchestrator wrote it: what a worker carries out. */
export interface Subtask {
  /** Unique in its plan: as given by the orchestrator, else made from the type (`-2` on a collision). */
  readonly id: string;
  /** The approach or sort of work, in a word or two. It also chooses the kind of worker. `"default"` where none was given. */
  readonly type: string;
  /** The instructions for the worker. */
  readonly description: string;
  /** Ids of the subtasks whose results this one needs; it starts when they are done. */
  readonly dependsOn: readonly string[];
}

/** A subtask that stands: it has a name, a place in the plan, and will be carried out. */
export interface Planned {
  readonly subtask: Subtask;
  /** Its place in the plan, from 0. */
  readonly ordinal: number;
  /** How many exact copies of it stand before it: several tries of one subtask. */
  readonly sample: number;
  /** The round in which it was written. @default 1 */
  readonly round?: number;
}

/**
 * How results become the answer.
 *
 * - `merge`: a synthesizer writes one text from all of them
 * - `keep`: they are laid out one after another, by code
 * - `choose`: a synthesizer compares them two at a time, and the best one stands as it was written
 */
export type Combine = "merge" | "keep" | "choose";

/** What the orchestrator decided: subtasks, or the answer itself where the request needs no division. */
export type Plan =
  | {
      readonly kind: "subtasks";
      /** The orchestrator's own words on how it divides. Workers do not see it. */
      readonly analysis: string;
      readonly combine: Combine;
      readonly subtasks: readonly Subtask[];
    }
  | { readonly kind: "direct"; readonly analysis: string; readonly answer: string };

/** A plan that divides the request. */
export type DividedPlan = Plan & { readonly kind: "subtasks" };
