import type { World } from "../assembly/assembly.ts";
import type { Budget } from "../budget.ts";
import { DivvyError, type ErrorData, isStop, toDivvyError } from "../errors.ts";
import { addSpend, type Spend } from "../estimate.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { adaptiveGovernor } from "../governor/adaptive-governor.ts";
import { type ContextInput, readContext } from "../context-input.ts";
import type { JsonRecord } from "../json.ts";
import type { OrchestratorOptions } from "../options.ts";
import { roleSettings } from "../assembly/role-settings.ts";
import type { EvaluatorSettings, ModelChoice } from "../role-options.ts";
import { checkCompareOptions, checkOptions, checkTask } from "../options-check.ts";
import type { Run } from "../orchestrator/run-handle.ts";
import type { Outcome } from "../outcome.ts";
import { type Comparison, figuresOf, type ComparedSide, sideOf, type TaskComparison, type ComparedTry } from "./comparison.ts";
import { conclusionOf } from "./conclusion.ts";
import { findJudge, holdsForAll, type Judge, judgeAnswers } from "./judge-answers.ts";
import { oneCallOptions, strongRole, wholeTask } from "./one-call.ts";
import { overBudget, Purse } from "./purse.ts";

export interface CompareOptions {
  /** How the task is divided: the options of a `FlexibleOrchestrator`. It always divides here, whatever `direct` says. */
  readonly orchestrator?: OrchestratorOptions | undefined;
  /** What the tasks are about. */
  readonly context?: ContextInput | undefined;
  /** Have each two answers compared by a model, with their places swapped: `true`, by the orchestrator's. @default false */
  readonly judge?: boolean | ModelChoice | EvaluatorSettings | undefined;
  /** How often each task is done each way. From 1 to 1000. @default 1 */
  readonly tries?: number | undefined;
  /** What the whole comparison may use, all its runs and judging together. @default the orchestrator's, as one for all */
  readonly budget?: Budget | undefined;
  /** Stops it. What is there up to then stands. */
  readonly signal?: AbortSignal | undefined;
  /** A side of a try begins, or a try is over. Must not throw. */
  readonly onProgress?: ((progress: CompareProgress) => void) | undefined;
}

export interface CompareProgress {
  /** Of all tasks, from 1. */
  readonly task: number;
  /** Of this task, from 1. */
  readonly try: number;
  readonly doing: "divided" | "one" | "judging";
}

/**
 * Does tasks both ways, divided and as one call to the orchestrator's model, and sets the two beside each other. One run after another,
 * so that neither way takes the other's time. What a model, a provider or a budget does is data; so is being stopped.
 *
 * Rejects with a `DivvyError` for what cannot be carried out as it stands: options, templates, models that are not there.
 */
export async function compare(tasks: string | readonly string[], options: CompareOptions = {}, world: World = {}): Promise<Comparison> {
  const all = typeof tasks === "string" ? [tasks] : tasks;
  const { tries = 1 } = options;
  checkCompareOptions(options);
  check(all);
  const context = readContext(options.context ?? "");
  const comparer = new Comparer(options, world);
  const compared: TaskComparison[] = [];
  let stopped: DivvyError | undefined;
  for (const [index, task] of all.entries()) {
    const done: ComparedTry[] = [];
    for (let number = 1; number <= tries && stopped === undefined; number++) {
      try {
        done.push(await comparer.try(task, context, { task: index + 1, try: number }));
        stopped = comparer.ended;
      } catch (thrown) {
        stopped = toDivvyError(thrown);
        if (!comparer.hasBegun && !isStop(stopped)) throw thrown;
      }
    }
    const figures = figuresOf(done);
    compared.push({ task, tries: done, ...(figures && { figures }) });
  }
  const figures = figuresOf(compared.flatMap((one) => one.tries));
  return {
    tasks: compared,
    ...(figures && { figures }),
    judging: comparer.judging,
    conclusion: conclusionOf(figures),
    ...(stopped && { stopped: stopped.toJSON() }),
  };
}

function check(tasks: readonly string[]): void {
  if (tasks.length === 0) throw new DivvyError("invalid_option", "tasks: there is none to compare.");
  for (const task of tasks) checkTask(task);
}

class Comparer {
  readonly #options: CompareOptions;
  readonly #dividing: OrchestratorOptions;
  readonly #world: World;
  readonly #purse: Purse;
  readonly #signal: AbortSignal;
  /** The orchestrator's model where nobody named one. */
  #found: string | undefined;
  #judge: Judge | undefined;
  /** Has a run of it begun? What goes wrong from then on ends it, and what is there stands. */
  hasBegun = false;
  /** What would keep each further try from what is wanted of it. */
  ended: DivvyError | undefined;
  judging: Spend = { calls: 0, tokens: 0, cost: 0 };

