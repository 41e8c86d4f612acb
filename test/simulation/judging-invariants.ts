import type { Evaluation, TryVerdict } from "../../src/evaluation/verdict.ts";
import type { Fact } from "../../src/events.ts";
import type { Outcome } from "../../src/outcome.ts";
import { codeType, judgesCode } from "./code.ts";
import { mostTries, threshold } from "./kinds.ts";
import type { Schedule } from "./schedule.ts";

/** What an outcome says of how its work was judged is what was said of it, and who judged nothing says nothing. */
export function judgingFaults({ results, evaluation, coverage }: Outcome, log: readonly Fact[], schedule: Schedule): string[] {
  const judges = (role: "worker" | "synthesizer"): boolean => schedule.judge !== "nobody" && schedule.judged.includes(role);
  const faults: string[] = [];
  const takesOver = log.some((fact) => fact.type === "run.started" && fact.rerunOf !== undefined);
  for (const result of results) {
    if (result.status !== "done") continue;
    const isCode = schedule.code !== "no" && result.type === codeType;
    const begun = log.findLastIndex((fact) => fact.type === "subtask.started" && fact.subtaskId === result.id);
    const verdicts = log.slice(begun + 1).filter((fact) => fact.type === "subtask.evaluated" && fact.subtaskId === result.id);
    // It was judged in the run that it comes from.
    if (takesOver && verdicts.length === 0 && result.evaluation?.score !== undefined) continue;
    faults.push(...evaluationFaults(result.id, result.evaluation, verdicts.filter(isVerdict), isCode ? judgesCode(schedule) : judges("worker")));
  }
  const begun = log.findLastIndex((fact) => fact.type === "synthesis.started");
  const verdicts = log.slice(begun + 1).filter((fact) => fact.type === "answer.evaluated");
  const isJudged = judges("synthesizer") && coverage.answer === "merge" && (coverage.done > 1 || schedule.answerFormed);
  faults.push(...evaluationFaults("the answer", evaluation, verdicts.filter(isVerdict), isJudged));
  return faults;
}

function isVerdict(fact: Fact): fact is Fact & TryVerdict {
  return "score" in fact;
}

function evaluationFaults(name: string, evaluation: Evaluation | undefined, verdicts: readonly TryVerdict[], isJudged: boolean): string[] {
  if (evaluation === undefined) return isJudged ? [`${name} was not judged`] : [];
  if (!isJudged) return [`${name} was judged, though nobody was to`];
  const { score, reasons, passed, tries } = evaluation;
  const faults: string[] = [];
  if (passed !== (score !== undefined && score >= threshold)) faults.push(`${name} passed: ${passed}, with the score ${score}`);
  if (tries < 1 || tries > mostTries) faults.push(`${name} took ${tries} tries`);
  if (score !== undefined && !verdicts.some((verdict) => verdict.score === score && verdict.reasons === reasons))
    faults.push(`${name} has the score ${score}, which nobody gave`);
  const best = Math.max(...verdicts.map((verdict) => verdict.score));
  if (score !== undefined && score !== best) faults.push(`${name} has the score ${score}, its best try has ${best}`);
  if (passed !== verdicts.some((verdict) => verdict.passed)) faults.push(`${name} passed: ${passed}, and its tries did otherwise`);
  return faults;
}
