import type { Asked } from "./double.ts";
import type { SimProcess } from "./sim-process.ts";
import type { Schedule } from "./schedule.ts";
import type { Store } from "./store.ts";

/**
 * No call whose answer was kept is paid again, whether the second try came to anything or not.
 *
 * @param unknowing processes that were taken for dead: they send until they hear of it
 */
export function callFaults({ shared }: Schedule, { logs, paid, paidAgain }: Store, asked: readonly Asked[], unknowing: readonly SimProcess[]): string[] {
  const byNumber = new Map(asked.map((one) => [one.n, one]));
  const isExcused = (n: number): boolean => unknowing.some(({ pid }) => pid === byNumber.get(n)?.pid);
  const faults = paidAgain
    .filter(({ n }) => !isExcused(n))
    .map(({ n, kept }) => `call ${n} was made, though the answer to it was kept as that of call ${kept}`);
  const keptBefore = new Map<string, number[]>();
  for (const { n, begunBefore, isLate, text } of paid.values()) {
    const asker = byNumber.get(n);
    // Of a choice of what is no result, another is wanted.
    if (asker === undefined || isLate || text.includes("none of them")) continue;
    keptBefore.set(sought(asker, shared), [...(keptBefore.get(sought(asker, shared)) ?? []), begunBefore]);
  }
  for (const one of asked) {
    const { n, role, description } = one;
    // A planner may ask in the same words for another answer: that is a call of its own.
    if (role === "orchestrator" || isExcused(n)) continue;
    const kept = (keptBefore.get(sought(one, shared)) ?? []).filter((begunBefore) => n > begunBefore).length;
    if (kept >= (role === "synthesizer" ? 1 : copiesOf(description, logs, shared)))
      faults.push(`call ${n} (${role} ${description}) left, though its answer was kept`);
  }
  return faults;
}

/** What is asked for, whatever words are put around it: of two runs that share answers, each may have been divided in its own words. */
function sought({ role, question }: Asked, shared: boolean): string {
  return role === "synthesizer" && !shared ? question.replace(/analysis: .*?\\n/, "") : question;
}

/** Exact copies of a subtask are asked for once each. */
function copiesOf(description: string, logs: Store["logs"], shared: boolean): number {
  const counts = [...logs.values()].map((log) => log.filter(({ fact }) => fact.type === "subtask.planned" && fact.subtask.description === description).length);
  return shared ? Math.max(0, ...counts) : counts.reduce((sum, count) => sum + count, 0);
}
