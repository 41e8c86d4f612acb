import { namedBudget } from "../calls/thinking.ts";
import { defaults } from "../limits.ts";
import { defaultModels } from "../models/defaults.ts";
import { FoundModels, type ModelSources } from "./found-models.ts";
import { type Forms, formFor, formsOf } from "./forms.ts";
import { callSettings, kindSettings, roleSettings, rulesOf, withModelOf } from "./role-settings.ts";
import type { Evaluator, ModelJudge } from "../evaluation/judge.ts";
import type { Model, ModelTable } from "../models/model.ts";
import { keyOf } from "../names.ts";
import type { Notice } from "../notice.ts";
import type { OrchestratorOptions, Timeout } from "../options.ts";
import type { Evaluate, JudgedRoleOption, KindOption, RoleSettings } from "../role-options.ts";
import type { Roles } from "../orchestrator/run-setup.ts";
import { orchestratorPrompt } from "../plan/prompts/orchestrator-prompt.ts";
import { isFunctionKind, type WorkingRole } from "../role.ts";
import type { SynthesizerRole } from "../synthesis/synthesizer-messages.ts";
import { synthesizerPrompt } from "../synthesis/synthesizer-prompt.ts";
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

/** Finds the model of every role, each model once. Rejects with a `DivvyError` that says which role, what, and what to do. */
export async function resolveRoles(options: OrchestratorOptions, sources: ModelSources): Promise<ResolvedRoles> {
  const orchestrator = roleSettings(options.orchestrator);
  const worker = roleSettings(options.worker);
  const synthesizer = options.model === undefined ? withModelOf(orchestrator, roleSettings(options.synthesizer)) : roleSettings(options.synthesizer);
  const workerChoice = worker.model ?? options.model;
  const named = Object.entries(options.workers ?? {});
  const kinds = named.flatMap(([type, option]) => (isFunctionKind(option) ? [] : [[type, kindSettings(roleSettings(option), worker, workerChoice)] as const]));

  const all: readonly RoleSettings<never>[] = [orchestrator, worker, synthesizer, ...kinds.map(([, kind]) => kind)];
  const everyRoleHasOne = options.model !== undefined || all.every(({ model }) => model !== undefined);
  const found = everyRoleHasOne ? undefined : await defaultModels(sources.env, sources.probes);

  const table = new FoundModels(sources);
  const find = (role: WorkingRole, settings: RoleSettings<never>): Promise<Model> => {
    const model = settings.model ?? options.model ?? found?.[role];
    return table.add({ ...settings, ...(model !== undefined && { model }) });
  };
  const planner = await find("orchestrator", orchestrator);
  const synthesizing = await find("synthesizer", synthesizer);
  const workerModel = await find("worker", worker);
  const evaluatorOf = async (evaluate: Evaluate | false | undefined): Promise<{ readonly evaluator?: Evaluator }> => {
    if (!evaluate) return {};
    const { threshold, maxAttempts = defaults.evaluate.maxAttempts } = evaluate;
    if (evaluate.judge !== undefined) return { evaluator: { threshold, maxAttempts, judge: evaluate.judge } };
    const settings = withModelOf(orchestrator, roleSettings(evaluate.model));
    const judge = { ...modelJudge(settings, await find("orchestrator", settings), options.timeout), criteria: evaluate.criteria };
    return { evaluator: { threshold, maxAttempts, judge } };
  };
  const forms = formsOf(options);
  const samplingOf = async (count: number | undefined, evaluate: Evaluate | false | undefined): Promise<Pick<WorkerKind, "sampling">> => {
    if (count === undefined || count < 2) return {};
    const named = evaluate ? evaluate.model : undefined;
    const settings = withModelOf(orchestrator, roleSettings(named));
    return { sampling: { count, judge: modelJudge(settings, await find("orchestrator", settings), options.timeout) } };
  };
  const workingByType = new Map<string, WorkerKind>();
  for (const [type, kind] of kinds) {
    const evaluate = evaluateOf(options.workers?.[type]) ?? evaluateOf(options.worker);
    workingByType.set(keyOf(type), {
      ...workerKind(kind, await find("worker", kind), options.timeout),
      ...formFor(forms, type),
      ...(await evaluatorOf(evaluate)),
      ...(await samplingOf(samplesOf(options.workers?.[type]) ?? samplesOf(options.worker), evaluate)),
    });
  }

  const functions = new Map<string, FunctionKind>();
  for (const [type, option] of named) {
    if (!isFunctionKind(option)) continue;
    const { run, idempotent = false } = option;
    const totalMs = options.timeout?.workerMs ?? defaults.timeout.workerMs;
    functions.set(keyOf(type), { run, idempotent, totalMs, ...formFor(forms, type), ...(await evaluatorOf(option.evaluate)) });
  }

  const synthesizerSettings = callSettings(synthesizer, synthesizing.policy?.maxOutputTokens ?? defaults.maxOutputTokens.synthesizer);
  const synthesizerRules = rulesOf(
    { allowLength: synthesizing.policy?.allowLength ?? false, ...synthesizer },
    options.timeout?.synthesizerMs ?? defaults.timeout.synthesizerMs,
    options.timeout,
  );
  // A verdict is short, and a share of the budget is kept back for each; what was said of thinking still has to fit in.
  const verdictTokens = Math.min(synthesizerSettings.maxOutputTokens, (namedBudget(synthesizerSettings) ?? 0) + defaults.maxOutputTokens.evaluator);
  const { policy } = planner;
  const writesXml = options.planFormat !== "json";
  return {
    planner,
    forms,
    models: table.find,
    notices: [...(found?.notice === undefined ? [] : [found.notice]), ...roundsUnused(options, planner)],
    roles: {
      orchestrator: {
        model: planner.id,
        settings: callSettings(orchestrator, policy?.planOutputTokens ?? defaults.maxOutputTokens.orchestrator),
        // A plan that is cut is completed, and one without a word is asked for again: both are the planner's own matter.
        rules: { ...rulesOf(orchestrator, options.timeout?.orchestratorMs ?? defaults.timeout.orchestratorMs, options.timeout), allowEmpty: true },
        // A small model's template and grammar are for XML; asked for JSON, it gets the schema as its grammar.
        prompt: orchestrator.prompt ?? (writesXml ? policy?.prompts?.orchestrator : undefined) ?? orchestratorPrompt,
        formatOptions: writesXml ? policy?.planProviderOptions : undefined,
      },
      worker: {
        ...workerKind(worker, workerModel, options.timeout),
        ...forms.worker,
        ...(await evaluatorOf(evaluateOf(options.worker))),
        ...(await samplingOf(samplesOf(options.worker), evaluateOf(options.worker))),
      },
      workers: workingByType,
      functions,
      kinds: named.map(([type, option]) => ({ type: keyOf(type), ...describedBy(option) })),
      synthesizer: {
        model: synthesizing.id,
        settings: synthesizerSettings,
        rules: synthesizerRules,
        prompt: synthesizer.prompt ?? synthesizerPrompt,
        ...(synthesizer.prompt === undefined && {
          comparing: { model: synthesizing.id, settings: { ...synthesizerSettings, maxOutputTokens: verdictTokens }, rules: synthesizerRules },
        }),
        ...windowOf(options.synthesizer),
        ...(forms.answer && { form: forms.answer }),
        ...(await evaluatorOf(evaluateOf(options.synthesizer))),
      },
    },
  };
}

