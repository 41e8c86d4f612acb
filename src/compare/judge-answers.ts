import { Assembly, type World } from "../assembly/assembly.ts";
import { budgetFor, openBudget } from "../assembly/run-budget.ts";
import type { Budget } from "../budget.ts";
import type { RunScope } from "../calls/call.ts";
import type { Spend } from "../estimate.ts";
import { comparePair, type Pair, type PairVerdict } from "../evaluation/pairwise.ts";
import { type EventBody, isDelta } from "../events.ts";
import type { OrchestratorOptions } from "../options.ts";
import { Tally } from "../orchestrator/tally.ts";
import type { Speaker } from "./one-call.ts";
import { fencing } from "../prompt/fence.ts";

export interface JudgingOptions {
  /** Who judges. */
  readonly role: Speaker;
  readonly options: OrchestratorOptions;
  readonly world: World;
  readonly signal: AbortSignal;
  readonly budget?: Budget;
  /** What it used, however it ends. */
  readonly onSpent: (spent: Spend & { readonly attempts: number; readonly durationMs: number }) => void;
}

/** Has two answers compared, with their places swapped. Rejects with a `DivvyError`. */
export async function judgeAnswers(pair: Pair, { role, options, world, signal, budget: named, onSpent }: JudgingOptions): Promise<PairVerdict> {
  const { retry, timeout } = options;
  const assembly = new Assembly({ orchestrator: role, worker: role, synthesizer: role, ...(retry && { retry }), ...(timeout && { timeout }) }, world);
  const found = await assembly.find();
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
  const budget = await budgetFor(setup, { named, allowance: assembly.allowance, asked: [synthesizer] });
  const open = budget && (await openBudget(setup, budget, tally));
  open?.keepForAnswer(undefined);
  const startedAt = clock.now();
  try {
    const run = { ...bare, ...(open && { budget: open }) };
    return await comparePair(pair, synthesizer.comparing ?? synthesizer, { calls: found.calls, run, signal, fence: fencing(), rank: 0 });
  } finally {
    onSpent({ ...tally.spent, attempts: tally.attempts, durationMs: clock.now() - startedAt });
  }
}
