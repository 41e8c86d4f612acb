/** Who does the work of a run. */
export type WorkingRole = "orchestrator" | "worker" | "synthesizer";

/** Who makes a call: one that works, or one that judges the work. */
export type Role = WorkingRole | "evaluator";

/** Which call an attempt belongs to. */
export interface CallRef {
  readonly role: Role;
  /** Set where the call is a subtask's. */
  readonly subtaskId?: string;
}
