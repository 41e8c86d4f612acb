import type { LanguageModelV4 } from "@ai-sdk/provider";
import { DivvyError } from "../errors.ts";
import type { ModelProbes } from "../models/available.ts";
import type { Env } from "../models/catalog.ts";
import type { Model, ModelTable, Price } from "../models/model.ts";
import { statedPrice } from "../models/prices.ts";
import { type ModelLoaders, resolveModel } from "../models/resolve.ts";
import type { RoleSettings } from "../role-options.ts";

/** Where models are looked for. */
export interface ModelSources extends ModelLoaders {
  readonly env: Env;
  readonly probes: ModelProbes;
  /** What models cost, by their names, in US dollars per million tokens; a role's own `price` stands above it. @default the price list's */
  readonly prices?: ReadonlyMap<string, Price> | undefined;
}

/** The models of an orchestrator by id. What is named twice is one model; two models must not share a name. */
export class FoundModels {
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
