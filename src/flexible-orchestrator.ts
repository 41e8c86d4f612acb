import type { RunScope } from "./calls/call.ts";
import { callPipeline } from "./calls/pipeline.ts";
import { abortReason } from "./errors.ts";
import { type EventBody, isDelta, type Request } from "./events.ts";
import { limiter } from "./governor/limiter.ts";
import type { Governor } from "./governor/governor.ts";
import { defaults } from "./limits.ts";
import type { ContextInput, Limits, OrchestratorOptions, RunCallOptions, SubtaskInput, WorkerCallOptions } from "./options.ts";
import { checkContext, checkOptions, checkRunOptions, checkTask, checkWorkerOptions } from "./options-check.ts";
import { orchestratorVariables } from "./orchestrator/orchestrator-messages.ts";
import { planAlone, type PlanResult } from "./orchestrator/plan-alone.ts";
import { carryOut } from "./orchestrator/run.ts";
import { Run } from "./orchestrator/run-handle.ts";
import type { RunOptions, RunSetup } from "./orchestrator/run-setup.ts";
import { Tally } from "./orchestrator/tally.ts";
import { workAlone } from "./orchestrator/work-alone.ts";
import type { Outcome, Result } from "./outcome.ts";
import { givenPlan, givenSubtask } from "./plan/given-plan.ts";
import { planExamples } from "./plan/orchestrator-prompt.ts";
import { checkPrompt } from "./prompt/role-prompt.ts";
import { contextVariables } from "./prompt/template.ts";
import type { Role } from "./role.ts";
import { type ModelSources, type ResolvedRoles, resolveRoles, roleSettings } from "./roles.ts";
import { type Runtime, systemRuntime } from "./runtime.ts";
import type { Plan } from "./subtask.ts";
import { synthesizerVariables } from "./synthesis/synthesize.ts";
import { workerVariables } from "./work/worker.ts";

/** What an orchestrator takes from the world. Tests and the terminal put their own in. */
export interface World {
  /** @default the system's clock, chance and ids */
  readonly runtime?: Runtime;
  /** Decides when calls may start. @default one for all orchestrators of this process */
  readonly governor?: Governor;
  /** Where models are looked for. @default the process's environment and `node_modules` */
  readonly models?: Partial<ModelSources>;
}

/**
 * Carries out requests: an orchestrator divides each, workers do the parts in parallel, a synthesizer joins them where that is
 * called for. One instance serves any number of runs at once; they do not mix.
 */
export class FlexibleOrchestrator {
  readonly #options: OrchestratorOptions;
  readonly #runtime: Runtime;
  readonly #governor: Governor;
  readonly #sources: ModelSources;
  #resolved: Promise<Found> | undefined;

  /**
   * @throws DivvyError `invalid_option`, naming the nearest key for a typo; `unknown_provider`; `unsupported_model`; `invalid_plan`
   */
  constructor(options: OrchestratorOptions = {}, world: World = {}) {
    checkOptions(options);
    for (const { plan } of options.examples ?? []) givenPlan(plan);
    this.#options = options;
    this.#runtime = world.runtime ?? systemRuntime;
    this.#governor = world.governor ?? (world.runtime === undefined ? processGovernor() : limiter(world.runtime));
    const env = world.models?.env ?? process.env;
    this.#sources = {
      env,
      local: async (path) => (await import("./models/local/built-in.ts")).builtInModel({ env, ...(path !== undefined && { path }) }),
      probes: { local: async () => (await import("./models/local/usability.ts")).builtInUsability(env) },
      ...world.models,
    };
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
    const { clock } = this.#runtime;
    return new Run({
      runId: this.#runtime.newId(),
      clock,
      runMs: this.#options.timeout?.runMs ?? defaults.timeout.runMs,
      signal: options.signal,
      carryOut: async ({ runId, events, answer, tally, signal }) => {
        const found = await unlessAborted(this.#find(), signal);
        const setup = this.#setup(found, { request, plan, signal, runId, concurrency: options.concurrency, emit: (event) => events.emit(event) });
        const { roles } = found;
        const workers = Object.fromEntries([...roles.workers].map(([type, { model }]) => [type, model]));
        events.emit({
          type: "run.started",
          request,
          models: { orchestrator: roles.orchestrator.model, synthesizer: roles.synthesizer.model, workers: { default: roles.worker.model, ...workers } },
          concurrency: setup.run.concurrency,
        });
        for (const notice of found.notices) events.emit({ type: "run.noticed", notice });
        return await carryOut(setup, answer, tally);
      },
    });
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
    return plan === undefined ? await this.#alone(request, options.signal, planAlone) : { plan, usage: new Tally().usage, cost: 0 };
  }

  /** One worker alone, for one subtask. Resolves to its result, whatever became of it; rejects with a `DivvyError` only where it cannot begin. */
  async executeWorker(task: string, subtask: SubtaskInput, options: WorkerCallOptions = {}): Promise<Result> {
    checkWorkerOptions(options);
    const whole = givenSubtask(subtask);
    const request = this.#request(task, options.context ?? "", ["worker"]);
    return await this.#alone(request, options.signal, (setup, tally) => workAlone(setup, tally, whole, options.upstream ?? []));
  }

