import { namedBudget } from "../calls/thinking.ts";
import { defaults } from "../limits.ts";
import { defaultModels } from "../models/defaults.ts";
import { FoundModels, type ModelSources } from "./found-models.ts";
import { type Forms, formFor, formsOf } from "./forms.ts";
import { callSettings, kindSettings, roleSettings, rulesOf, withModelOf } from "./role-settings.ts";
import { type FindModel, type Judges, judgesOf } from "./judges.ts";
import type { Model, ModelTable } from "../models/model.ts";
import { keyOf } from "../names.ts";
import type { Notice } from "../notice.ts";
import type { OrchestratorOptions } from "../options.ts";
import type { Evaluate, FunctionWorker, JudgedRoleOption, KindOption, RoleSettings } from "../role-options.ts";
import type { OrchestratorRole, Roles } from "../orchestrator/run-setup.ts";
import { type OrchestratorPromptInput, orchestratorPrompt } from "../plan/prompts/orchestrator-prompt.ts";
import { isFunctionKind } from "../role.ts";
import type { SynthesizerRole } from "../synthesis/synthesizer-messages.ts";
import { synthesizerPrompt, type SynthesizerPromptInput } from "../synthesis/synthesizer-prompt.ts";
import type { FunctionKind } from "../work/function-worker.ts";
import type { WorkerKind } from "../work/worker.ts";
import { workerPrompt, type WorkerPromptInput } from "../work/worker-prompt.ts";

/** The roles of an orchestrator with their models found, and the table in which calls find them. */
export interface ResolvedRoles {
  readonly roles: Roles;
  readonly models: ModelTable;
  /** The orchestrator's model, whose policy decides what the options leave open. */
  readonly planner: Model;
  readonly forms: Forms;
  /** What every run with these models has to say. */
  readonly notices: readonly Notice[];
}

/** What roles are made of. */
interface Making {
  readonly options: OrchestratorOptions;
  readonly find: FindModel;
  readonly judges: Judges;
  readonly forms: Forms;
}

/** Finds the model of every role, each model once. Rejects with a `DivvyError` that says which role, what, and what to do. */
export async function resolveRoles(options: OrchestratorOptions, sources: ModelSources): Promise<ResolvedRoles> {
  const orchestrator = roleSettings(options.orchestrator);
  const worker = roleSettings(options.worker);
  const synthesizer = options.model === undefined ? withModelOf(orchestrator, roleSettings(options.synthesizer)) : roleSettings(options.synthesizer);
  const named = Object.entries(options.workers ?? {});
  const kinds = named.flatMap(([type, option]) => (isFunctionKind(option) ? [] : [{ type, ...modelKind(option, worker, options) }]));

  const all: readonly RoleSettings<never>[] = [orchestrator, worker, synthesizer, ...kinds.map(({ settings }) => settings)];
  const everyRoleHasOne = options.model !== undefined || all.every(({ model }) => model !== undefined);
  const found = everyRoleHasOne ? undefined : await defaultModels(sources.env, sources.probes);

  const table = new FoundModels(sources);
  const find: FindModel = (role, settings) => {
    const model = settings.model ?? options.model ?? found?.[role];
    return table.add({ ...settings, ...(model !== undefined && { model }) });
  };
  const making: Making = { options, find, judges: judgesOf(orchestrator, find, options.timeout), forms: formsOf(options) };
  // One after another, so that of several models that are not there the same one is named each time.
  const planner = await find("orchestrator", orchestrator);
  const joining = await synthesizerRole(making, synthesizer);
  const general = await workerKind(making, { settings: worker, evaluate: evaluateOf(options.worker), samples: samplesOf(options.worker) });
  const workers = new Map<string, WorkerKind>();
  for (const { type, ...kind } of kinds) workers.set(keyOf(type), { ...(await workerKind(making, kind)), ...formFor(making.forms, type) });
  const functions = new Map<string, FunctionKind>();
  for (const [type, option] of named) if (isFunctionKind(option)) functions.set(keyOf(type), await functionKind(making, type, option));
  return {
    planner,
    forms: making.forms,
    models: table.find,
    notices: [...(found?.notice === undefined ? [] : [found.notice]), ...roundsUnused(options, planner)],
    roles: {
      orchestrator: orchestratorRole(options, orchestrator, planner),
      worker: { ...general, ...making.forms.worker },
      workers,
      functions,
      kinds: named.map(([type, option]) => ({ type: keyOf(type), ...describedBy(option) })),
      synthesizer: joining,
    },
  };
}

function orchestratorRole(
  { planFormat, timeout }: OrchestratorOptions,
  settings: RoleSettings<OrchestratorPromptInput>,
  { id, policy }: Model,
): OrchestratorRole {
  const writesXml = planFormat !== "json";
  return {
    model: id,
    settings: callSettings(settings, policy?.planOutputTokens ?? defaults.maxOutputTokens.orchestrator),
    // A plan that is cut is completed, and one without a word is asked for again: both are the planner's own matter.
    rules: { ...rulesOf(settings, timeout?.orchestratorMs ?? defaults.timeout.orchestratorMs, timeout), allowEmpty: true },
    // A small model's template and grammar are for XML; asked for JSON, it gets the schema as its grammar.
    prompt: settings.prompt ?? (writesXml ? policy?.prompts?.orchestrator : undefined) ?? orchestratorPrompt,
    formatOptions: writesXml ? policy?.planProviderOptions : undefined,
  };
}

