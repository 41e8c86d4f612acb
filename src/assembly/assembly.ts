import { type Answers, answersOf } from "../calls/answers.ts";
import type { CallRequest, CallResult } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import { type CallKey, callKey } from "../calls/call-key.ts";
import { estimateInput, estimateText } from "../calls/estimate.ts";
import { type AttemptRules, callPipeline } from "../calls/pipeline.ts";
import { recordedAnswer } from "../calls/recorded.ts";
import type { RunRequest } from "../events.ts";
import { adaptiveGovernor } from "../governor/adaptive-governor.ts";
import type { Governor } from "../governor/governor.ts";
import { warmingGovernor } from "../governor/warming-governor.ts";
import type { RunKeeper } from "../ledger/keep-run.ts";
import type { ProcessIdentity } from "../ledger/lease-keeper.ts";
import { memoryLedger } from "../ledger/memory-ledger.ts";
import { isDead, thisProcess } from "../ledger/process-identity.ts";
import { defaults } from "../limits.ts";
import type { Limits, OrchestratorOptions } from "../options.ts";
import { printOf } from "../orchestrator/past/run-prints.ts";
import type { Approval, RunOptions, RunSetup, RunStart } from "../orchestrator/run-setup.ts";
import { planExamples } from "../plan/prompts/orchestrator-prompt.ts";
import type { Allowance } from "./run-budget.ts";
import type { ModelSources } from "./found-models.ts";
import { type ResolvedRoles, resolveRoles } from "./roles.ts";
import type { RunPrint } from "../run-print.ts";
import { type Runtime, systemRuntime, timeOfDay } from "../runtime.ts";

/** What an orchestrator takes from the world. Tests and the terminal put their own in. */
export interface World {
  /** @default the system's clock, chance and ids */
  readonly runtime?: Runtime | undefined;
  /** Decides when calls may start. @default one for all orchestrators of this process; where `runtime` is given, this one's own, which goes by it */
  readonly governor?: Governor | undefined;
  /** Where models are looked for. @default the process's environment and `node_modules` */
  readonly models?: Partial<ModelSources> | undefined;
  /** What a run may use that names no budget. @default no bound */
  readonly allowance?: Allowance | undefined;
  /** Who owns the runs that are carried out here, as their leases say. @default this process */
  readonly identity?: ProcessIdentity | undefined;
}

/** The models of an orchestrator, found, and the calls that go to them. */
export type Found = ResolvedRoles & { readonly calls: RunSetup["calls"]; readonly keyOf: CallKey };

export interface NewSetup extends Partial<RunStart> {
  readonly request: RunRequest;
  readonly run: RunScope;
  readonly signal: AbortSignal;
  /** How plans are waited for, and by whom they are approved; without, they need no approval. */
  readonly approval?: Omit<Approval, "maxSubtasks"> | undefined;
  /** @default it never stands still */
  readonly pausedMs?: RunSetup["pausedMs"];
  /** What an earlier run was started with, in place of the options. */
  readonly setup?: RunPrint;
}

/** Puts the rooms together for one orchestrator: its options, what it takes from the world, and what is made of them. */
export class Assembly {
  readonly options: OrchestratorOptions;
  readonly runtime: Runtime;
  readonly keeper: RunKeeper;
  readonly allowance: Allowance | undefined;
  readonly #governor: Governor;
  readonly sources: ModelSources;
  readonly #answers: Answers;
  #found: Promise<Found> | undefined;

  constructor(options: OrchestratorOptions, world: World) {
    this.options = options;
    this.runtime = world.runtime ?? systemRuntime;
    this.allowance = world.allowance;
    this.#governor = world.governor ?? (world.runtime === undefined ? processGovernor() : governorOf(world.runtime));
    const { clock } = this.runtime;
    const ledger = options.ledger ?? memoryLedger();
    const now = world.runtime === undefined ? timeOfDay : () => clock.now();
    this.keeper = { ledger, clock, identity: world.identity ?? { owner: thisProcess(), isDead, now } };
    this.#answers = answersOf(ledger, clock);
    const env = world.models?.env ?? process.env;
    this.sources = {
      env,
      local: async (path) => (await import("../models/local/built-in.ts")).builtInModel({ env, ...(path !== undefined && { path }) }),
      probes: { local: async () => (await import("../models/local/usability.ts")).builtInUsability(env) },
      ...world.models,
    };
  }

