import type { Fact } from "../../src/events.ts";
import { keyOf } from "../../src/names.ts";
import { judgesCode } from "./code.ts";
import type { Schedule } from "./schedule.ts";

/** What a run met with where code was judged. */
export function metInCode(log: readonly Fact[], schedule: Schedule): string[] {
  if (!judgesCode(schedule)) return [];
  const names: string[] = [];
  /** How often each has delivered; and before the life that is. */
  const delivered = new Map<string, number>();
  let before: ReadonlyMap<string, number> = new Map();
  for (const fact of log) {
    if (fact.type === "run.resumed") before = new Map(delivered);
    if (fact.type === "subtask.delivered") delivered.set(keyOf(fact.subtaskId), (delivered.get(keyOf(fact.subtaskId)) ?? 0) + 1);
    if (fact.type === "subtask.evaluated" && before.get(keyOf(fact.subtaskId)) === fact.try) names.push("judged by a resume");
    if (fact.type !== "subtask.finished" || fact.evaluation === undefined || !delivered.has(keyOf(fact.subtaskId))) continue;
    const { score, passed, tries, error } = fact.evaluation;
    names.push(passed ? (tries === 1 ? "good at once" : "good in the end") : error === undefined ? "never good" : (reasons.get(error.code) ?? ""));
    if (score === undefined) names.push("judge not heard");
  }
  return names;
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["not_repeatable", "not tried again"],
  ["worker_failed", "threw when tried again"],
  ["budget_exhausted", "no budget to go on"],
]);
