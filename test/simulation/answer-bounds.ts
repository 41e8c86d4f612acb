import type { Role } from "../../src/role.ts";
import type { Schedule } from "./schedule.ts";

/** What calls may take at most. */
export interface Bound {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly calls: number;
}

/** Output caps that are not doubled, at most; and that of a comparison. */
export const caps: Readonly<Record<Role, number>> = { orchestrator: 8_192, worker: 8_192, synthesizer: 16_384, evaluator: 4_096 };
const comparisonCap = 4_096;

/** More than any question has beside what workers wrote; where they write at length, with what one reads of others. */
export function longestInput({ compares, contextTokens, warms }: Schedule): number {
  if (contextTokens !== undefined || warms) return 60_000;
  return compares ? 6_000 : 3_000;
}

/** What the answer may take that reads so many tokens of so many results. */
export function answerAtMost(schedule: Schedule, toRead: number, results: number): Bound {
  const input = longestInput(schedule);
  const shortened = reductionsAtMost(schedule, toRead);
  const merged = {
    inputTokens: input + toRead + shortened.inputTokens,
    outputTokens: caps.synthesizer + shortened.outputTokens,
    calls: 1 + shortened.calls,
  };
  if (!schedule.compares || !["auto", "choose"].includes(schedule.synthesis)) return merged;
  const calls = 2 * Math.max(1, results - 1);
  return {
    // The longest may be read in each of them.
    inputTokens: Math.max(merged.inputTokens, calls * (input + toRead)),
    outputTokens: Math.max(merged.outputTokens, calls * comparisonCap),
    calls: Math.max(merged.calls, calls),
  };
}

/** Of the window where none is stated, and of what every call that shortens reads in one, at the least. */
const [usualWindow, leastRead] = [128_000, 1_000];
/** Of the prompt of a call that shortens. */
const shorteningFrame = 1_000;

/** Each level leaves a quarter of what it reads, and each of its calls fills half of its room. */
function reductionsAtMost({ contextTokens = usualWindow, judged, answerFormed }: Schedule, toRead: number): Bound {
  // Who writes again, since it was judged or has not its form, reads what it wrote and what is said of it.
  const answers = [true, judged.includes("synthesizer"), answerFormed].filter(Boolean).length;
  const surelyFits = (contextTokens * 7) / 8 - answers * caps.synthesizer - caps.evaluator - leastRead * 10;
  if (toRead <= surelyFits) return { inputTokens: 0, outputTokens: 0, calls: 0 };
  const levels = 2 + Math.ceil(Math.log2(Math.max(1, toRead / leastRead)) / 2);
  const calls = levels + Math.ceil(((4 / 3) * 2 * toRead) / Math.min(leastRead * 50, Math.max(leastRead, contextTokens / 4)));
  return { inputTokens: Math.ceil((4 / 3) * toRead) + calls * shorteningFrame, outputTokens: Math.ceil(toRead / 3) + levels, calls };
}
