import type { Budget } from "../../../src/budget.ts";
import type { ComparedSide, ComparedTry } from "../../../src/compare/comparison.ts";
import type { Spend } from "../../../src/estimate.ts";
import { numberIn } from "../double.ts";
import { mostRepairs } from "../forms.ts";
import { usualPrice } from "../kinds.ts";
import type { Way } from "./comparison-double.ts";
import type { ComparisonScene, Left } from "./comparison-scene.ts";

/** Which try of which task, both from 1. */
export interface At {
  readonly task: number;
  readonly try: number;
}

/** Each side took what its models said that it took, and its answer is what one of them wrote. */
export function sideFaults(scene: ComparisonScene, { one, divided }: ComparedTry, at: At): string[] {
  const name = `try ${at.try} of task ${at.task}`;
  const callsOf = (way: Way): readonly Left[] => scene.calls.filter((call) => call.way === way && call.during?.task === at.task && call.during.try === at.try);
  const [alone, parts] = [callsOf("one"), callsOf("divided")];
  const faults = [
    ...spendFaults(`the one call of ${name}`, one, alone, scene),
    ...spendFaults(`the divided side of ${name}`, divided, parts, scene),
    ...[one, divided].flatMap((side) => statusFaults(name, side)),
  ];
  if (one.text === "" && divided.text === "") faults.push(`${name} has no answer either way`);
  if (one.text !== "" && !alone.some(({ isWhole, reply }) => isWhole && reply.text?.trim() === one.text.trim()))
    faults.push(`the one call of ${name} is not what its model wrote`);
  if (one.calls > 1 + mostRepairs) faults.push(`the one call of ${name} took ${one.calls}`);
  const n = numberIn(divided.text);
  if (n !== 0 && !parts.some((call) => call.n === n && call.isWhole))
    faults.push(`the divided answer of ${name} rests on call ${n}, which was for something else`);
  return faults;
}

function statusFaults(name: string, { status, error, text, durationMs }: ComparedSide): string[] {
  const faults = (status === "ok") === (error === undefined) ? [] : [`a side of ${name} is ${status}, with the error ${error?.code}`];
  if (status === "ok" && text === "") faults.push(`a side of ${name} is ok, and has no answer`);
  if (status === "aborted") faults.push(`a side of ${name} was stopped, and counts`);
  return durationMs >= 0 ? faults : [...faults, `a side of ${name} took less than no time`];
}

/** What judging used is what its models said, over all tries, those that do not count as well. */
export function judgingSpendFaults(scene: ComparisonScene, judging: Spend): string[] {
  return spendFaults(
    "judging",
    judging,
    scene.calls.filter(({ way }) => way === "judging"),
    scene,
  );
}

function spendFaults(name: string, { calls, tokens, cost }: Spend, left: readonly Left[], { schedule, stoppedAt }: ComparisonScene): string[] {
  const faults: string[] = [];
  const questions = new Set(left.map(({ question }) => question)).size;
  if (calls < questions || calls > left.length) faults.push(`${name} says ${calls} calls; ${questions} questions were asked, ${left.length} times`);
  const said = left.reduce((sum, call) => sum + tokensOf(call), 0);
  // Who was stopped before it was sent back is taken to have used something.
  const isHeard = ({ at, reply: { firstMs = 0 } }: Left): boolean => stoppedAt === undefined || at + firstMs < stoppedAt;
  const isExact = left.every((call) => (isThrottled(call) && isHeard(call)) || reportedOf(call) !== undefined);
  if (isExact ? tokens !== said : tokens < said) faults.push(`${name} says ${tokens} tokens; its models said ${said}`);
  const isPriced = usualPrice(schedule.run).price !== undefined;
  if (said > 0 && isPriced !== (cost !== undefined)) faults.push(`${name} says that it cost ${cost}, and its price is ${isPriced ? "known" : "not known"}`);
  if (!isExact || cost === undefined || schedule.run.kinds !== "none") return faults;
  const paid = left.reduce((sum, call) => sum + dollarsOf(call, schedule.run.isPriced), 0);
  return Math.abs(cost - paid) < 1e-9 ? faults : [...faults, `${name} says that it cost ${cost}; by its prices it is ${paid}`];
}

