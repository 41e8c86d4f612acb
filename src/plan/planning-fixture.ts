import { anyRules, type FakeCalls, fakeCalls, notedRun } from "../../test/fake-calls.ts";
import type { EventBody } from "../events.ts";
import { PlanBuilder } from "./plan-builder.ts";
import { type Planner, type Planning, planRequest } from "./planner.ts";

export const task = (id: string, description = `do ${id}`): string => `<task id="${id}"><type>t</type><description>${description}</description></task>`;
export const plan = (...ids: string[]): string => `<analysis>why</analysis><tasks combine="merge">${ids.map((id) => task(id)).join("")}</tasks>`;

export interface Planned {
  readonly fake: FakeCalls;
  readonly events: readonly EventBody[];
  readonly builder: PlanBuilder;
  /** What reached the sink, in order: ids, `answer: text`, `restart`. */
  readonly seen: string[];
  readonly ending: Promise<Planning>;
}

/** Asks for a plan; these are the orchestrator's replies. */
export function planning(replies: Parameters<typeof fakeCalls>[0], more: Partial<Planner> & { canTakeBack?: boolean; maxSubtasks?: number } = {}): Planned {
  const fake = fakeCalls(replies);
  const { run, events } = notedRun();
  const builder = new PlanBuilder({ maxSubtasks: more.maxSubtasks ?? 20 });
  const seen: string[] = [];
  const ending = planRequest({
    calls: fake.calls,
    run,
    signal: new AbortController().signal,
    model: "m",
    settings: { maxOutputTokens: 100 },
    formatOptions: undefined,
    rules: { ...anyRules, allowEmpty: true },
    messages: [{ role: "user", content: [{ type: "text", text: "The request." }] }],
    format: "xml",
    direct: true,
    marks: {},
    sample: 0,
    completions: 2,
    builder,
    sink: {
      onCombine: () => undefined,
      onSubtask: ({ subtask }) => void seen.push(subtask.id),
      onAnswer: (delta) => void seen.push(`answer: ${delta}`),
      restartAnswer: () => void seen.push("restart"),
      mayRestartAnswer: () => more.canTakeBack ?? true,
    },
    ...more,
  });
  return { fake, events, builder, seen, ending };
}
