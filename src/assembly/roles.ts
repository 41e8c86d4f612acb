import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { CallContext, CallSettings } from "../calls/call.ts";
import { namedBudget } from "../calls/thinking.ts";
import { DivvyError } from "../errors.ts";
import { defaults } from "../limits.ts";
import type { Env } from "../models/catalog.ts";
import type { ModelProbes } from "../models/available.ts";
import { defaultModels } from "../models/defaults.ts";
import { isLanguageModelV4 } from "../models/language-model.ts";
import type { Model, ModelTable, Price } from "../models/model.ts";
import { statedPrice } from "../models/prices.ts";
import { type ModelLoaders, resolveModel } from "../models/resolve.ts";
import { keyOf } from "../names.ts";
import type { Notice } from "../notice.ts";
import type { ModelChoice, OrchestratorOptions, RoleOption, RoleSettings, Timeout } from "../options.ts";
import type { Roles } from "../orchestrator/run-setup.ts";
import { orchestratorPrompt } from "../plan/orchestrator-prompt.ts";
import type { Role } from "../role.ts";
import { synthesizerPrompt } from "../synthesis/synthesizer-prompt.ts";
import type { WorkerKind } from "../work/worker.ts";
import { workerPrompt } from "../work/worker-prompt.ts";

/** Where models are looked for. */
export interface ModelSources extends ModelLoaders {
  readonly env: Env;
  readonly probes: ModelProbes;
  /** What models cost, by their names, in US dollars per million tokens; a role's own `price` stands above it. @default the price list's */
  readonly prices?: ReadonlyMap<string, Price>;
}

/** The roles of an orchestrator with their models found, and the table in which calls find them. */
export interface ResolvedRoles {
  readonly roles: Roles;
  readonly models: ModelTable;
  /** The orchestrator's model, whose policy decides what the options leave open. */
  readonly planner: Model;
  /** What every run with these models has to say. */
  readonly notices: readonly Notice[];
}

/** Finds the model of every role, each model once. Rejects with a `DivvyError` that says which role, what, and what to do. */
export async function resolveRoles(options: OrchestratorOptions, sources: ModelSources): Promise<ResolvedRoles> {
  const orchestrator = roleSettings(options.orchestrator);
  const worker = roleSettings(options.worker);
  const synthesizer = options.model === undefined ? withModelOf(orchestrator, roleSettings(options.synthesizer)) : roleSettings(options.synthesizer);
  const workerChoice = worker.model ?? options.model;
  const kinds = Object.entries(options.workers ?? {}).map(([type, option]) => [type, kindSettings(roleSettings(option), worker, workerChoice)] as const);

  const all: readonly RoleSettings<never>[] = [orchestrator, worker, synthesizer, ...kinds.map(([, kind]) => kind)];
  const everyRoleHasOne = options.model !== undefined || all.every(({ model }) => model !== undefined);
  const found = everyRoleHasOne ? undefined : await defaultModels(sources.env, sources.probes);

  const table = new Table(sources);
  const find = (role: Role, settings: RoleSettings<never>): Promise<Model> => {
    const model = settings.model ?? options.model ?? found?.[role];
    return table.add({ ...settings, ...(model !== undefined && { model }) });
  };
  const planner = await find("orchestrator", orchestrator);
  const synthesizing = await find("synthesizer", synthesizer);
  const workerModel = await find("worker", worker);
  const workingByType = new Map<string, WorkerKind>();
  for (const [type, kind] of kinds) workingByType.set(keyOf(type), workerKind(kind, await find("worker", kind), options.timeout));

  const { policy } = planner;
  const writesXml = options.planFormat !== "json";
  return {
    planner,
    models: table.find,
    notices: found?.notice === undefined ? [] : [found.notice],
    roles: {
      orchestrator: {
        model: planner.id,
        settings: callSettings(orchestrator, policy?.planOutputTokens ?? defaults.maxOutputTokens.orchestrator),
        // A plan that is cut is completed, and one without a word is asked for again: both are the planner's own matter.
        rules: { ...rules(orchestrator, options.timeout?.orchestratorMs ?? defaults.timeout.orchestratorMs, options.timeout), allowEmpty: true },
        // A small model's template and grammar are for XML; asked for JSON, it gets the schema as its grammar.
        prompt: orchestrator.prompt ?? (writesXml ? policy?.prompts?.orchestrator : undefined) ?? orchestratorPrompt,
        formatOptions: writesXml ? policy?.planProviderOptions : undefined,
      },
      worker: workerKind(worker, workerModel, options.timeout),
      workers: workingByType,
      synthesizer: {
        model: synthesizing.id,
        settings: callSettings(synthesizer, synthesizing.policy?.maxOutputTokens ?? defaults.maxOutputTokens.synthesizer),
        rules: rules(
          { allowLength: synthesizing.policy?.allowLength ?? false, ...synthesizer },
          options.timeout?.synthesizerMs ?? defaults.timeout.synthesizerMs,
          options.timeout,
        ),
        prompt: synthesizer.prompt ?? synthesizerPrompt,
      },
    },
  };
}