/** What was bounded holds for all that its models used, unless one of them goes beyond its cap. */
export function purseFaults({ schedule, calls, startedAt }: ComparisonScene): string[] {
  const { budget, allowance, run } = schedule;
  const { isPriced } = run;
  const faults: string[] = [];
  // Who names no budget is bounded by the allowance: in dollars where prices are known.
  const allowed = allowance && (isPriced ? { usd: allowance.usd } : { tokens: allowance.tokens });
  const { usd, tokens, calls: most, seconds }: Budget = budget ?? allowed ?? {};
  const beyond = calls.reduce((sum, call) => sum + Math.max(0, (reportedOf(call)?.outputTokens ?? 0) - call.maxOutputTokens), 0);
  const used = calls.reduce((sum, call) => sum + tokensOf(call), 0);
  if (tokens !== undefined && used > tokens + beyond)
    faults.push(`its models used ${used} tokens, ${beyond} of them beyond their caps, and it may use ${tokens}`);
  const paid = calls.reduce((sum, call) => sum + dollarsOf(call, isPriced, run.kinds !== "none" && call.role === "worker"), 0);
  const mostUsd = (usd ?? 0) + (beyond * dearest) / 1e6;
  if (usd !== undefined && paid > mostUsd + 1e-6) faults.push(`its models cost ${paid} USD, and it may use ${mostUsd}`);
  const left = calls.filter((call) => !isThrottled(call) && !isOverloaded(call)).length;
  if (most !== undefined && left > most) faults.push(`${left} calls left, and it may use ${most}`);
  for (const { n, way, role, at } of calls) {
    // An answer that is due may be written when the time is over.
    if (seconds === undefined || (way === "divided" && role === "synthesizer")) continue;
    if (at - startedAt > seconds * 1_000 + roundedMs) faults.push(`call ${n} left after ${at - startedAt} ms, and it may take ${seconds} s`);
  }
  return faults;
}

/** Of times that are whole milliseconds, for each of some runs. */
const roundedMs = 20;
/** Of all prices, for a million tokens of output; and the least, where it is not known here whose it is. */
const dearest = 35;
const least = { input: 1, output: 4 };

interface Reported {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheWriteTokens?: number | undefined;
}

/** What a model said that it used, of a reply that came to its end; nothing where nobody outside knows. */
function reportedOf({ isWhole, reply: { usage } }: Left): Reported | undefined {
  return isWhole && typeof usage === "object" ? usage : undefined;
}

function tokensOf(call: Left): number {
  const { inputTokens = 0, outputTokens = 0 } = reportedOf(call) ?? {};
  return inputTokens + outputTokens;
}

function dollarsOf(call: Left, isPriced: boolean, atLeast = false): number {
  const price = atLeast ? least : { input: 3, output: 15, cacheWrite: 3.75 };
  const { inputTokens = 0, outputTokens = 0, cacheWriteTokens = 0 } = reportedOf(call) ?? {};
  const { input, output, cacheWrite = input } = { cacheWrite: undefined, ...price };
  return isPriced ? ((inputTokens - cacheWriteTokens) * input + cacheWriteTokens * cacheWrite + outputTokens * output) / 1e6 : 0;
}

/** It goes back to the queue, and is no call. */
function isThrottled({ reply: { fault } }: Left): boolean {
  return fault?.kind === "status" && [429, 503, 529].includes(fault.status);
}

/** So it does where a provider says only in its stream, before anything else, that it has too much to do. */
function isOverloaded({ reply: { fault, text } }: Left): boolean {
  return fault?.kind === "error-event" && (fault.afterChunks === 0 || text === "");
}
