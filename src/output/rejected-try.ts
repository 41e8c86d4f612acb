/** A reply that does not have the form that was asked for. */
export interface RejectedTry {
  /** Its number, from 1: of those for one piece of work. */
  readonly try: number;
  /** Why, a line for each thing. */
  readonly issues: readonly string[];
}
