import type { Estimate, Spend } from "../../estimate.ts";
import { costAtMost, presumedUsage, type PriceOf } from "../../usage.ts";
import type { RunSetup } from "../run-setup.ts";
import { type Ahead, callsAhead } from "./calls-ahead.ts";
import { expected, usualSubtasks, worst } from "./guess.ts";
import { reductionRooms } from "./reductions.ts";
import { sizesOf } from "./sizes.ts";
import type { CallAhead } from "./work-ahead.ts";

/** What the rest of a run may use. */
export async function estimateAhead(setup: RunSetup, ahead: Ahead): Promise<Estimate> {
  const sizes = sizesOf(setup);
  const known = ahead.subtasks.length + ahead.done.length;
  const { maxSubtasks, maxWorkers } = setup.options;
  const room = ahead.plan ? Math.max(0, maxSubtasks - known) : 0;
  const later = Math.max(0, Math.min(ahead.looks * maxSubtasks, maxWorkers - known - room));
  const rooms = await reductionRooms(setup, "");
  const usualMore = Math.min(room, Math.max(0, usualSubtasks - known));
  const usually = callsAhead(setup, sizes, ahead, rooms, expected(usualMore, ahead.looks));
  const atWorst = callsAhead(setup, sizes, ahead, rooms, worst(room + later, ahead.looks));
  return { expected: await spendOf(setup, usually, (priceOf, sizes) => priceOf(presumedUsage(sizes))), worst: await spendOf(setup, atWorst, costAtMost) };
}

async function spendOf(
  { costs }: RunSetup,
  calls: readonly CallAhead[],
  costOf: (priceOf: PriceOf, tokens: { readonly inputTokens: number; readonly outputTokens: number }) => number | undefined,
): Promise<Spend> {
  let tokens = 0;
  let cost: number | undefined = 0;
  for (const { role, ...sizes } of calls) {
    const whole = { inputTokens: Math.ceil(sizes.inputTokens), outputTokens: Math.ceil(sizes.outputTokens) };
    tokens += whole.inputTokens + whole.outputTokens;
    const priceOf = await costs.priceOf(role).catch(() => () => undefined);
    const own = costOf(priceOf, whole);
    cost = cost === undefined || own === undefined ? undefined : cost + own;
  }
  return { calls: calls.length, tokens, ...(cost !== undefined && { cost }) };
}
