import type { Fact } from "../../src/events.ts";
import { keyOf } from "../../src/names.ts";
import { refName } from "../../src/role.ts";
import type { AnnouncedAttempts } from "./announced.ts";
import { priceIn } from "./kinds.ts";
import type { Scene } from "./scene.ts";
import type { Schedule } from "./schedule.ts";
import type { Kept } from "./store.ts";

type Started = Fact & { readonly type: "attempt.started" };
type Settled = Fact & { readonly type: "attempt.settled" };

/** What a run's log books: each attempt at what it used, at its role's price; and all of it together, over all lives. */
export function bookingFaults(kept: readonly Kept[], schedule: Schedule): string[] {
  const faults: string[] = [];
  const types = new Map<string, string>();
  const open = new Map<string, { readonly started: Started; readonly pid: number }>();
  let sum = { total: 0, presumed: 0, estimated: 0 };
  let cost: number | undefined = 0;
  for (const { fact, pid } of kept) {
    switch (fact.type) {
      case "subtask.planned":
        types.set(keyOf(fact.subtask.id), keyOf(fact.subtask.type));
        break;
      case "attempt.started":
        open.set(refName(fact), { started: fact, pid });
        break;
      case "attempt.settled": {
        const left = open.get(refName(fact));
        open.delete(refName(fact));
        if (left !== undefined && left.pid !== pid) faults.push(...presumedFaults(left.started, fact));
        const wanted = costOf(fact, schedule, types.get(keyOf(fact.subtaskId ?? "")), left !== undefined && left.pid !== pid);
        if (!isNear(wanted, fact.cost)) faults.push(`attempt ${fact.attempt} of ${refName(fact)} is booked at ${fact.cost} USD, by its price it is ${wanted}`);
        const { totalTokens = 0, presumedTokens, estimatedTokens } = fact.usage;
        sum = { total: sum.total + totalTokens, presumed: sum.presumed + presumedTokens, estimated: sum.estimated + estimatedTokens };
        cost = cost === undefined || fact.cost === undefined ? undefined : cost + fact.cost;
        break;
      }
      case "run.finished": {
        const { totalTokens, presumedTokens, estimatedTokens } = fact.outcome.usage;
        const said = [totalTokens, presumedTokens, estimatedTokens].join(" ");
        const booked = [sum.total, sum.presumed, sum.estimated].join(" ");
        if (said !== booked) faults.push(`it says that it used ${said}, its attempts are booked at ${booked}`);
        if (!isNear(fact.outcome.cost, cost)) faults.push(`it says that it cost ${fact.outcome.cost}, its attempts are booked at ${cost}`);
        break;
      }
      default:
    }
  }
  return faults;
}

/** Of an attempt whose process is gone: all that it might have used. */
function presumedFaults({ attempt, reserved }: Started, settled: Settled): string[] {
  const { inputTokens, outputTokens, totalTokens, presumedTokens, estimatedTokens } = settled.usage;
  const booked = [inputTokens, outputTokens, totalTokens, presumedTokens, estimatedTokens].join(" ");
  const all = reserved.inputTokens + reserved.outputTokens;
  const wanted = [reserved.inputTokens, reserved.outputTokens, all, all, 0].join(" ");
  return booked === wanted ? [] : [`attempt ${attempt} of ${refName(settled)}, whose process is gone, is booked at ${booked}, reserved was ${wanted}`];
}

/** What a model said that it used is what is booked of a reply that came whole. */
export function reportedFaults({ replies, store }: Scene, { booked }: AnnouncedAttempts): string[] {
  return booked.flatMap(({ n, usage }) => {
    const reply = replies.get(n);
    // What several waited for may have been handed from one run to another, and is booked there.
    if (reply === undefined || !store.answers.has(n) || usage.totalTokens === 0) return [];
    if (reply.usage === "missing") return usage.estimatedTokens === usage.totalTokens ? [] : [`call ${n} reported nothing, and is not booked as estimated`];
    const [said, is] = [`${reply.usage?.inputTokens} ${reply.usage?.outputTokens}`, `${usage.inputTokens} ${usage.outputTokens}`];
    return said === is ? [] : [`call ${n} is booked at ${is}, its model said ${said}`];
  });
}

/** Of an attempt whose process is gone: what it might have cost. */
function costOf({ role, usage }: Settled, schedule: Schedule, type: string | undefined, isGone: boolean): number | undefined {
  const price = priceIn(schedule, role, type);
  if (usage.totalTokens === 0) return 0;
  if (price === undefined) return undefined;
  const { input, output, cacheWrite = input } = price;
  const { inputTokens = 0, outputTokens = 0, inputTokenDetails } = usage;
  const written = isGone && cacheWrite > input ? inputTokens : (inputTokenDetails.cacheWriteTokens ?? 0);
  return ((inputTokens - written) * input + written * cacheWrite + outputTokens * output) / 1e6;
}

function isNear(a: number | undefined, b: number | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Math.abs(a - b) < 1e-9;
}
