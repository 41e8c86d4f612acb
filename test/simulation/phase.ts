import type { Fact } from "../../src/events.ts";

/** Where a run stands in its story. */
export const phases = ["before its log", "planning", "waiting", "working", "answering", "over"] as const;
type Phase = (typeof phases)[number];

/** The run's place in its story, as its log has it. */
export function phaseOf(log: readonly Fact[]): Phase {
  const now = log.slice(log.findLastIndex(({ type }) => type === "run.started" || type === "run.resumed"));
  if (now.length === 0) return "before its log";
  const has = (...types: Fact["type"][]): boolean => now.some(({ type }) => types.includes(type));
  if (has("run.finished")) return "over";
  if (has("synthesis.started", "plan.answered")) return "answering";
  if (now.at(-1)?.type === "approval.requested") return "waiting";
  const isPlanned = log.some((fact) => fact.type === "plan.finished" && fact.complete) || has("plan.finished", "plan.failed");
  return isPlanned ? "working" : "planning";
}
