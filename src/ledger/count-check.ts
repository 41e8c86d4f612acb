import { DivvyError } from "../errors.ts";

/**
 * Refuses what is no number of things: stores make different things of it.
 *
 * @throws DivvyError `invalid_option`
 */
export function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  const message = `${name}: must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, and is ${value}.`;
  throw new DivvyError("invalid_option", message, { hint: "Correct it; docs/ledger.md says what a ledger takes." });
}