  /** The request, checked together with the templates of the roles that will be asked. */
  #request(task: string, context: ContextInput, roles: readonly Role[]): Request {
    checkTask(task);
    checkContext(context);
    const keys = contextVariables(context).map(([key]) => key);
    const { workers = {} } = this.#options;
    for (const role of roles) {
      const known = [...variables[role], ...keys];
      checkPrompt(role, roleSettings<never>(this.#options[role]).prompt, known);
      if (role === "worker") for (const [type, kind] of Object.entries(workers)) checkPrompt(`worker "${type}"`, roleSettings(kind).prompt, known);
    }
    return { task, context };
  }

  #given({ plan }: RunCallOptions): Plan | undefined {
    return plan === undefined ? undefined : givenPlan(plan, maxWorkers(this.#options.limits));
  }

  async #alone<T>(request: Request, signal: AbortSignal | undefined, act: (setup: RunSetup, tally: Tally) => Promise<T>): Promise<T> {
    const found = await this.#find();
    const { clock } = this.#runtime;
    const tally = new Tally();
    const emit = (event: EventBody): void => {
      if (!isDelta(event)) tally.add({ ...event, at: clock.now() });
    };
    const setup = this.#setup(found, {
      request,
      plan: undefined,
      signal: signal ?? new AbortController().signal,
      runId: this.#runtime.newId(),
      concurrency: undefined,
      emit,
    });
    return await act(setup, tally);
  }

  /** Models are found once, when the first run needs them; after a failure, again. */
  #find(): Promise<Found> {
    this.#resolved ??= this.#resolve().catch((error: unknown) => {
      this.#resolved = undefined;
      throw error;
    });
    return this.#resolved;
  }

  async #resolve(): Promise<Found> {
    const { retry: asked, timeout } = this.#options;
    const { retry } = defaults;
    const resolved = await resolveRoles(this.#options, this.#sources);
    const calls = callPipeline({
      models: resolved.models,
      governor: this.#governor,
      runtime: this.#runtime,
      retry: {
        attempts: asked?.attempts ?? retry.attempts,
        backoffMs: asked?.backoffMs ?? retry.backoffMs,
        maxBackoffMs: asked?.maxBackoffMs ?? retry.maxBackoffMs,
      },
      admissionMs: timeout?.admissionMs ?? defaults.timeout.admissionMs,
    });
    return { ...resolved, calls };
  }

  #setup(found: Found, call: CallSetup): RunSetup {
    const { runId, emit, concurrency, ...rest } = call;
    const run: RunScope = { runId, emit, concurrency: concurrency ?? this.#options.concurrency ?? defaults.concurrency };
    return { ...rest, roles: found.roles, calls: found.calls, run, clock: this.#runtime.clock, options: runOptions(this.#options, found) };
  }
}

const allRoles: readonly Role[] = ["orchestrator", "worker", "synthesizer"];

/** What each role's template can name besides the context's own keys. */
const variables: Readonly<Record<Role, readonly string[]>> = {
  orchestrator: orchestratorVariables,
  worker: workerVariables,
  synthesizer: synthesizerVariables,
};

type Found = ResolvedRoles & { readonly calls: RunSetup["calls"] };

interface CallSetup {
  readonly request: Request;
  readonly plan: Plan | undefined;
  readonly signal: AbortSignal;
  readonly runId: string;
  readonly concurrency: number | undefined;
  readonly emit: (event: EventBody) => void;
}

/** The user's options, then what the orchestrator's model needs, then the defaults. */
function runOptions({ direct, planFormat, synthesis, examples, limits }: OrchestratorOptions, { planner: { policy } }: Found): RunOptions {
  const combine = synthesis ?? policy?.combine;
  return {
    direct: (direct ?? policy?.direct ?? "auto") === "auto",
    planFormat: planFormat ?? "xml",
    combine: combine === "auto" ? undefined : combine,
    examples: examples ?? planExamples,
    maxSubtasks: Math.min(limits?.subtasks ?? policy?.maxSubtasks ?? defaults.limits.subtasks, maxWorkers(limits)),
    planCompletions: limits?.planCompletions ?? defaults.limits.planCompletions,
    upstreamBytes: limits?.upstreamBytes ?? defaults.limits.upstreamBytes,
  };
}

/** Who raises the subtasks of a plan and says nothing of workers wants them carried out. */
function maxWorkers(limits: Limits | undefined): number {
  return limits?.workers ?? Math.max(defaults.limits.workers, limits?.subtasks ?? 0);
}

/** Finding models may take a download: whoever stops the run does not wait for it. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortReason(signal));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const done = (): void => signal.removeEventListener("abort", onAbort);
    work.finally(done).then(resolve, reject);
  });
}

let shared: Governor | undefined;

/** Rate limits belong to a credential, not to an object: all orchestrators of a process share one governor. */
function processGovernor(): Governor {
  shared ??= limiter(systemRuntime);
  return shared;
}
