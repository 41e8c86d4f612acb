import type { Fact } from "../../src/events.ts";
import type { Outcome } from "../../src/outcome.ts";
import { numberIn } from "./double.ts";
import type { Scene } from "./scene.ts";
import type { Schedule } from "./schedule.ts";

/** Whatever is shortened fits the window, and of no result that the answer is made of is anything left unread. */
export function reductionFaults(outcome: Outcome, log: readonly Fact[], scene: Scene): string[] {
  return [...windowFaults(log, scene.schedule), ...unreadFaults(outcome, log, scene)];
}

function windowFaults(log: readonly Fact[], { contextTokens }: Schedule): string[] {
  const faults: string[] = [];
  let level = 0;
  for (const fact of log) {
    if (fact.type === "run.resumed" || fact.type === "synthesis.started") level = 0;
    if (fact.type === "reduction.started") {
      if (contextTokens === undefined) faults.push("its results are shortened, though they fit");
      if (fact.level !== level + 1 || fact.groups < 1) faults.push(`level ${fact.level} of ${fact.groups} groups comes after level ${level}`);
      level = fact.level;
    }
    if (fact.type !== "attempt.started" || fact.role !== "synthesizer" || contextTokens === undefined || level === 0) continue;
    const { part, attempt, reserved } = fact;
    if (part !== undefined && !part.startsWith(`${level}.`)) faults.push(`part ${part} leaves in level ${level}`);
    // An answer that was cut may take more, and what its own text would leave no room for is asked as it is.
    const tokens = reserved.inputTokens + reserved.outputTokens;
    if ((part !== undefined || attempt === 1) && tokens > contextTokens)
      faults.push(`${part === undefined ? "its answer" : `part ${part}`} may take ${tokens} tokens, its window has ${contextTokens}`);
  }
  return faults;
}

function unreadFaults({ coverage, results }: Outcome, log: readonly Fact[], { asked, schedule }: Scene): string[] {
  const done = results.flatMap((result) => (result.status === "done" ? [result] : []));
  if (coverage.answer !== "merge" || done.length < 2 || !log.some(({ type }) => type === "reduction.started")) return [];
  const runId = log[0]?.runId;
  const read = asked.filter(({ role, announced, pair }) => role === "synthesizer" && pair === undefined && (schedule.shared || announced?.runId === runId));
  return done.flatMap(({ id, result }) => {
    const mark = numberIn(result) > 0 ? `#${numberIn(result)}#` : result;
    return read.some(({ question }) => question.includes(mark)) ? [] : [`${id} was read by nobody who wrote the answer`];
  });
}
