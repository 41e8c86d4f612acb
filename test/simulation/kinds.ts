import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Price } from "../../src/models/model.ts";
import type { OrchestratorOptions } from "../../src/options.ts";
import type { Evaluate } from "../../src/role-options.ts";
import type { Role } from "../../src/role.ts";
import { numberIn } from "./double.ts";
import type { Schedule } from "./schedule.ts";

/** Of all roles, where they have a price. */
const usual: Price = { input: 3, output: 15, cacheWrite: 3.75 };
/** Of the workers for these types of subtask, where there are kinds of worker. */
const cheap: Price = { input: 1, output: 4 };
const dear: Price = { input: 7, output: 35, cacheWrite: 14 };

/** Kinds of worker: one with a price of its own, one perhaps with a model of its own as well. */
export function kindsOf({ kinds }: Schedule, own: LanguageModelV4): Pick<OrchestratorOptions, "workers"> {
  if (kinds === "none") return {};
  return { workers: { facts: { price: cheap }, Story: { price: dear, ...(kinds === "own model" && { model: own, id: own.modelId }) } } };
}

/** Where work is judged: what is good enough, and how often it is written at most. */
export const threshold = 0.6;
export const mostTries = 3;
export const judgedUntil: Pick<Evaluate, "threshold" | "maxAttempts"> = { threshold, maxAttempts: mostTries };
export const modelJudging: Evaluate = { ...judgedUntil, criteria: "It is short." };

/** How the work of a role is judged. */
export function judgingOf({ judge, judged }: Schedule, role: "worker" | "synthesizer"): { readonly evaluate?: Evaluate } {
  if (judge === "nobody" || !judged.includes(role)) return {};
  if (judge === "a model") return { evaluate: modelJudging };
  return { evaluate: { ...judgedUntil, judge: ({ text }) => ({ score: (numberIn(text) % 11) / 10, reasons: "Its number is small." }) } };
}

export function usualPrice({ isPriced }: Schedule): { readonly price?: Price } {
  return isPriced ? { price: usual } : {};
}

/** What the calls of a role cost; nothing where they have no price. */
export function priceIn(schedule: Schedule, role: Role, type: string | undefined): Price | undefined {
  if (role === "worker" && schedule.kinds !== "none") {
    if (type === "facts") return cheap;
    if (type === "story") return dear;
  }
  return usualPrice(schedule).price;
}
