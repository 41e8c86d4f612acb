import type { ErrorCode } from "../errors.ts";
import type { Outcome } from "../outcome.ts";

/** What the process says at its end. */
export const exitCodes: Readonly<Record<Outcome["status"] | "usage", number>> = { ok: 0, failed: 1, usage: 2, partial: 3, aborted: 130 };

/** Errors in what was typed: typing something else mends them. */
const usageErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["invalid_option", "invalid_plan", "invalid_template", "unknown_provider", "run_not_found"]);

/** For an error that came before there was a run. */
export function exitCodeOf(code: ErrorCode): number {
  if (code === "aborted") return exitCodes.aborted;
  return usageErrors.has(code) ? exitCodes.usage : exitCodes.failed;
}

/** For a run that ended. One that nobody stopped, but that could not be kept any more, has failed. */
export function exitCodeAfter(outcome: Outcome): number {
  if (outcome.status === "aborted" && outcome.error.code !== "aborted") return exitCodes.failed;
  return exitCodes[outcome.status];
}
