import type { Fact } from "../../src/events.ts";
import type { Outcome } from "../../src/outcome.ts";
import { codeType, computed } from "./kinds.ts";
import type { Schedule } from "./schedule.ts";
import type { Store } from "./store.ts";

/** What code was to carry out, it did; and what must not be run twice is not, whoever died in between. */
export function codeFaults({ results }: Outcome, log: readonly Fact[], { codeRuns }: Store, { code, runs, rerun }: Schedule): string[] {
  if (code === "no") return [];
  const made = results.filter((result) => result.status === "done" && result.type === codeType);
  const faults = made.flatMap((result) =>
    result.status === "done" && result.result !== computed(result.description) ? [`${result.id} was not carried out by code`] : [],
  );
  // Two runs may ask for the same, and one that is done anew does.
  if (code === "idempotent" || runs > 1 || rerun) return faults;
  // Whoever sees in a further round that it failed may ask for the same once more.
  const isPlanned = (fact: Fact, what: string): fact is Fact & { readonly type: "subtask.planned" } =>
    fact.type === "subtask.planned" && what === `${fact.subtask.id}: ${fact.subtask.description}`;
  const allowed = (what: string): number => new Set(log.flatMap((fact) => (isPlanned(fact, what) ? [fact.round ?? 1] : []))).size;
  const twice = [...codeRuns]
    .filter(([what, count]) => count > Math.max(1, allowed(what)))
    .map(([what, count]) => `the code for ${what} was run ${count} times`);
  return [...faults, ...twice];
}
