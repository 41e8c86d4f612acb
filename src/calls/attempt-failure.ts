import type { DivvyError } from "../errors.ts";
import type { SpentUsage } from "../usage.ts";

/** How one attempt failed, as the layers between `sent` and `attempted` need to know it. Never leaves the pipeline. */
export class AttemptFailure extends Error {
  override readonly name = "AttemptFailure";
  readonly error: DivvyError;
  /** Did the provider take the request on (response headers of a success were seen)? */
  readonly accepted: boolean;
  readonly usage: SpentUsage;

  constructor(error: DivvyError, facts: { readonly accepted: boolean; readonly usage: SpentUsage }) {
    super(error.message, { cause: error });
    this.error = error;
    this.accepted = facts.accepted;
    this.usage = facts.usage;
  }
}