/** A kind of worker that is a model, before that is found. */
interface ModelKind {
  readonly settings: RoleSettings<WorkerPromptInput>;
  readonly evaluate: Evaluate | false | undefined;
  readonly samples: number | undefined;
}

/** What it leaves out is as in `worker`. */
function modelKind(
  option: Exclude<KindOption, FunctionWorker>,
  worker: RoleSettings<WorkerPromptInput>,
  { model, worker: general }: OrchestratorOptions,
): ModelKind {
  return {
    settings: kindSettings(roleSettings(option), worker, worker.model ?? model),
    evaluate: evaluateOf(option) ?? evaluateOf(general),
    samples: samplesOf(option) ?? samplesOf(general),
  };
}

async function workerKind({ options: { timeout }, find, judges }: Making, { settings, evaluate, samples }: ModelKind): Promise<Omit<WorkerKind, "name">> {
  const { id, policy } = await find("worker", settings);
  return {
    model: id,
    settings: callSettings(settings, policy?.maxOutputTokens ?? defaults.maxOutputTokens.worker),
    rules: rulesOf({ allowLength: policy?.allowLength ?? false, ...settings }, timeout?.workerMs ?? defaults.timeout.workerMs, timeout),
    prompt: settings.prompt ?? policy?.prompts?.worker ?? workerPrompt,
    ...(await judges.evaluator(evaluate)),
    ...(await judges.sampling(samples, evaluate)),
  };
}

async function functionKind(
  { options: { timeout }, judges, forms }: Making,
  type: string,
  { run, idempotent = false, evaluate }: FunctionWorker,
): Promise<FunctionKind> {
  const totalMs = timeout?.workerMs ?? defaults.timeout.workerMs;
  return { run, idempotent, totalMs, ...formFor(forms, type), ...(await judges.evaluator(evaluate)) };
}

async function synthesizerRole({ options, find, judges, forms }: Making, settings: RoleSettings<SynthesizerPromptInput>): Promise<SynthesizerRole> {
  const { timeout, synthesizer } = options;
  const { id, policy } = await find("synthesizer", settings);
  const writing = callSettings(settings, policy?.maxOutputTokens ?? defaults.maxOutputTokens.synthesizer);
  const rules = rulesOf({ allowLength: policy?.allowLength ?? false, ...settings }, timeout?.synthesizerMs ?? defaults.timeout.synthesizerMs, timeout);
  // A verdict is short, and a share of the budget is kept back for each; what was said of thinking still has to fit in.
  const verdictTokens = Math.min(writing.maxOutputTokens, (namedBudget(writing) ?? 0) + defaults.maxOutputTokens.evaluator);
  return {
    model: id,
    settings: writing,
    rules,
    prompt: settings.prompt ?? synthesizerPrompt,
    ...(settings.prompt === undefined && { comparing: { model: id, settings: { ...writing, maxOutputTokens: verdictTokens }, rules } }),
    ...statedWindow(synthesizer),
    ...(forms.answer && { form: forms.answer }),
    ...(await judges.evaluator(evaluateOf(synthesizer))),
  };
}

/** What is said of the synthesizer's window, and what of its cap goes to thinking. */
function statedWindow(option: OrchestratorOptions["synthesizer"]): Pick<SynthesizerRole, "contextTokens" | "thinkingTokens"> {
  const { providerOptions } = roleSettings(option);
  const contextTokens = typeof option === "object" && "contextTokens" in option ? option.contextTokens : undefined;
  const thinkingTokens = namedBudget({ providerOptions });
  return { ...(contextTokens !== undefined && { contextTokens }), ...(thinkingTokens !== undefined && { thinkingTokens }) };
}

function roundsUnused({ limits, approvePlan }: OrchestratorOptions, { id, policy }: Model): readonly Notice[] {
  if ((limits?.rounds ?? defaults.limits.rounds) === 1) return [];
  const why =
    policy !== undefined
      ? `${id} plans once: it cannot look at results and plan on.`
      : approvePlan !== undefined && "what was approved is carried out, and nothing is added to it.";
  return why ? [{ code: "rounds_unused", message: `There is one round, though more were allowed: ${why}` }] : [];
}

function describedBy(option: KindOption): { readonly description?: string } {
  return typeof option === "object" && "description" in option && option.description !== undefined ? { description: option.description } : {};
}

function samplesOf(option: OrchestratorOptions["worker"] | KindOption): number | undefined {
  return typeof option === "object" && "samples" in option ? option.samples : undefined;
}

function evaluateOf(option: JudgedRoleOption<never> | KindOption | undefined): Evaluate | false | undefined {
  return typeof option === "object" && "evaluate" in option ? option.evaluate : undefined;
}
