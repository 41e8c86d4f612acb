import type { Fault } from "./fault.ts";
import { pick, seededRandom, seedFor } from "./random.ts";
import { type Script, scriptFunction, type ReplyFunction } from "./script.ts";

export interface FaultInjection {
  readonly seed: number;
  /** Share of calls that go wrong, 0 to 1. */
  readonly share: number;
  /** One of these is taken, each as likely as the others. */
  readonly faults: readonly Fault[];
}

/**
 * The script with faults strewn in. Whether and how a call goes wrong follows from the seed, its question and how often
 * that was asked, never from the order in which calls arrive; so that it repeats itself under concurrency. Replies that
 * have a fault of their own keep it.
 */
export function injectFaults(script: Script, { seed, share, faults }: FaultInjection): ReplyFunction {
  const replyTo = scriptFunction(script);
  return async (call) => {
    const reply = await replyTo(call);
    const random = seededRandom(seedFor(seed, `${call.asked}:${call.modelId}:${call.json}:${call.system}:${call.prompt}`));
    if (random() >= share) return reply;
    const fault = pick(random, faults);
    return typeof reply === "string" ? { text: reply, fault } : { ...reply, fault: reply.fault ?? fault };
  };
}
