import { outputOf } from "./assembly/forms.ts";
import { Assembly, maxWorkers, sharedScope, type World } from "./assembly/assembly.ts";
import type { Budget } from "./budget.ts";
import type { RunScope } from "./calls/run-scope.ts";
import { DivvyError } from "./errors.ts";
import { isDelta, type RunRequest } from "./events.ts";
import { defaults } from "./limits.ts";
import { type ContextInput, readContext } from "./context-input.ts";
import type { OrchestratorOptions, PlanCallOptions, RerunOptions, ResumeOptions, RunCallOptions, SubtaskInput, WorkerCallOptions } from "./options.ts";
import { checkOptions, checkPlanOptions, checkRerunOptions, checkResumeOptions, checkRunOptions, checkTask, checkWorkerOptions } from "./options-check.ts";
import { orchestratorVariables } from "./orchestrator/planning/orchestrator-messages.ts";
import { planAlone, type PlanResult } from "./orchestrator/planning/plan-alone.ts";
import { type AskedRole, modelsOf } from "./orchestrator/ahead/roles-asked.ts";
import type { Run } from "./orchestrator/run-handle.ts";
import { kindFor, type RunSetup } from "./orchestrator/run-setup.ts";
import { Tally } from "./orchestrator/tally.ts";
import { workAlone } from "./orchestrator/work-alone.ts";
import type { Answered, Outcome, Result } from "./outcome.ts";
import { givenPlan, givenSubtask } from "./plan/given-plan.ts";
import { checkPrompt } from "./prompt/role-prompt.ts";
import { contextVariables } from "./prompt/template.ts";
import { budgetFor, openBudget } from "./assembly/run-budget.ts";
import { rerunRun } from "./assembly/rerun-run.ts";
import { resumeRun } from "./assembly/resume-run.ts";
import { isFunctionKind, type WorkingRole } from "./role.ts";
import { roleSettings } from "./assembly/role-settings.ts";
import { startRun } from "./assembly/start-run.ts";
import type { Plan } from "./subtask.ts";
import type { AnswerOf, ResultsOf, TypedOptions } from "./typed-options.ts";
import { synthesizerVariables } from "./synthesis/synthesizer-messages.ts";
import { workerVariables } from "./work/worker.ts";

/**
 * Carries out requests: an orchestrator divides each, workers do the parts in parallel, a synthesizer joins them where that is
 * called for. One instance serves any number of runs at once; they do not mix.
 *
 * What results and answer are, the compiler reads from the `output`s in the options: `Answer` holds the synthesizer's, `Each` is a result.
 */
export interface FlexibleOrchestrator<Answer extends Answered = Answered, Each extends Result = Result> {
  /**
   * Starts a run and returns at once.
   *
   * @param task what is asked for
   * @param context what the task is about: text, or named values, each of which is also a variable for templates
   * @throws DivvyError for what cannot be carried out as it stands: options, plan, templates. All that happens later is in the outcome.
   */
  start(task: string, context?: ContextInput, options?: RunCallOptions): Run<Answer, Each>;

  /**
   * Goes on with a run that was left, stopped or not done whole: what is planned stands, what is done is not paid again, the rest is
   * carried out. A run that ended well gives its outcome without a call. What the options leave open is as the run was started with.
   *
   * Rejects with a `DivvyError`: `run_not_found`; `run_held` where a process that lives carries it out; `run_drifted`, naming what,
   * where the calls that are missing would not be what they were, or what is done does not have the form that its kind's `output` asks
   * for; and what the ledger says.
   */
  resume(runId: string, options?: ResumeOptions): Promise<Run<Answer, Each>>;

  /**
   * A new run over an old one's plan: one subtask is done anew, with another description or type if that is wanted, and with it what
   * depends on it and the answer; all other results are taken over.
   *
   * Rejects with a `DivvyError`: `run_not_found`; `run_held` where a process that lives carries the old run out;
   * `invalid_option` where it has no such subtask, or no complete plan; `run_drifted` where what is taken over does not have the form that
   * its kind's `output` asks for.
   */
  rerun(runId: string, options: RerunOptions): Promise<Run<Answer, Each>>;

  /** Carries out a request and resolves to its outcome. Rejects only for what `start` throws. */
  orchestrate(task: string, context?: ContextInput, options?: RunCallOptions): Promise<Outcome<Answer, Each>>;

  /**
   * Phase one alone: what `start` then carries out as `plan`. A plan that is handed in comes back whole, without a call. Rejects
   * with a `DivvyError` where no complete plan could be had.
   */
  plan(task: string, context?: ContextInput, options?: PlanCallOptions): Promise<PlanResult>;