function workerKind(settings: RoleSettings<WorkerPromptInput>, { id, policy }: Model, timeout: Timeout | undefined): Omit<WorkerKind, "name"> {
  return {
    model: id,
    settings: callSettings(settings, policy?.maxOutputTokens ?? defaults.maxOutputTokens.worker),
    rules: rulesOf({ allowLength: policy?.allowLength ?? false, ...settings }, timeout?.workerMs ?? defaults.timeout.workerMs, timeout),
    prompt: settings.prompt ?? policy?.prompts?.worker ?? workerPrompt,
  };
}

/** What is said of the synthesizer's window, and what of its cap goes to thinking. */
function windowOf(option: OrchestratorOptions["synthesizer"]): Pick<SynthesizerRole, "contextTokens" | "thinkingTokens"> {
  const { providerOptions } = roleSettings(option);
  const contextTokens = typeof option === "object" && "contextTokens" in option ? option.contextTokens : undefined;
  const thinkingTokens = namedBudget({ providerOptions });
  return { ...(contextTokens !== undefined && { contextTokens }), ...(thinkingTokens !== undefined && { thinkingTokens }) };
}

/** Judging takes as long as work does. */
function modelJudge(settings: RoleSettings<never>, { id, policy }: Model, timeout: Timeout | undefined): Omit<ModelJudge, "criteria"> {
  return {
    model: id,
    settings: callSettings(settings, policy?.maxOutputTokens ?? defaults.maxOutputTokens.evaluator),
    rules: rulesOf(settings, timeout?.workerMs ?? defaults.timeout.workerMs, timeout),
  };
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
