import { hash } from "node:crypto";

/**
 * Numbers that tell apart calls that are alike to the letter on purpose: `sample` of a `CallRequest`. Recorded answers are found by
 * them, those of old runs too: with another step here they are paid for again.
 *
 * A worker's number is the sum of these, each less than the step of the next under the default limits:
 * - 1 for each copy of a subtask, and each of its tries beside each other: 100 workers a run, of 10 tries at most, are 1,000;
 * - 1,000 for each repair of one reply: 10 at most, besides those of others' replies that a shared cache holds and that are asked past;
 *   it would take forty of these to come to the next step;
 * - 50,000 for each time that what was judged is written again, from the second on: 8 at most are 400,000;
 * - 1,000,000 for each resume that finds the recorded answer of no use.
 *
 * With up to 10,000 workers, the most that there may be, the first calls are still told apart. Beyond the thousandth copy or try, a repair
 * may share its number with that of another, and is the same call only where both replies, and all that was said of them, are the same.
 */
const [repairStep, tryStep, anotherStep] = [1_000, 50_000, 1_000_000];

/** More than any plan has questions, which are numbered one by one: so those for one plan are none of those for the next. */
const planStep = 1_000;

/** One of several that are carried out at once. @param index from 0 */
export function sampleOfSeveral(sample: number, count: number, index: number): number {
  return sample * count + index;
}

/** Added where a reply is asked for again since it lacks its form: a model may write the same again. @param number of the reply, from 1 */
export function moreOfRepair(number: number): number {
  return (number - 1) * repairStep;
}

/** Added to the samples of a try: a model may write the same as before, and is then asked the same again, but not to be answered by what it wrote then. */
export function moreOfTry(number: number): number {
  return Math.max(0, number - 2) * tryStep;
}

/** In place of one whose recorded answer is of no use. */
export function anotherSample(sample: number): number {
  return sample + anotherStep;
}

/** Of the first question for a plan, when so many were declined. */
export function sampleOfPlan(declined: number): number {
  return declined * planStep;
}

/**
 * A number of a rerun's own, since the same question is to have another answer than any that a shared cache holds, those to earlier reruns
 * and to copies of the subtask included.
 */
export function sampleOfRerun(runId: string): number {
  return Number.parseInt(hash("sha256", runId, "hex").slice(0, 12), 16);
}
