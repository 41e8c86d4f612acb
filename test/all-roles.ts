import type { RunEvent } from "../src/events.ts";
import { FlexibleOrchestrator } from "../src/flexible-orchestrator.ts";
import type { OrchestratorOptions } from "../src/options.ts";
import type { Run } from "../src/orchestrator/run-handle.ts";
import type { Outcome } from "../src/outcome.ts";
import { type DoubleCall, type DoubleReply, scriptedModel } from "../src/testing/index.ts";
import { verdictBy } from "./preferring.ts";

/** One scripted model in all roles, and what tests read of a run. */

export const twoTasks = `<analysis>Facts sell to some, stories to others.</analysis>
<tasks combine="keep">
<task id="facts"><type>technical-facts</type><description>List the facts.</description></task>
<task id="story"><type>story</type><description>Tell the story.</description></task>
</tasks>`;

export interface Answers {
  readonly plan: DoubleReply | ((call: DoubleCall) => DoubleReply);
  readonly worker?: (call: DoubleCall) => DoubleReply;
  readonly synthesizer?: (call: DoubleCall) => DoubleReply;
  readonly evaluator?: (call: DoubleCall) => DoubleReply;
  readonly comparison?: (call: DoubleCall) => DoubleReply;
  readonly reducer?: (call: DoubleCall) => DoubleReply;
}

/** A model that plays all roles, told apart by the default prompts' system texts. */
export function allRoles({ plan, worker, synthesizer, evaluator, comparison, reducer }: Answers): ReturnType<typeof scriptedModel> {
  return scriptedModel([
    { when: "You are the orchestrator", reply: plan },
    { when: "You carry out one subtask", reply: worker ?? ((call) => `result of: ${descriptionIn(call)}`) },
    { when: "Several workers each", reply: synthesizer ?? "the joined answer" },
    { when: "You judge one piece of work", reply: evaluator ?? verdict(10) },
    { when: "You compare two texts", reply: comparison ?? ((call) => verdictBy(call, () => 0)) },
    { when: "You shorten texts", reply: reducer ?? "the short of it" },
  ]);
}

/** What an evaluator says, with a score from 0 to 10. */
export function verdict(score: number, reasons: string = `worth ${score}`): string {
  return JSON.stringify({ reasons, score });
}

function descriptionIn({ prompt }: DoubleCall): string {
  return /Your subtask \([^)]*\):\n(.*)/.exec(prompt)?.[1] ?? "";
}

export function orchestrator(answers: Answers, options: OrchestratorOptions = {}): FlexibleOrchestrator {
  return new FlexibleOrchestrator({ model: allRoles(answers), retry: { backoffMs: 0 }, ...options });
}

export async function eventsOf(run: Run): Promise<RunEvent[]> {
  return await Array.fromAsync(run.events);
}

export async function textOf(run: Run): Promise<string> {
  return (await Array.fromAsync(run.textStream)).join("");
}

export function results(outcome: Outcome): (string | undefined)[] {
  return outcome.results.map((result) => (result.status === "done" ? result.result : undefined));
}

export const statuses = (outcome: Outcome): string[] => outcome.results.map(({ id, status }) => `${id} ${status}`);
