import { formless } from "./forms.ts";
import type { Left } from "./scene.ts";
import type { SimProcess } from "./sim-process.ts";
import type { Schedule } from "./schedule.ts";
import type { Store } from "./store.ts";

/**
 * No call whose answer was kept is paid again, whether the second try came to anything or not.
 *
 * @param unknowing processes that were taken for dead: they send until they hear of it
 */
export function callFaults(
  { shared, formed, answerFormed, samples: most }: Schedule,
  { logs, paid, paidAgain }: Store,
  left: readonly Left[],
  unknowing: readonly SimProcess[],
): string[] {
  const byNumber = new Map(left.map((one) => [one.n, one]));
  const isExcused = (n: number): boolean => unknowing.some(({ pid }) => pid === byNumber.get(n)?.pid);
  const faults = paidAgain
    .filter(({ n }) => !isExcused(n))
    .map(({ n, kept }) => `call ${n} was made, though the answer to it was kept as that of call ${kept}`);
  /** Of each question, how many calls had left when its answers were written. */
  const keptBefore = new Map<string, number[]>();
  for (const { n, begunBefore, isLate, text } of paid.values()) {
    const asker = byNumber.get(n);
    // Of a choice of what is no result, of what is no verdict, and of what does not have its form, another is wanted.
    if (asker === undefined || isLate || text.includes("none of them") || text.startsWith("No verdict")) continue;
    const isFormed = (asker.role === "worker" && formed) || (asker.role === "synthesizer" && answerFormed);
    if (isFormed && (text.includes(formless) || text.startsWith("As far as it goes"))) continue;
    const name = sought(asker, shared);
    keptBefore.set(name, [...(keptBefore.get(name) ?? []), begunBefore]);
  }
  for (const one of left) {
    const { n, role, description } = one;
    if (isExcused(n)) continue;
    const kept = (keptBefore.get(sought(one, shared)) ?? []).filter((begunBefore) => n > begunBefore).length;
    if (kept >= (role === "worker" ? triesOf(one, logs, shared, most) : 1)) faults.push(`call ${n} (${role} ${description}) left, though its answer was kept`);
  }
  return faults;
}

/** What is asked for, and which time where one may ask in the same words again; of the synthesizer whatever words its run was divided in. */
function sought({ role, question, announced }: Left, shared: boolean): string {
  const asked = role === "synthesizer" && !shared ? question.replace(/analysis: .*?\\n/, "") : question;
  return JSON.stringify([shared ? "" : announced?.runId, announced?.round, asked]);
}

/** A subtask and its exact copies are asked for once each, or for as many tries as there are; and anew where a reply had not its form. */
function triesOf({ description, announced }: Left, logs: Store["logs"], shared: boolean, most: number): number {
  const samples = new Set<number>();
  let anew = 0;
  for (const [runId, log] of logs) {
    if (!shared && runId !== announced?.runId) continue;
    const ids = new Set<string>();
    for (const { fact } of log) {
      if (fact.type === "subtask.planned" && fact.subtask.description === description) {
        samples.add(fact.sample);
        ids.add(fact.subtask.id);
      }
      if (fact.type === "subtask.failed" && fact.error.code === "output_invalid" && ids.has(fact.subtaskId)) anew++;
    }
  }
  return Math.max(1, samples.size) * most + anew;
}
