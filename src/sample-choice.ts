/** Which of several tries of a subtask was kept. */
export interface SampleChoice {
  /** Its number, from 1. */
  readonly sample: number;
  /** Tries that came to something. */
  readonly of: number;
  /** In the words of who compared them. */
  readonly reason: string;
  /** Numbers of later tries that were found as good. */
  readonly ties: readonly number[];
}
