import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import type { OrchestratorOptions } from "../options.ts";
import { type ScriptedModel, scriptedModel } from "../testing/scripted-model.ts";
import type { ScriptRule } from "../testing/script.ts";

/** A plan of two parts, the second after the first where that is wanted. */
export function planOf(combine: "keep" | "merge", after = ""): string {
  return `<analysis>Facts and a story.</analysis><tasks combine="${combine}"><task id="facts"><type>facts</type><description>List the facts.</description></task><task id="story"${after}><type>story</type><description>Tell the story.</description></task></tasks>`;
}

export interface Replies {
  readonly plan?: ScriptRule["reply"];
  readonly facts?: ScriptRule["reply"];
  readonly story?: ScriptRule["reply"];
  readonly answer?: ScriptRule["reply"];
}

/** An orchestrator over a model that plans two parts and carries them out. */
export function anOrchestrator(replies: Replies = {}, options: OrchestratorOptions = {}): { divvy: FlexibleOrchestrator; model: ScriptedModel } {
  const { plan = planOf("keep"), facts = "It is blue.", story = "Once it was red.", answer = "Red, then blue." } = replies;
  const worker = (description: string, reply: ScriptRule["reply"]): ScriptRule => ({
    when: (call) => call.system.startsWith("You carry out one subtask") && call.prompt.includes(description),
    reply,
  });
  const script = [
    { when: "You are the orchestrator", reply: plan },
    worker("List the facts.", facts),
    worker("Tell the story.", story),
    { when: "Several workers each", reply: answer },
  ];
  const model = scriptedModel(script, { vary: false });
  return { model, divvy: new FlexibleOrchestrator({ model, retry: { backoffMs: 1 }, ...options }) };
}
