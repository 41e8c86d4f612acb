import type { ApprovePlan, Fact, Ledger, Outcome, PlanDecision, PlanInput, Run } from "../index.ts";
import type { ScriptedModel } from "../testing/index.ts";
import { life } from "../../test/lives.ts";

/** Who is asked for approval, and runs that ask, for tests. */

/** Answers one after the other; the last one again and again. */
export function approver(...answers: readonly (PlanDecision | "accept" | Error)[]): ApprovePlan & { readonly asked: Parameters<ApprovePlan>[] } {
  const asked: Parameters<ApprovePlan>[] = [];
  const approve: ApprovePlan = async (plan, estimate, run) => {
    const answer = answers[Math.min(asked.push([plan, estimate, run]), answers.length) - 1];
    if (answer instanceof Error) throw answer;
    return answer === undefined || answer === "accept" ? plan : answer;
  };
  return Object.assign(approve, { asked });
}

/** Waits until it is answered, however long that takes. */
export function waiter(): {
  readonly approve: ApprovePlan;
  readonly isAsked: Promise<Parameters<ApprovePlan>[0]>;
  readonly answer: (decision: PlanDecision) => void;
} {
  const asked = Promise.withResolvers<Parameters<ApprovePlan>[0]>();
  const { promise, resolve } = Promise.withResolvers<PlanDecision>();
  return {
    isAsked: asked.promise,
    answer: resolve,
    approve: async (plan) => {
      asked.resolve(plan);
      return await promise;
    },
  };
}

export const factsOf = async (run: Run): Promise<Fact[]> =>
  (await Array.fromAsync(run.events)).filter((event): event is Fact => !event.type.endsWith(".delta"));
export const typesOf = (facts: readonly Fact[]): string[] => facts.map(({ type }) => type);
export const isPlanner = ({ system }: { readonly system: string }): boolean => system.includes("You are the orchestrator");
export const isWorker = ({ system }: { readonly system: string }): boolean => system.includes("You carry out one subtask");
export const edited: PlanInput = {
  combine: "keep",
  subtasks: [
    { id: "facts", type: "facts", description: "List two facts." },
    { id: "new", description: "Write a new one." },
  ],
};

/** A run that was carried out to its end. */
export async function startOn(
  ledger: Ledger,
  approvePlan: ApprovePlan,
): Promise<{ readonly run: Run; readonly model: ScriptedModel; readonly outcome: Outcome }> {
  const { orchestrator, model } = life(ledger, [], { approvePlan });
  const run = orchestrator.start("t");
  return { run, model, outcome: await run.outcome };
}
