import { Assembly, maxWorkers, sharedScope, type World } from "./assembly/assembly.ts";
import type { Budget } from "./budget.ts";
import type { RunScope } from "./calls/call.ts";
import { isDelta, type Request } from "./events.ts";
import { defaults } from "./limits.ts";
import type { ContextInput, OrchestratorOptions, RerunOptions, ResumeOptions, RunCallOptions, SubtaskInput, WorkerCallOptions } from "./options.ts";
import { checkContext, checkOptions, checkRerunOptions, checkResumeOptions, checkRunOptions, checkTask, checkWorkerOptions } from "./options-check.ts";
import { orchestratorVariables } from "./orchestrator/orchestrator-messages.ts";
import { planAlone, type PlanResult } from "./orchestrator/plan-alone.ts";
import { type AskedRole, modelsOf } from "./orchestrator/roles-asked.ts";
import type { Run } from "./orchestrator/run-handle.ts";
import { kindFor, type RunSetup } from "./orchestrator/run-setup.ts";
import { Tally } from "./orchestrator/tally.ts";
import { workAlone } from "./orchestrator/work-alone.ts";
import type { Outcome, Result } from "./outcome.ts";
import { givenPlan, givenSubtask } from "./plan/given-plan.ts";
import { checkPrompt } from "./prompt/role-prompt.ts";
import { contextVariables } from "./prompt/template.ts";
import { budgetFor, openBudget } from "./assembly/run-budget.ts";
import { rerunRun } from "./assembly/rerun-run.ts";
import { resumeRun } from "./assembly/resume-run.ts";
import type { WorkingRole } from "./role.ts";
import { roleSettings } from "./assembly/role-settings.ts";
import { startRun } from "./assembly/start-run.ts";
import type { Plan } from "./subtask.ts";
import { synthesizerVariables } from "./synthesis/synthesizer-messages.ts";
import { workerVariables } from "./work/worker.ts";

/**
 * Carries out requests: an orchestrator divides each, workers do the parts in parallel, a synthesizer joins them where that is
 * called for. One instance serves any number of runs at once; they do not mix.
 */
export class FlexibleOrchestrator {
  readonly #options: OrchestratorOptions;
  readonly #assembly: Assembly;

  /**
   * @throws DivvyError `invalid_option`, naming the nearest key for a typo; `unknown_provider`; `unsupported_model`; `invalid_plan`
   */
  constructor(options: OrchestratorOptions = {}, world: World = {}) {
    checkOptions(options);
    for (const { plan } of options.examples ?? []) givenPlan(plan);
    this.#options = options;
    this.#assembly = new Assembly(options, world);
  }

  /**
   * Starts a run and returns at once.
   *
   * @param task what is asked for
   * @param context what the task is about: text, or named values, each of which is also a variable for templates
   * @throws DivvyError for what cannot be carried out as it stands: options, plan, templates. All that happens later is in the outcome.
   */
  start(task: string, context: ContextInput = "", options: RunCallOptions = {}): Run {
    checkRunOptions(options);
    const request = this.#request(task, context, allRoles);
    const plan = this.#given(options);
    const assembly = this.#assembly;
    return startRun(assembly, { runId: assembly.runtime.newId(), request, options, plan });
  }

