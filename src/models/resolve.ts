import type { LanguageModelV4 } from "@ai-sdk/provider";
import { DivvyError } from "../errors.ts";
import { credentialMask, instanceMask } from "./credential-mask.ts";
import { checkedUrl, isLoopback, shownUrl } from "./base-url.ts";
import { aliases, type Env, type Provider, providers } from "./catalog.ts";
import { instanceShares, sharesOf } from "./shares.ts";
import { modelFrom } from "./language-model.ts";
import type { PriceOf } from "../usage.ts";
import type { Model } from "./model.ts";
import { builtIn, parseModelName } from "./model-name.ts";
import { type ModelSettings, type ModelSpec, modelSettings } from "./model-spec.ts";
import { ollamaModel } from "./ollama-model.ts";
import type { LoadPackage } from "./packages.ts";
import { free, type Listing, listedContextTokens, listedPrice, unpriced } from "./prices.ts";
import { providerPackage } from "./provider-package.ts";

/** How models come in that are not part of the core. */
export interface ModelLoaders {
  /** @default from `node_modules` */
  readonly load?: LoadPackage;
  /** The built-in model, or the one in the file at `path`. */
  readonly local?: (path: string | undefined) => Promise<Model>;
}

/** Makes a spec a model that can be called. Opens no connection. Rejects with a `DivvyError` that holds no secret. */
export async function resolveModel(spec: ModelSpec, env: Env, loaders: ModelLoaders = {}): Promise<Model> {
  const settings = modelSettings(spec);
  const { model, id } = settings;
  const resolved = typeof model === "string" ? await namedModel(model, settings, env, loaders) : instanceModel(model, settings);
  return { ...resolved, ...(id !== undefined && { id }) };
}

async function namedModel(spec: string, settings: ModelSettings, env: Env, loaders: ModelLoaders): Promise<Model> {
  const name = parseModelName(spec);
  if (name.provider === builtIn) return builtInModel(name.model, loaders);
  const { provider, via, exported, values, baseUrl, credential, secrets } = await providerPackage(name.provider, settings, env, loaders.load);
  const listing = { ...name, baseUrl };
  const model = modelFrom(exported, via, values, name.model);
  return {
    id: spec.trim(),
    model: name.provider === "ollama" ? ollamaModel(model) : model,
    ...sharesOf(baseUrl, credential, name.model),
    baseUrl,
    ...(provider.local && { maxConcurrency: 4 }),
    ...(!provider.local && { contextTokens: () => listedContextTokens(listing) }),
    price: namedPrice(provider, listing),
    mask: credentialMask(secrets),
  };
}

/** What a model that was found by its name costs. */
export function namedPrice({ local }: Provider, listing: Listing & { readonly baseUrl: string }): Model["price"] {
  return local ? localPrice(listing.baseUrl, listing.model) : () => listedPrice(listing);
}

/** One's own machine costs nothing; another's, or Ollama's cloud models, cost we do not know what. */
function localPrice(baseUrl: string, model: string): () => Promise<PriceOf> {
  const price = isLoopback(baseUrl) && !/[:-]cloud$/.test(model) ? free : unpriced;
  return () => Promise.resolve(price);
}

async function builtInModel(path: string, { local }: ModelLoaders): Promise<Model> {
  if (local) return local(path === "" ? undefined : path);
  throw new DivvyError("local_model", "There is no built-in model here.");
}

function instanceModel(model: LanguageModelV4, settings: ModelSettings): Model {
  const id = `${model.provider}:${model.modelId}`;
  const listing = listingOf(model);
  return {
    id,
    model,
    ...instanceShares(model, id, settings.id),
    baseUrl: settings.baseURL === undefined ? "" : shownUrl(checkedUrl(settings.baseURL, "A model's baseURL")),
    ...(listing && { contextTokens: () => listedContextTokens(listing) }),
    price: instancePrice(model),
    mask: instanceMask(model),
  };
}

/** What an instance costs, as far as its provider's name tells. */
export function instancePrice(model: Named): Model["price"] {
  const listing = listingOf(model);
  return () => (listing ? listedPrice(listing) : Promise.resolve(unpriced));
}

type Named = Pick<LanguageModelV4, "provider" | "modelId">;

/** Providers name themselves `anthropic.messages`, `google.vertex.chat`, `amazon-bedrock`. */
function listingOf({ provider, modelId }: Named): Listing | undefined {
  const first = provider.split(".", 1)[0] ?? "";
  const known = aliases.get(first) ?? first;
  return providers.has(known) ? { provider: known, model: modelId } : undefined;
}
