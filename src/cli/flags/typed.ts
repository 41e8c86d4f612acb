import type { Budget } from "../../budget.ts";
import { nearest } from "../../nearest.ts";
import type { OrchestratorOptions, PlanCache } from "../../options.ts";
import type { NamedModels, WorkFlags } from "./command.ts";
import type { CommandName } from "./flags.ts";
import { type Judging, usualThreshold } from "./judging.ts";
import { kindsOf } from "./kinds-typed.ts";
import { usageError } from "./usage-error.ts";

/** What was typed: words, and flags with their values. */
export interface Typed {
  readonly words: readonly string[];
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** The value that counts where a flag is given more than once. */
export function lastOf({ values }: Pick<Typed, "values">, flag: string): string | undefined {
  return values.get(flag)?.at(-1);
}

export function namedModels(typed: Typed): NamedModels {
  const [model, orchestrator, worker, synthesizer, evaluator, embed] = ["model", "orchestrator", "worker", "synthesizer", "evaluator", "plan-cache"].map(
    (flag) => lastOf(typed, flag),
  );
  const kinds = kindsOf(typed.values.get("kind") ?? []);
  return { model, orchestrator, worker, synthesizer, evaluator, embed, kinds, window: whole(typed, "window"), prices: pricesOf(typed) };
}

const amount = String.raw`\$?(\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})`;
const modelPrice = new RegExp(`^(.+)=${amount}/${amount}$`);

function pricesOf({ values }: Typed): NamedModels["prices"] {
  const prices = (values.get("price") ?? []).map((text) => {
    const [, model, input, output] = modelPrice.exec(text.trim()) ?? [];
    if (model === undefined || input === undefined || output === undefined)
      throw usageError(`--price is a model with what it costs, such as provider:model=3/15, and got "${text}".`);
    return [model.trim(), { input: Number(input), output: Number(output) }] as const;
  });
  return new Map(prices);
}

export function workFlags(typed: Typed): WorkFlags {
  return {
    concurrency: whole(typed, "concurrency"),
    judging: judgingOf(typed),
    samples: whole(typed, "samples"),
    budget: budgetOf(typed),
    output: lastOf(typed, "output"),
    outputSchema: lastOf(typed, "output-schema"),
    outDir: lastOf(typed, "out-dir"),
    format: formatOf(typed),
    quiet: typed.values.has("quiet"),
  };
}

function judgingOf(typed: Typed): Judging | undefined {
  const [results, answer] = [lastOf(typed, "evaluate"), lastOf(typed, "evaluate-answer")];
  if (results === undefined && answer === undefined) {
    const alone = ["threshold", "tries", "evaluator"].find((flag) => typed.values.has(flag));
    if (alone === undefined) return undefined;
    throw usageError(
      `--${alone} says how work is judged, and needs the criteria: --evaluate "..." for the results, or --evaluate-answer "..." for the answer.`,
    );
  }
  return { results, answer, threshold: share(typed, "threshold", usualThreshold), tries: whole(typed, "tries") };
}

function share(typed: Typed, flag: string, usual: number): number {
  const text = lastOf(typed, flag) ?? String(usual);
  if (!/^(0(\.\d{1,4})?|\.\d{1,4}|1(\.0+)?)$/.test(text)) throw usageError(`--${flag} is a number from 0 to 1, such as ${usual}, and got "${text}".`);
  return Number(text);
}

/** Alike enough, where nobody says what is: nearly the same words. */
const usualLikeness = 0.95;

export function planCacheOf(typed: Typed): PlanCache | undefined {
  const embed = lastOf(typed, "plan-cache");
  if (embed === undefined) {
    if (typed.values.has("plan-threshold")) throw usageError("--plan-threshold says how alike tasks must be, and needs --plan-cache with an embedding model.");
    return undefined;
  }
  const [other] = ["plan", "no-save"].filter((flag) => typed.values.has(flag));
  if (other === "plan") throw usageError("--plan-cache looks for a plan, and --plan hands one in: they do not go together.");
  if (other !== undefined) throw usageError("--plan-cache looks through the runs that are kept, and does not go with --no-save.");
  return { embed, threshold: share(typed, "plan-threshold", usualLikeness) };
}

export function formatOf({ values }: Typed): WorkFlags["format"] {
  const [json, jsonl] = [values.has("json"), values.has("jsonl")];
  if (json && jsonl) throw usageError("--json and --jsonl do not go together: the last line of --jsonl carries the outcome.");
  return json ? "json" : jsonl ? "jsonl" : "text";
}

/** Its bounds are the library's matter. */
export function whole(typed: Typed, flag: string): number | undefined {
  const text = lastOf(typed, flag);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw usageError(`--${flag} is a whole number, and got "${text}".`);
  return Number(text);
}

/** What the run may use; nothing where nothing was said of it. */
export function budgetOf(typed: Typed): Budget | undefined {
  const usd = dollarsOf(lastOf(typed, "budget"));
  const [tokens, calls, seconds] = [whole(typed, "max-tokens"), whole(typed, "max-calls"), whole(typed, "max-seconds")];
  const budget = {
    ...(usd !== undefined && { usd }),
    ...(tokens !== undefined && { tokens }),
    ...(calls !== undefined && { calls }),
    ...(seconds !== undefined && { seconds }),
  };
  return Object.keys(budget).length === 0 ? undefined : budget;
}

function dollarsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, amount] = /^\$?(\d{1,7}(?:\.\d{1,6})?|\.\d{1,6})$/.exec(text.trim()) ?? [];
  if (amount === undefined) throw usageError(`--budget is an amount of US dollars such as 0.50, and got "${text}".`);
  return Number(amount);
}

const units: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["w", 604_800_000],
]);

/** A span of time, in milliseconds. */
export function span(flag: string, text: string): number {
  const [, digits, unit = ""] = /^(\d{1,6})\s*([a-z])$/i.exec(text) ?? [];
  const ms = units.get(unit.toLowerCase());
  if (digits === undefined || ms === undefined) throw usageError(`--${flag} is a time such as 90m, 12h, 30d or 8w, and got "${text}".`);
  return Number(digits) * ms;
}

const ways = ["auto", "merge", "keep", "choose", "none"] as const satisfies readonly OrchestratorOptions["synthesis"][];

export function synthesisOf(typed: Typed): OrchestratorOptions["synthesis"] | undefined {
  const text = lastOf(typed, "synthesis");
  if (text === undefined) return undefined;
  const way = ways.find((one) => one === text);
  if (way !== undefined) return way;
  const near = nearest(text, ways);
  throw usageError(`--synthesis is one of ${ways.join(", ")}, and got "${text}".${near === undefined ? "" : ` Did you mean "${near}"?`}`);
}

/** @throws DivvyError for words after what a command takes */
export function noMore(command: CommandName, words: readonly string[]): void {
  if (words[0] !== undefined) throw usageError(`divvy ${command} takes no more words, and got "${words[0]}".`);
}
