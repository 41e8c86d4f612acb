import { DivvyError, toDivvyError } from "../../errors.ts";
import type { RunRequest } from "../../events.ts";
import type { Outcome } from "../../outcome.ts";
import type { PlanHit } from "../../plan-hit.ts";
import { unlessAborted } from "../../unless-aborted.ts";
import type { KeptPlans } from "./kept-plans.ts";
import type { RunSetup } from "../run-setup.ts";

/** What came of looking for a plan. */
export interface PlanLookup {
  /** With the plan that was found, if one was, as if it had been handed in. */
  readonly setup: RunSetup;
  /** Keeps the plan of a run that has ended, where it is worth it. Says whether something was noticed on the way. Never rejects. */
  readonly keep: (outcome: Outcome) => Promise<boolean>;
}

/**
 * Looks for the plan of an earlier run whose request was like this one. Only for a run that is new and was handed no plan: a run that
 * goes on has its plan in its log, or asks for the rest of it. Never rejects; where anything fails the orchestrator is asked.
 */
export async function lookUpPlan(setup: RunSetup): Promise<PlanLookup> {
  const { keptPlans, start, run, signal } = setup;
  if (keptPlans === undefined || start.plan !== undefined || start.past !== undefined) return { setup, keep: nothing };
  let vector: Float32Array | undefined;
  try {
    const asked = await keptPlans.embed(textOf(setup.request));
    vector = asked;
    const near = nearest(await keptPlans.list(), asked);
    const similarity = near[0]?.similarity;
    run.emit({
      type: "plan.looked_up",
      model: keptPlans.model,
      plans: near.length,
      ...(similarity !== undefined && { similarity }),
    });
    const hit = await hitAmong(near, keptPlans, setup.options.maxWorkers);
    if (hit !== undefined && (await isAccepted(hit, keptPlans, signal))) {
      run.emit({ type: "plan.reused", task: hit.task, similarity: hit.similarity, fromRunId: hit.runId });
      // It is the other run's, and stays so: what is like this request need not be like that one.
      return { setup: { ...setup, start: { ...start, plan: hit.plan } }, keep: nothing };
    }
  } catch (thrown) {
    if (!signal.aborted) notice(setup, "The kept plans could not be looked through, and the orchestrator is asked", thrown);
  }
  return { setup, keep: async (outcome) => vector !== undefined && (await keepPlan(setup, keptPlans, vector, outcome)) };
}

const nothing = (): Promise<boolean> => Promise.resolve(false);

/** Of requests whose context says otherwise the plans differ, so that it counts as the task does. */
function textOf({ task, context }: RunRequest): string {
  const told = typeof context === "string" ? context : JSON.stringify(context);
  return told === "" || told === "{}" ? task : `${task}\n\n${told}`;
}

interface Near {
  readonly runId: string;
  readonly similarity: number;
}

/** The most alike first. */
function nearest(plans: Awaited<ReturnType<KeptPlans["list"]>>, vector: Float32Array): readonly Near[] {
  const alike = plans.flatMap((plan) => (plan.vector.length === vector.length ? { runId: plan.runId, similarity: cosine(plan.vector, vector) } : []));
  return alike.sort((a, b) => b.similarity - a.similarity);
}

/** From 0 to 1: what points away is as little alike as what has nothing in common. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [product, lengthA, lengthB] = [0, 0, 0];
  for (const [index, x] of a.entries()) {
    const y = b[index] ?? 0;
    product += x * y;
    lengthA += x * x;
    lengthB += y * y;
  }
  const lengths = Math.sqrt(lengthA) * Math.sqrt(lengthB);
  // The same vector is alike to the last digit.
  return lengths === 0 ? 0 : Math.min(1, Math.max(0, Number((product / lengths).toFixed(6))));
}

/** Runs that are looked at: of those that a process left before it said how they ended, there are few. */
const mostRead = 5;

async function hitAmong(near: readonly Near[], { threshold, read }: KeptPlans, maxWorkers: number): Promise<PlanHit | undefined> {
  for (const { runId, similarity } of near.filter((one) => one.similarity >= threshold).slice(0, mostRead)) {
    const found = await read(runId);
    // Further rounds may have made it larger than a run may be here.
    if (found !== undefined && found.plan.subtasks.length <= maxWorkers) return { ...found.request, runId, similarity, plan: found.plan };
  }
  return undefined;
}

async function isAccepted(hit: PlanHit, { accept }: KeptPlans, signal: AbortSignal): Promise<boolean> {
  if (accept === undefined) return true;
  const answer: unknown = await unlessAborted(
    (async () => {
      try {
        // A copy: it is asked, and edits nothing.
        return await accept(structuredClone(hit));
      } catch (thrown) {
        throw new DivvyError("internal", `\`planCache.accept\` threw: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown });
      }
    })(),
    signal,
  );
  return answer === true;
}

/** A plan that an orchestrator wrote, and that has proved its worth. A direct answer is no plan for another task. */
async function keepPlan(setup: RunSetup, { keep }: KeptPlans, vector: Float32Array, outcome: Outcome): Promise<boolean> {
  if (outcome.status !== "ok" || outcome.plan?.kind !== "subtasks") return false;
  try {
    await keep(vector);
    return false;
  } catch (thrown) {
    notice(setup, "This run's plan could not be kept for others", thrown);
    return true;
  }
}

function notice({ run }: RunSetup, what: string, thrown: unknown): void {
  run.emit({ type: "run.noticed", notice: { code: "plan_cache_failed", message: `${what}: ${toDivvyError(thrown).message}` } });
}
