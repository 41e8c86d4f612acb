import type { Fact } from "../../src/events.ts";
import type { Kept } from "./store.ts";

const afterAsking: ReadonlySet<Fact["type"]> = new Set<Fact["type"]>([
  "approval.given",
  "approval.declined",
  "approval.rejected",
  "subtask.skipped",
  "run.finished",
  "run.resumed",
  // The estimate of what was edited looks at prices, and says nothing; a ledger that was slow may have had a notice before it.
  "run.noticed",
]);

/** What must hold of a run whose plan needs approval. */
export function approvalFaults(kept: readonly Kept[]): string[] {
  const faults: string[] = [];
  let given = false;
  let before: Fact | undefined;
  let [lifeFrom, waited] = [0, 0];
  if (!kept.some(({ fact }) => fact.type === "run.started" && fact.approval === true)) return [];
  for (const { fact } of kept) {
    if (fact.type === "run.started" || fact.type === "run.resumed") [lifeFrom, waited] = [fact.at, 0];
    else if (before?.type === "approval.requested") waited += fact.at - before.at;
    if (before?.type === "approval.requested" && !afterAsking.has(fact.type)) faults.push(`${fact.type} (${fact.seq}) while it waits for approval`);
    switch (fact.type) {
      case "approval.requested":
        if (given) faults.push("approval is asked for that was given");
        break;
      case "approval.given":
        if (given) faults.push("approval is given twice");
        given = true;
        break;
      case "subtask.started":
        if (!given) faults.push(`${fact.subtaskId} starts before its plan is approved`);
        break;
      case "attempt.started":
        if (fact.role === "orchestrator" ? given : !given)
          faults.push(given ? "the orchestrator is asked though its plan is approved" : `an attempt of ${fact.role} leaves before the plan is approved`);
        break;
      case "run.finished": {
        const activeMs = fact.at - lifeFrom - waited;
        if (fact.outcome.durationMs > activeMs + 2_000) faults.push(`it says that it took ${fact.outcome.durationMs} ms, and was carried out for ${activeMs}`);
        break;
      }
      default:
    }
    before = fact;
  }
  return faults;
}