function workerKind(settings: RoleSettings<Parameters<typeof workerPrompt>[0]>, { id, policy }: Model, timeout: Timeout | undefined): WorkerKind {
  return {
    model: id,
    settings: callSettings(settings, policy?.maxOutputTokens ?? defaults.maxOutputTokens.worker),
    rules: rules({ allowLength: policy?.allowLength ?? false, ...settings }, timeout?.workerMs ?? defaults.timeout.workerMs, timeout),
    prompt: settings.prompt ?? policy?.prompts?.worker ?? workerPrompt,
  };
}

/** Who joins is whom the request was given to, unless another is named: not a provider of whom nothing was said. */
function withModelOf<Input>({ model, id, price, baseURL, apiKey }: RoleSettings<never>, settings: RoleSettings<Input>): RoleSettings<Input> {
  if (settings.model !== undefined || model === undefined) return settings;
  return {
    model,
    ...(id !== undefined && { id }),
    ...(price && { price }),
    ...(baseURL !== undefined && { baseURL }),
    ...(apiKey !== undefined && { apiKey }),
    ...settings,
  };
}

/** What a kind leaves out is as in `worker`; but what was said of the worker's model holds for no other, least of all its key. */
function kindSettings<Input>(kind: RoleSettings<Input>, worker: RoleSettings<Input>, workerChoice: ModelChoice | undefined): RoleSettings<Input> {
  if (kind.model === undefined || kind.model === workerChoice) return { ...worker, ...kind };
  const { id: _id, price: _price, baseURL: _baseURL, apiKey: _apiKey, ...rest } = worker;
  return { ...rest, ...kind };
}

/** A role's option as settings, without the keys that say nothing. */
export function roleSettings<Input>(option: RoleOption<Input> | undefined): RoleSettings<Input> {
  if (option === undefined) return {};
  if (typeof option === "string" || isLanguageModelV4(option)) return { model: option };
  return Object.fromEntries(Object.entries(option).filter(([, value]) => value !== undefined));
}

function callSettings({ maxOutputTokens: named, temperature, reasoning, providerOptions }: RoleSettings<never>, cap: number): CallSettings {
  const maxOutputTokens = named ?? cap;
  const thinking = namedBudget({ providerOptions }) ?? 0;
  if (thinking >= maxOutputTokens) {
    throw new DivvyError(
      "invalid_option",
      `A budget of ${thinking} tokens for thinking leaves no room for a reply: its cap, thinking included, is ${maxOutputTokens}.`,
      {
        hint: "Raise the role's `maxOutputTokens`, or lower `budgetTokens` in its `providerOptions`.",
      },
    );
  }
  return {
    maxOutputTokens,
    ...(temperature !== undefined && { temperature }),
    ...(reasoning !== undefined && { reasoning }),
    ...(providerOptions !== undefined && { providerOptions }),
  };
}

function rules({ allowLength, price }: RoleSettings<never>, totalMs: number, timeout: Timeout | undefined): CallContext["rules"] {
  return {
    totalMs,
    idleMs: timeout?.idleMs ?? defaults.timeout.idleMs,
    allowLength: allowLength ?? false,
    allowEmpty: false,
    ...(price && { price: statedPrice(price) }),
  };
}

/** The models of an orchestrator by id. What is named twice is one model; two models must not share a name. */
class Table {
  readonly #sources: ModelSources;
  readonly #models = new Map<string, Model>();
  /** What was asked for, as text, with the model that it became. */
  readonly #known = new Map<string, Model>();
  readonly #instances: LanguageModelV4[] = [];

  constructor(sources: ModelSources) {
    this.#sources = sources;
  }

  readonly find: ModelTable = (id) => {
    const model = this.#models.get(id);
    if (model === undefined) throw new DivvyError("internal", `There is no model "${id}" in this run.`);
    return model;
  };

  async add({ model: choice, id, baseURL, apiKey }: RoleSettings<never>): Promise<Model> {
    if (choice === undefined) throw new DivvyError("no_model", "No model is named.");
    const spec = {
      ...(id !== undefined && { id }),
      ...(baseURL !== undefined && { baseURL }),
      ...(apiKey !== undefined && { apiKey }),
    };
    const asked = JSON.stringify([typeof choice === "string" ? choice.trim() : this.#numberOf(choice), spec]);
    const known = this.#known.get(asked);
    if (known !== undefined) return known;

    const model = this.#priced(await resolveModel({ model: choice, ...spec }, this.#sources.env, this.#sources));
    if (this.#models.has(model.id)) {
      throw new DivvyError("invalid_option", `Two different models are called "${model.id}".`, {
        hint: 'Give one of them a name of its own: { model: ..., id: "..." }.',
      });
    }
    this.#models.set(model.id, model);
    this.#known.set(asked, model);
    return model;
  }

  #priced(model: Model): Model {
    const price = this.#sources.prices?.get(model.id);
    return price === undefined ? model : { ...model, price: () => Promise.resolve(statedPrice(price)) };
  }

  #numberOf(instance: LanguageModelV4): number {
    const index = this.#instances.indexOf(instance);
    return index === -1 ? this.#instances.push(instance) - 1 : index;
  }
}
