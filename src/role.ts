/** Who makes a call. */
export type Role = "orchestrator" | "worker" | "synthesizer";

/** Which call an attempt belongs to. */
export interface CallRef {
  readonly role: Role;
  /** Set where the call is a subtask's. */
  readonly subtaskId?: string;
}