  constructor(options: CompareOptions, world: World) {
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
    const { budget, planCache: _planCache, approvePlan: _approvePlan, ...dividing } = options.orchestrator ?? {};
    // An answer that is taken from a cache took nothing, nor did a plan; and what a person makes of a plan is not what divides.
    this.#dividing = { ...dividing, direct: "never", cache: "run" };
    // What cannot be carried out one way shall not be paid the other.
    for (const way of [this.#dividing, this.#oneCall]) checkOptions(way);
    // What is learnt of a provider in one run holds for the next one.
    this.#world = world.runtime === undefined || world.governor !== undefined ? world : { ...world, governor: adaptiveGovernor(world.runtime) };
    this.#purse = new Purse(options.budget ?? budget, world.allowance);
  }

  get #oneCall(): OrchestratorOptions {
    return oneCallOptions(this.#dividing, strongRole(this.#dividing, this.#found));
  }

  async try(task: string, context: string | JsonRecord, at: Pick<CompareProgress, "task" | "try">): Promise<ComparedTry> {
    const { onProgress, judge = false } = this.#options;
    // Who is not there, or cannot be paid, shall cost nothing.
    if (judge !== false && (judge !== true || strongRole(this.#dividing, this.#found).model !== undefined)) await this.#findJudge(judge);
    onProgress?.({ ...at, doing: "divided" });
    const divided = await this.#side(this.#dividing, (orchestrator, left) => orchestrator.start(task, context, left));
    onProgress?.({ ...at, doing: "one" });
    const one = await this.#side(this.#oneCall, (orchestrator, left) => orchestrator.start(task, context, { ...left, plan: wholeTask(task) }));
    // It would be so with every further try, and says nothing of either way.
    if (one.text === "" && divided.text === "") throw ended(one.error);
    if (judge === false) return { one, divided };
    onProgress?.({ ...at, doing: "judging" });
    return { one, divided, ...(await this.#judged(one, divided, { task, context }, judge)) };
  }

  async #findJudge(judge: true | ModelChoice | EvaluatorSettings): Promise<Judge> {
    const role = judge === true ? strongRole(this.#dividing, this.#found) : roleSettings<never>(judge);
    this.#judge ??= await findJudge(role, this.#dividing, this.#world, this.#purse.left().budget);
    return this.#judge;
  }

  async #side(
    options: OrchestratorOptions,
    start: (orchestrator: FlexibleOrchestrator, left: { budget?: Budget; signal: AbortSignal }) => Run,
  ): Promise<ComparedSide> {
    const { allowance, ...left } = this.#purse.left();
    const { allowance: _, ...world } = this.#world;
    const run = start(new FlexibleOrchestrator(options, { ...world, ...(allowance && { allowance }) }), { ...left, signal: this.#signal });
    for await (const event of run.events) {
      if (event.type === "run.started") {
        this.hasBegun = true;
        this.#found ??= event.models.orchestrator;
      }
      if (event.type === "attempt.settled") this.#purse.note(event);
    }
    const outcome = await run.outcome;
    this.#purse.add({ usd: 0, tokens: 0, calls: 0, seconds: outcome.durationMs / 1_000 });
    mustBeWhole(outcome);
    return sideOf(outcome);
  }

  async #judged(
    one: ComparedSide,
    divided: ComparedSide,
    request: { task: string; context: string | JsonRecord },
    judge: true | ModelChoice | EvaluatorSettings,
  ): Promise<Pick<ComparedTry, "verdict" | "judgeError">> {
    // Who has no answer has lost, and nobody need be asked.
    if (one.text === "") return { verdict: { winner: "divided", reasons: "The one call gave no answer." } };
    if (divided.text === "") return { verdict: { winner: "one", reasons: "Divided, it came to no answer." } };
    try {
      const left = this.#purse.left();
      const { winner, reasons } = await judgeAnswers({ request, a: one.text, b: divided.text }, await this.#findJudge(judge), {
        ...left,
        signal: this.#signal,
        onSpent: ({ attempts, durationMs, ...spent }) => {
          this.judging = addSpend(this.judging, spent);
          this.#purse.add({ usd: spent.cost, tokens: spent.tokens, calls: attempts, seconds: durationMs / 1_000 });
        },
      });
      return { verdict: { winner: winner === "a" ? "one" : winner === "b" ? "divided" : "tie", reasons } };
    } catch (thrown) {
      const error = judgingError(thrown);
      if (isStop(error) || holdsForAll(error)) this.ended = error;
      return { judgeError: error.toJSON() };
    }
  }
}

/** The two answers are paid and stand; what judging lacks is the whole comparison's, and no run's. */
function judgingError(thrown: unknown): DivvyError {
  const error = toDivvyError(thrown);
  return error.code === "budget_exhausted" || error.evidence?.budget !== undefined ? overBudget() : error;
}

/** What was stopped, or left out for the budget, says nothing of its way. */
function mustBeWhole(outcome: Outcome): void {
  if (outcome.status === "aborted") throw ended(outcome.error);
  if (outcome.status !== "ok" && outcome.error.code === "budget_exhausted") throw overBudget();
}

function ended(error: ErrorData | undefined): DivvyError {
  if (error === undefined) return new DivvyError("nothing_done", "Neither way came to an answer.");
  return new DivvyError(error.code, error.message, { hint: error.hint, retryable: error.retryable, ...(error.evidence && { evidence: error.evidence }) });
}
