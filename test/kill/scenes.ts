import type { DoubleCall, ReplyOptions } from "../../src/testing/index.ts";
import { isComparison, verdictBy } from "../preferring.ts";

/** What is asked for in the runs that are killed, and what a provider says: never the same twice, since a model does not either. */

export type Asker = "plan" | "replan" | "look" | "worker" | "reduction" | "synthesis" | "judge";

/** A request that reached the provider. */
export interface Ask {
  /** Its number, over all processes. All text that is answered to it holds it as `#n#`. */
  readonly n: number;
  readonly role: Asker;
  /** What decides the answer. */
  readonly question: string;
  /** How often this was asked, from 1. */
  readonly asked: number;
  /** Of the worker's subtask. */
  readonly id: string;
  /** Which part of the task that is; -1 where it is none. */
  readonly part: number;
  /** It asks for what is missing of a plan. */
  readonly isRest: boolean;
  /** What is answered is an answer, not an error or half a plan. */
  readonly isAnswered: boolean;
}

export type Approver = "edits" | "rejects";

export interface Scene {
  readonly parts: number;
  /** What it may make, by its budget. @default as many as it likes */
  readonly calls?: number;
  /** How the plan says that results are combined; "direct" where there is no plan but an answer. */
  readonly combine: "merge" | "choose" | "direct";
  /** What a part builds on: another part, or a name that is nobody's. */
  readonly after?: (part: number) => number | string | undefined;
  /** Results and answer are judged: none is good enough at first, all are when they are written again. */
  readonly judged?: true;
  /** Results and answer have a form: none does at first, all do when they are asked for again. */
  readonly formed?: true;
  /** Each part has two tries, of which the later is the better. */
  readonly sampled?: true;
  /** Its plan needs approval: it is sent back and then edited, or it is rejected. */
  readonly approval?: Approver;
  /** Tokens of the synthesizer's window, which the results do not fit. */
  readonly contextTokens?: number;
  /** Parts that the first plan leaves to the second round. */
  readonly later?: number;
  /** A plan is looked for among those of earlier runs; there is none. */
  readonly looksUp?: true;
  /** What goes wrong. */
  readonly trouble?: (ask: Omit<Ask, "isAnswered">) => Pick<ReplyOptions, "fault"> | "cut" | undefined;
}

const status = (code: number, headers: Readonly<Record<string, string>> = {}): Pick<ReplyOptions, "fault"> => ({
  fault: { kind: "status", status: code, headers },
});
/** Every tenth builds on the one before. */
const everyTenth = (part: number): number | undefined => (part % 10 === 9 ? part - 1 : undefined);

/** What the analysis of a plan says that was written after a remark. */
export const anew = ", anew";

/** Subtasks of half a plan. */
const half = 3;

export type SceneName =
  | "whole"
  | "troubled"
  | "cut"
  | "broken"
  | "direct"
  | "judged"
  | "formed"
  | "sampled"
  | "approved"
  | "rejected"
  | "long"
  | "rounds"
  | "small"
  | "hundred";

export const scenes: Readonly<Record<SceneName, Scene>> = {
  whole: { parts: 12, calls: 14, combine: "merge", after: everyTenth },
  /** One is throttled and one fails, once; one fails for good, and one waits for it; one waits for nobody. */
  troubled: {
    parts: 8,
    combine: "merge",
    after: (part) => (part === 6 ? 5 : part === 7 ? "nobody" : undefined),
    trouble: ({ part, asked }) => {
      if (part === 5) return status(400);
      if (asked > 1) return undefined;
      return part === 1 ? status(429, { "retry-after-ms": "20" }) : part === 2 ? status(500) : undefined;
    },
  },
  /** The plan breaks off, and is completed. */
  cut: { parts: 6, combine: "choose", looksUp: true, trouble: ({ role, isRest }) => (role === "plan" && !isRest ? "cut" : undefined) },
  /** The plan breaks off for good, and nobody joins the results. */
  broken: {
    parts: 6,
    combine: "merge",
    trouble: ({ role, isRest }) => (role === "synthesis" || isRest ? status(400) : role === "plan" ? "cut" : undefined),
  },
  direct: { parts: 0, combine: "direct" },
  judged: { parts: 4, combine: "merge", judged: true },
  formed: { parts: 4, combine: "merge", formed: true },
  sampled: { parts: 3, combine: "merge", sampled: true },
  approved: { parts: 5, combine: "merge", approval: "edits" },
  rejected: { parts: 2, combine: "merge", approval: "rejects" },
  long: { parts: 6, combine: "merge", contextTokens: 8_000 },
  /** What the second round adds builds on the first. */
  rounds: { parts: 6, combine: "merge", later: 2, after: (part) => (part === 5 ? 1 : undefined) },
  /** The last builds on the one before. */
  small: { parts: 6, combine: "merge", after: (part) => (part === 5 ? 4 : undefined) },
  hundred: { parts: 100, combine: "merge", after: everyTenth },
};

