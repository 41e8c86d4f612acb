import { Assembly, type Found, type World } from "../assembly/assembly.ts";
import { type Allowance, budgetFor, openBudget } from "../assembly/run-budget.ts";
import type { Budget } from "../budget.ts";
import { ranks } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import type { DivvyError, ErrorCode } from "../errors.ts";
import type { Spend } from "../estimate.ts";
import { comparePair, type Pair, type PairVerdict } from "../evaluation/pairwise.ts";
import { type EventBody, isDelta } from "../events.ts";
import type { OrchestratorOptions } from "../options.ts";
import { checkOptions } from "../options-check.ts";
import { Tally } from "../orchestrator/tally.ts";
import type { StrongRole } from "./one-call.ts";
import { fencing } from "../prompt/fence.ts";

/** Who judges, found. */
export interface Judge {
  readonly assembly: Assembly;
  readonly found: Found;
}

export interface JudgingOptions {
  readonly signal: AbortSignal;
  readonly budget?: Budget;
  /** Where no budget is named. */
  readonly allowance?: Allowance;
  /** What it used, however it ends. */
  readonly onSpent: (spent: Spend & { readonly attempts: number; readonly durationMs: number }) => void;
}

/**
 * Finds the model that judges. Rejects with a `DivvyError` where there is none such, and where the budget is in dollars and what it costs
 * is not known.
 */
export async function findJudge(role: StrongRole, { retry, timeout }: OrchestratorOptions, world: World, budget: Budget | undefined): Promise<Judge> {
  const options = { orchestrator: role, worker: role, synthesizer: role, ...(retry && { retry }), ...(timeout && { timeout }) };
  checkOptions(options);
  const assembly = new Assembly(options, world);
  const found = await assembly.find();
  await budgetFor({ costs: assembly.costs(found) }, { named: budget, allowance: undefined, asked: [found.roles.synthesizer] });
  return { assembly, found };
}

/**
 * Would it be so with every other two answers as well? Then nothing is judged any more. A provider that cannot be reached may be, later.
 */
export function holdsForAll({ code }: DivvyError): boolean {
  return everywhere.has(code);
}

const everywhere: ReadonlySet<ErrorCode> = new Set([
  "invalid_option",
  "unknown_provider",
  "missing_package",
  "missing_key",
  "no_model",
  "unsupported_model",
  "local_model",
  "authentication",
  "not_found",
  "quota_exhausted",
  "host_not_found",
  "tls",
  "unknown_price",
  "budget_exhausted",
]);

/** Has two answers compared, with their places swapped. Rejects with a `DivvyError`. */
export async function judgeAnswers(pair: Pair, { assembly, found }: Judge, options: JudgingOptions): Promise<PairVerdict> {
  const { signal, budget: named, allowance, onSpent } = options;
  const { clock } = assembly.runtime;
  const tally = new Tally();
  const bare: RunScope = {
    runId: assembly.runtime.newId(),
    concurrency: 2,
    emit: (event: EventBody) => {
      if (!isDelta(event)) tally.add({ ...event, at: clock.now() });
    },
    committed: () => Promise.resolve(),
  };
  const { synthesizer } = found.roles;
  const setup = assembly.setup(found, { request: pair.request, run: bare, signal });
  const budget = await budgetFor(setup, { named, allowance, asked: [synthesizer] });
  const open = budget && (await openBudget(setup, budget, tally));
  open?.keepForAnswer(undefined);
  const startedAt = clock.now();
  try {
    const run = { ...bare, ...(open && { budget: open }) };
    return await comparePair(pair, synthesizer.comparing ?? synthesizer, { calls: found.calls, run, signal, fence: fencing(), rank: ranks.answer });
  } finally {
    onSpent({ ...tally.spent, attempts: tally.attempts, durationMs: clock.now() - startedAt });
  }
}
