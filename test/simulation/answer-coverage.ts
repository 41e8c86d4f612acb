import type { Fact } from "../../src/events.ts";

/** What a run met with where one of its results was chosen as its answer. */
export function metInChoice(log: readonly Fact[]): string[] {
  const first = log.find((fact) => fact.type === "subtask.planned");
  const names: string[] = [];
  let [isLost, isBegun, isResumed] = [false, false, false];
  for (const fact of log) {
    if (fact.type === "run.resumed") isResumed = isBegun;
    if (fact.type === "attempt.started" && fact.role === "synthesizer" && fact.part?.includes(".") === false) isBegun = true;
    if (fact.type === "synthesis.failed" && fact.error.code === "choice_failed" && isBegun) {
      isLost = true;
      names.push("no verdict");
    }
    if (fact.type !== "synthesis.chosen") continue;
    if (fact.ties === undefined) names.push("in one reply");
    else names.push("compared", ...(fact.ties.length > 0 ? ["tied"] : []), ...(fact.subtaskId === first?.subtask.id ? [] : ["another than the first"]));
    if (fact.ties !== undefined) names.push(...(isLost ? ["asked anew by a resume"] : isResumed ? ["gone on with"] : []));
  }
  return names;
}

/** What it met with where they were too long to be read by one call. */
export function metInReductions(log: readonly Fact[]): string[] {
  const names: string[] = [];
  let [level, isResumed] = [0, false];
  for (const fact of log) {
    if (fact.type === "run.resumed") [level, isResumed] = [0, level > 0];
    if (fact.type === "reduction.started") {
      level = fact.level;
      names.push(`level ${level}`, ...(fact.groups < fact.texts ? ["of some texts"] : []), ...(isResumed ? ["gone on with"] : []));
    }
    if (fact.type === "synthesis.failed" && level > 0) names.push("failed");
    if (fact.type === "run.finished" && level > 0 && fact.outcome.coverage.answer === "merge") names.push("answered");
  }
  return names;
}