export function askFrom({ n, asked, system, prompt }: DoubleCall): Omit<Ask, "isAnswered"> {
  const [, id = "", part = "-1"] = /Do (a\d+-p(\d+))\./.exec(prompt) ?? [];
  const common = { n, asked, question: `${system}\n${prompt}` };
  // Tries are compared for a part, results for the answer.
  if (isComparison({ system }) && id !== "") return { ...common, role: "judge", id, part: -1, isRest: false };
  if (system.startsWith("Several workers") || isComparison({ system })) return { ...common, role: "synthesis", id: "", part: -1, isRest: false };
  if (prompt.includes("Your plan has been carried out")) return { ...common, role: "look", id: "", part: -1, isRest: false };
  if (prompt.includes("the plan was sent back")) return { ...common, role: "replan", id: "", part: -1, isRest: false };
  if (system.includes("You are the orchestrator")) return { ...common, role: "plan", id: "", part: -1, isRest: prompt.includes("Your plan broke off") };
  if (system.startsWith("You shorten")) return { ...common, role: "reduction", id: "", part: -1, isRest: false };
  if (system.startsWith("You judge")) return { ...common, role: "judge", id, part: -1, isRest: false };
  if (system.includes("You carry out one subtask")) return { ...common, role: "worker", id, part: Number(part), isRest: false };
  throw new Error(`Nobody is asked so: ${system}`);
}

/** What is said to it, and whether that answers it. */
export function replyTo(scene: Scene, ask: Omit<Ask, "isAnswered">, call: DoubleCall): { readonly reply: ReplyOptions; readonly isAnswered: boolean } {
  const trouble = scene.trouble?.(ask);
  if (trouble === "cut") return { reply: { text: planOf(scene, ask, call.prompt, half), finish: "length" }, isAnswered: false };
  const reply = { text: textOf(scene, ask, call), ...trouble };
  return { reply, isAnswered: reply.fault === undefined };
}

function textOf(scene: Scene, ask: Omit<Ask, "isAnswered">, call: DoubleCall): string {
  const text = saidTo(scene, ask, call);
  const isFormed = scene.formed === true && (ask.role === "worker" || ask.role === "synthesis");
  return isFormed && call.prompt.includes("This is not of the form") ? JSON.stringify({ text }) : text;
}

function saidTo(scene: Scene, ask: Omit<Ask, "isAnswered">, call: DoubleCall): string {
  const { prompt } = call;
  const { role, n, id } = ask;
  const better = prompt.includes("This falls short.") ? "Better, " : "";
  switch (role) {
    case "plan":
      return scene.combine === "direct" ? `<answer>At once, #${n}#.</answer>` : planOf(scene, ask, prompt, Number.POSITIVE_INFINITY);
    case "replan":
    case "look":
      return planOf(scene, ask, prompt, Number.POSITIVE_INFINITY);
    case "worker":
      return `${better}Result of ${id}, #${n}#.${scene.contextTokens === undefined ? "" : " It is long.".repeat(scene.contextTokens / 20)}`;
    case "reduction":
      return `In short, #${n}#.`;
    case "judge":
      if (isComparison(call)) return verdictBy(call, numberIn, `So says #${n}#.`);
      // What was written again holds the numbers of what came before it.
      return JSON.stringify({ reasons: `So says #${n}#.`, score: prompt.includes("Better, ") ? 9 : 4 });
    case "synthesis":
      // The result that came last is the best.
      return scene.combine === "choose" ? verdictBy(call, numberIn, `So says #${n}#.`) : `${better}The answer, #${n}#.`;
  }
}

/** Of the ask that a text answers. */
export function numberIn(text: string): number {
  return Number(/#(\d+)#/.exec(text)?.[1]);
}

/** A plan of what does not stand yet; its ids say which ask they come from. One that is cut has no end, and only so many subtasks. */
function planOf({ parts, combine, after, later = 0 }: Scene, { n, role, isRest }: Omit<Ask, "isAnswered">, prompt: string, atMost: number): string {
  const seen = role === "look" ? [...prompt.matchAll(/^id: (a\d+-p(\d+))$/gm)] : isRest ? [...prompt.matchAll(/id="(a\d+-p(\d+))"/g)] : [];
  const standing = new Map(seen.map(([, id, part]) => [Number(part), id] as const));
  const idOf = (part: number): string => standing.get(part) ?? `a${n}-p${part}`;
  const tasks = Array.from({ length: role === "look" ? parts : parts - later }, (_, part) => part)
    .filter((part) => !standing.has(part))
    .slice(0, atMost)
    .map((part) => {
      const needed = after?.(part);
      const needs = needed === undefined ? "" : ` after="${typeof needed === "number" ? idOf(needed) : needed}"`;
      return `<task id="${idOf(part)}"${needs}><type>part</type><description>Do ${idOf(part)}.</description></task>\n`;
    });
  const end = atMost < parts ? "<task id=" : "</tasks>";
  return `<analysis>Plan #${n}#${role === "replan" ? anew : ""}.</analysis>\n<tasks combine="${combine}">\n${tasks.join("")}${end}`;
}
