import { formatPlan } from "../../src/plan/format-plan.ts";
import { marked } from "../../src/plan/prompts/plan-mark.ts";
import type { Combine, Plan, Subtask } from "../../src/subtask.ts";
import type { DoubleFinish } from "../../src/testing/script.ts";
import type { Chance } from "./chance.ts";
import type { Schedule } from "./schedule.ts";

/** What the orchestrator is asked. */
export interface PlanQuestion {
  /** Number of the call; stands in all that is answered to it. */
  readonly n: number;
  readonly format: "xml" | "json";
  /** What stands of a plan that broke off, where its rest is wanted. */
  readonly standing: readonly Subtask[] | undefined;
  /** What came of the rounds before, where a further one is wanted. */
  readonly seen: readonly SeenBefore[] | undefined;
  /** What it is asked to write into its plan. */
  readonly mark: string | undefined;
}

export interface SeenBefore {
  readonly subtask: Subtask;
  readonly isLost: boolean;
}

export interface Written {
  readonly text: string;
  readonly finish: DoubleFinish;
}

const words = ["facts", "story", "check", "draft", "outlook"] as const;

/** What an orchestrator writes: a plan as a rule, never twice the same one. */
export function writtenPlan(question: PlanQuestion, schedule: Schedule, odd: number, draw: Chance): Written {
  const { n, standing, seen, mark } = question;
  const { happens, of, whole } = draw;
  const plan =
    standing !== undefined ? rest(n, standing, schedule, draw) : seen !== undefined ? furtherRound(n, seen, schedule, draw) : newPlan(n, schedule, draw);
  const other = question.format === "xml" ? "json" : "xml";
  const format = happens(odd / 4) ? other : question.format;
  const text = marked(formatPlan(plan, format), format, mark);
  if (!happens(odd)) return { text: text, finish: "stop" };
  switch (of(["cut", "cut", "cut", "broken off", "prose", "empty"] as const)) {
    case "cut":
      return { text: text.slice(0, whole(1, text.length - 1)), finish: "length" };
    case "broken off":
      return { text: text.slice(0, whole(1, text.length - 1)), finish: "stop" };
    case "prose":
      return { text: `I would rather not say (#${n}#).`, finish: "stop" };
    case "empty":
      return { text: "", finish: "stop" };
  }
}

/** A plan that is handed in: as an orchestrator would write it, but with nothing unknown in it. */
export function givenPlan(schedule: Schedule, draw: Chance): Plan {
  return newPlan(0, { ...schedule, unknown: 0 }, draw);
}

function newPlan(n: number, schedule: Schedule, draw: Chance): Plan {
  const { happens, whole } = draw;
  if (schedule.direct === "auto" && happens(schedule.answers))
    return { kind: "direct", analysis: "", answer: `The answer #${n}# to it all, in one go. `.repeat(whole(1, 5)) };
  const count = Math.max(1, schedule.subtasks + whole(-2, 2));
  const subtasks: Subtask[] = [];
  for (let i = 0; i < count; i++) subtasks.push(subtask(n, i, subtasks, draw));
  const changed = subtasks.map((one, i): Subtask => {
    const next = subtasks[i + 1]?.id;
    // Waits for the one after it, which may wait for this one.
    if (next !== undefined && happens(schedule.cycles / 4)) return { ...one, dependsOn: [...one.dependsOn, next] };
    if (happens(schedule.unknown / 4)) return { ...one, dependsOn: [...one.dependsOn, "nobody"] };
    return one;
  });
  for (const one of changed.slice(0, 3)) if (happens(schedule.copies)) changed.push({ ...one, id: `${one.id}-again` });
  return { kind: "subtasks", analysis: `Divided #${n}#.`, combine: combineFrom(schedule, draw), subtasks: changed };
}

/** Some more, and now and then what stands already: under the same id, or as one more try of it. */
function rest(n: number, standing: readonly Subtask[], schedule: Schedule, draw: Chance): Plan {
  const { whole, happens, of } = draw;
  const more = Array.from({ length: whole(0, 3) }, (_, i): Subtask => {
    const one = subtask(n, i, [], draw);
    return standing.length > 0 && happens(0.4) ? { ...one, dependsOn: [of(standing).id] } : one;
  });
  const again = standing.slice(0, 2).filter(() => happens(0.2));
  const copies = standing.slice(0, 2).flatMap((one, i) => (happens(schedule.copies / 2) ? [{ ...one, id: `copy${n}-${i}` }] : []));
  return { kind: "subtasks", analysis: "", combine: combineFrom(schedule, draw), subtasks: [...again, ...copies, ...more] };
}

/** Nothing more; or something new, what was lost another time, and what was asked for before. */
function furtherRound(n: number, seen: readonly SeenBefore[], schedule: Schedule, draw: Chance): Plan {
  const { whole, happens, of } = draw;
  const subtasks: Subtask[] = [];
  if (happens(0.7)) {
    for (let i = 0; i < whole(0, 3); i++) {
      const one = subtask(n, i, subtasks, draw);
      subtasks.push(seen.length > 0 && happens(0.4) ? { ...one, dependsOn: [of(seen).subtask.id] } : one);
    }
    const lost = seen.filter(({ isLost }) => isLost && happens(0.6));
    for (const [i, { subtask: before }] of lost.entries())
      subtasks.push({ ...subtask(n, subtasks.length + i, [], draw), id: happens(0.2) ? before.id.toUpperCase() : before.id });
    for (const { subtask: before } of seen.filter(() => happens(0.1))) subtasks.push(before);
  }
  return { kind: "subtasks", analysis: `More of it #${n}#.`, combine: combineFrom(schedule, draw), subtasks };
}

function subtask(n: number, i: number, before: readonly Subtask[], { happens, of, whole }: Chance): Subtask {
  const needed = before.length > 0 && happens(0.35) ? Array.from({ length: whole(1, 2) }, () => of(before).id) : [];
  return { id: `t${n}-${i}`, type: of(words), description: `Do part ${n}/${i}.`, dependsOn: [...new Set(needed)] };
}

function combineFrom({ planCombine }: Schedule, { of }: Chance): Combine {
  return planCombine === "any" ? of(["merge", "keep", "choose"]) : planCombine;
}
