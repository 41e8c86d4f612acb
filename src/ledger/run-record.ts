import { beginsCall, type Fact } from "../events.ts";
import type { RunRecord } from "./ledger.ts";
import { beginningOf } from "../shortened.ts";

const shownTask = 200;

export function newRecord(runId: string): RunRecord {
  return { runId, task: "", status: "running", startedAt: 0, updatedAt: 0, calls: 0, tokens: 0, cost: 0 };
}

/** The run in one line after a fact. Pure. */
export function recordAfter(before: RunRecord, fact: Fact): RunRecord {
  const record: RunRecord = { ...before, updatedAt: fact.at };
  switch (fact.type) {
    case "run.started":
      return { ...record, task: beginningOf(fact.request.task, shownTask), startedAt: fact.at };
    case "approval.requested":
      return { ...record, status: "waiting" };
    case "approval.given":
    case "approval.declined":
    case "run.resumed":
      return { ...record, status: "running" };
    case "attempt.started":
      return beginsCall(fact) ? { ...record, calls: record.calls + 1 } : record;
    case "attempt.settled": {
      const { cost, ...rest } = record;
      const total = cost === undefined || fact.cost === undefined ? undefined : cost + fact.cost;
      return { ...rest, tokens: record.tokens + (fact.usage.totalTokens ?? 0), ...(total !== undefined && { cost: total }) };
    }
    case "run.finished":
      return { ...record, status: fact.outcome.status };
    default:
      return record;
  }
}