  /**
   * Goes on with a run that was left, stopped or not done whole: what is planned stands, what is done is not paid again, the rest is
   * carried out. A run that ended well gives its outcome without a call. What the options leave open is as the run was started with.
   *
   * Rejects with a `DivvyError`: `run_not_found`; `run_held` where a process that lives carries it out; `run_drifted`, naming what,
   * where the calls that are missing would not be what they were; and what the ledger says.
   */
  async resume(runId: string, options: ResumeOptions = {}): Promise<Run> {
    checkResumeOptions(options);
    return await resumeRun(this.#assembly, runId, options);
  }

  /**
   * A new run over an old one's plan: one subtask is done anew, with another description or type if that is wanted, and with it what
   * depends on it and the answer; all other results are taken over.
   *
   * Rejects with a `DivvyError`: `run_not_found`; `run_held` where a process that lives carries the old run out;
   * `invalid_option` where it has no such subtask, or no complete plan.
   */
  async rerun(runId: string, options: RerunOptions): Promise<Run> {
    checkRerunOptions(options);
    return await rerunRun(this.#assembly, runId, options);
  }

  /** Carries out a request and resolves to its outcome. Rejects only for what `start` throws. */
  async orchestrate(task: string, context: ContextInput = "", options: RunCallOptions = {}): Promise<Outcome> {
    return await this.start(task, context, options).outcome;
  }

  /**
   * Phase one alone: what `start` then carries out as `plan`. A plan that is handed in comes back whole, without a call. Rejects
   * with a `DivvyError` where no complete plan could be had.
   */
  async plan(task: string, context: ContextInput = "", options: RunCallOptions = {}): Promise<PlanResult> {
    checkRunOptions(options);
    const request = this.#request(task, context, ["orchestrator"]);
    const plan = this.#given(options);
    return plan === undefined
      ? await this.#alone(request, options, ({ roles }) => [roles.orchestrator], planAlone)
      : { plan, usage: new Tally().usage, cost: 0 };
  }

  /** One worker alone, for one subtask. Resolves to its result, whatever became of it; rejects with a `DivvyError` only where it cannot begin. */
  async executeWorker(task: string, subtask: SubtaskInput, options: WorkerCallOptions = {}): Promise<Result> {
    checkWorkerOptions(options);
    const whole = givenSubtask(subtask);
    const request = this.#request(task, options.context ?? "", ["worker"]);
    return await this.#alone(
      request,
      options,
      ({ roles }) => modelsOf(kindFor(roles, whole.type)),
      (setup, tally) => workAlone(setup, tally, whole, options.upstream ?? []),
    );
  }

  /** The request, checked together with the templates of the roles that will be asked. */
  #request(task: string, context: ContextInput, roles: readonly WorkingRole[]): Request {
    checkTask(task);
    checkContext(context);
    const keys = contextVariables(context).map(([key]) => key);
    const { workers = {} } = this.#options;
    for (const role of roles) {
      const known = [...variables[role], ...keys];
      checkPrompt(role, roleSettings<never>(this.#options[role]).prompt, known);
      if (role === "worker")
        for (const [type, kind] of Object.entries(workers)) {
          if (typeof kind === "object" && "run" in kind) continue;
          checkPrompt(`worker "${type}"`, roleSettings(kind).prompt, known);
        }
    }
    return { task, context };
  }

  #given({ plan }: RunCallOptions): Plan | undefined {
    return plan === undefined ? undefined : givenPlan(plan, maxWorkers(this.#options.limits));
  }

  async #alone<T>(
    request: Request,
    { signal, budget: wanted }: Pick<RunCallOptions, "signal" | "budget">,
    asks: (setup: RunSetup) => readonly AskedRole[],
    act: (setup: RunSetup, tally: Tally, budget: Budget | undefined) => Promise<T>,
  ): Promise<T> {
    const assembly = this.#assembly;
    const found = await assembly.find();
    const tally = new Tally();
    const { clock } = assembly.runtime;
    const run: RunScope = {
      runId: assembly.runtime.newId(),
      concurrency: this.#options.concurrency ?? defaults.concurrency,
      emit: (event) => {
        if (!isDelta(event)) tally.add({ ...event, at: clock.now() });
      },
      // Nothing is kept of it, but in a cache that outlives it.
      ...(assembly.sharedCache !== undefined && { cache: sharedScope(assembly.sharedCache) }),
      committed: () => Promise.resolve(),
    };
    const setup = assembly.setup(found, { request, run, signal: signal ?? new AbortController().signal });
    const budget = await budgetFor(setup, { named: wanted ?? this.#options.budget, allowance: assembly.allowance, asked: asks(setup) });
    if (budget === undefined) return await act(setup, tally, undefined);
    const open = await openBudget(setup, budget, tally);
    open.keepForAnswer(undefined);
    return await act({ ...setup, run: { ...run, budget: open } }, tally, budget);
  }
}

const allRoles: readonly WorkingRole[] = ["orchestrator", "worker", "synthesizer"];

/** What each role's template can name besides the context's own keys. */
const variables: Readonly<Record<WorkingRole, readonly string[]>> = {
  orchestrator: orchestratorVariables,
  worker: workerVariables,
  synthesizer: synthesizerVariables,
};
