import type { Fact } from "../../events.ts";

/** When the run was last resumed, in epoch milliseconds; nothing where it never was. */
export function lastBegun(facts: readonly Fact[]): number | undefined {
  return facts.findLast(({ type }) => type === "run.resumed")?.at;
}