  /** Models are found once, when the first run needs them; after a failure, again. */
  find(): Promise<Found> {
    this.#found ??= this.findFor(this.options).catch((error: unknown) => {
      this.#found = undefined;
      throw error;
    });
    return this.#found;
  }

  async findFor(options: OrchestratorOptions): Promise<Found> {
    const resolved = await resolveRoles(options, this.sources);
    const calls = callPipeline({ ...this.attemptRules, models: resolved.models, answers: this.#answers });
    return { ...resolved, calls, keyOf: callKey(resolved.models) };
  }

  get attemptRules(): AttemptRules {
    const { attempts, backoffMs, maxBackoffMs } = defaults.retry;
    const { retry, timeout } = this.options;
    return {
      governor: this.#governor,
      runtime: this.runtime,
      retry: { attempts: retry?.attempts ?? attempts, backoffMs: retry?.backoffMs ?? backoffMs, maxBackoffMs: retry?.maxBackoffMs ?? maxBackoffMs },
      admissionMs: timeout?.admissionMs ?? defaults.timeout.admissionMs,
    };
  }

  /** The name of the cache in which runs that start here record their calls; nothing where each has its own. */
  get sharedCache(): string | undefined {
    const { cache = "run" } = this.options;
    return cache === "run" ? undefined : cache.shared;
  }

  setup(found: Found, { request, run, signal, setup: before, approval, pausedMs = () => 0, ...rest }: NewSetup): RunSetup {
    const { past, kept } = rest;
    const recorded = async (request: CallRequest): Promise<CallResult | undefined> =>
      run.cache === undefined ? undefined : await recordedAnswer(this.#answers, run.cache, found.keyOf(request), found.roles.orchestrator.rules);
    return {
      request,
      start: { ...rest, kept: kept ?? past?.ends ?? new Map() },
      run,
      signal,
      ...(approval && { approval: { ...approval, maxSubtasks: maxWorkers(this.options.limits) } }),
      pausedMs,
      recorded,
      roles: found.roles,
      calls: found.calls,
      costs: this.costs(found),
      clock: this.runtime.clock,
      options: runOptions(this.options, found, before ?? past?.setup),
    };
  }

  costs({ models }: Pick<Found, "models">): RunSetup["costs"] {
    return {
      textTokens: estimateText,
      inputTokens: estimateInput,
      contextTokensOf: async ({ model, contextTokens }) => contextTokens ?? (await models(model).contextTokens?.()) ?? defaults.contextTokens,
      priceOf: async ({ model, rules }) => rules?.price ?? (await models(model).price()),
    };
  }

  print(setup: RunSetup, { models }: Found): RunPrint {
    return printOf(setup, (id) => models(id).baseUrl);
  }
}

/** The options of a run that goes on are those it was started with; else the user's, then what the orchestrator's model needs, then the defaults. */
function runOptions(
  { direct, planFormat, synthesis, examples, limits }: OrchestratorOptions,
  { planner: { policy }, forms }: Found,
  logged: RunPrint | undefined,
): RunOptions {
  const combine = synthesis ?? policy?.combine;
  // An answer with a form is written by the synthesizer, whatever else was said.
  const isFormed = forms.answer !== undefined;
  return {
    direct: !isFormed && (logged?.direct ?? (direct ?? policy?.direct ?? "auto") === "auto"),
    planFormat: logged?.planFormat ?? planFormat ?? "xml",
    combine: isFormed ? "merge" : logged === undefined ? (combine === "auto" ? undefined : combine) : logged.combine,
    examples: examples ?? planExamples,
    maxSubtasks: logged?.maxSubtasks ?? Math.min(limits?.subtasks ?? policy?.maxSubtasks ?? defaults.limits.subtasks, maxWorkers(limits)),
    maxWorkers: maxWorkers(limits),
    rounds: policy?.rounds ?? limits?.rounds ?? logged?.rounds ?? defaults.limits.rounds,
    planCompletions: limits?.planCompletions ?? defaults.limits.planCompletions,
    upstreamBytes: limits?.upstreamBytes ?? defaults.limits.upstreamBytes,
  };
}

/** Who raises the subtasks of a plan and says nothing of workers wants them carried out. */
export function maxWorkers(limits: Limits | undefined): number {
  return limits?.workers ?? Math.max(defaults.limits.workers, limits?.subtasks ?? 0);
}

/** The scope under which the calls of a shared cache are recorded; those of a run of its own are under its id. */
export function sharedScope(name: string): string {
  return `shared:${name}`;
}

let shared: Governor | undefined;

/** Rate limits belong to a credential, not to an object: all orchestrators of a process that go by the system's clock share one governor. */
function processGovernor(): Governor {
  shared ??= governorOf(systemRuntime);
  return shared;
}

function governorOf(runtime: Runtime): Governor {
  return warmingGovernor(adaptiveGovernor(runtime), runtime.clock);
}