  /** One worker alone, for one subtask. Resolves to its result, whatever became of it; rejects with a `DivvyError` only where it cannot begin. */
  executeWorker(task: string, subtask: SubtaskInput, options?: WorkerCallOptions): Promise<Each>;
}

interface FlexibleOrchestratorConstructor {
  /**
   * @throws DivvyError `invalid_option`, naming the nearest key for a typo; `unknown_provider`; `unsupported_model`; `invalid_plan`
   */
  new <Answer = unknown, Worker = unknown, Kinds = unknown, Functions = unknown, Forms = unknown>(
    options?: OrchestratorOptions & TypedOptions<Answer, Worker, Kinds, Functions, Forms>,
    world?: World,
  ): FlexibleOrchestrator<AnswerOf<Answer>, ResultsOf<Worker, Kinds, Functions, Forms>>;
}

/** Carries out requests, whatever their results are. */
class Orchestrator implements FlexibleOrchestrator {
  readonly #options: OrchestratorOptions;
  readonly #assembly: Assembly;

  constructor(options: OrchestratorOptions = {}, world: World = {}) {
    checkOptions(options);
    for (const { plan } of options.examples ?? []) givenPlan(plan);
    this.#options = options;
    this.#assembly = new Assembly(options, world);
  }

  start(task: string, context: ContextInput = "", options: RunCallOptions = {}): Run {
    checkRunOptions(options);
    const request = this.#request(task, context, allRoles);
    const plan = this.#given(options);
    const assembly = this.#assembly;
    return startRun(assembly, { runId: assembly.runtime.newId(), request, options, plan });
  }

  async resume(runId: string, options: ResumeOptions = {}): Promise<Run> {
    checkResumeOptions(options);
    return await resumeRun(this.#assembly, runId, options);
  }

  async rerun(runId: string, options: RerunOptions): Promise<Run> {
    checkRerunOptions(options);
    return await rerunRun(this.#assembly, runId, options);
  }

  async orchestrate(task: string, context: ContextInput = "", options: RunCallOptions = {}): Promise<Outcome> {
    return await this.start(task, context, options).outcome;
  }

  async plan(task: string, context: ContextInput = "", options: PlanCallOptions = {}): Promise<PlanResult> {
    checkPlanOptions(options);
    const request = this.#request(task, context, ["orchestrator"]);
    const plan = this.#given(options);
    return plan === undefined
      ? await this.#alone(request, options, ({ roles }) => [roles.orchestrator], planAlone)
      : { plan, notices: [], usage: new Tally().usage, cost: 0 };
  }

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
  #request(task: string, context: ContextInput, roles: readonly WorkingRole[]): RunRequest {
    checkTask(task);
    const read = readContext(context);
    const keys = contextVariables(read).map(([key]) => key);
    const { workers = {} } = this.#options;
    for (const role of roles) {
      const known = [...variables[role], ...keys];
      checkPrompt(role, roleSettings<never>(this.#options[role]).prompt, known);
      if (role === "worker")
        for (const [type, kind] of Object.entries(workers)) {
          if (!isFunctionKind(kind)) checkPrompt(`worker "${type}"`, roleSettings(kind).prompt, known);
        }
    }
    return { task, context: read };
  }

  #given({ plan }: RunCallOptions): Plan | undefined {
    if (plan === undefined) return undefined;
    const given = givenPlan(plan, maxWorkers(this.#options.limits));
    if (given.kind === "direct" && this.#writesForm) throw answeredAlready();
    return given;
  }

  /** Is the answer to have a form? */
  get #writesForm(): boolean {
    return outputOf(this.#options.synthesizer) !== undefined;
  }

  async #alone<T>(
    request: RunRequest,
    { signal, budget: wanted }: Pick<PlanCallOptions, "signal" | "budget">,
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

/** What the options' schemas make of texts has the types that the schemas say: they have made it, and nothing else can vouch for it. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no guard can look at values that are still to be made
export const FlexibleOrchestrator: FlexibleOrchestratorConstructor = Orchestrator as FlexibleOrchestratorConstructor;

function answeredAlready(): DivvyError {
  return new DivvyError("invalid_plan", "The plan is a direct answer, and the answer is to have the form of `synthesizer.output`.", {
    hint: "Hand in a plan with subtasks, or leave the synthesizer's `output` out.",
  });
}

const allRoles: readonly WorkingRole[] = ["orchestrator", "worker", "synthesizer"];

/** What each role's template can name besides the context's own keys. */
const variables: Readonly<Record<WorkingRole, readonly string[]>> = {
  orchestrator: orchestratorVariables,
  worker: workerVariables,
  synthesizer: synthesizerVariables,
};
