import type { EmbeddingModelV4 } from "@ai-sdk/provider";
import { DivvyError } from "../errors.ts";
import { isRecord } from "../json.ts";
import type { Env } from "./catalog.ts";
import { credentialMask, instanceMask } from "./credential-mask.ts";
import { madeBy } from "./language-model.ts";
import type { Model } from "./model.ts";
import { builtIn, parseModelName } from "./model-name.ts";
import type { LoadPackage } from "./packages.ts";
import { providerPackage } from "./provider-package.ts";
import { instancePrice, namedPrice } from "./resolve.ts";
import { instanceShares, sharesOf } from "./shares.ts";

/** A model that makes vectors of texts, ready to be asked. */
export interface EmbeddingModel extends Pick<Model, "id" | "lane" | "credential" | "baseUrl" | "maxConcurrency" | "price" | "mask"> {
  readonly model: EmbeddingModelV4;
}

/** Its name, as events have it. */
export function embeddingModelId(choice: string | EmbeddingModelV4): string {
  return typeof choice === "string" ? choice.trim() : `${choice.provider}:${choice.modelId}`;
}

/** Makes a name or an instance an embedding model. Opens no connection. Rejects with a `DivvyError` that holds no secret. */
export async function resolveEmbeddingModel(choice: string | EmbeddingModelV4, env: Env, load?: LoadPackage): Promise<EmbeddingModel> {
  const id = embeddingModelId(choice);
  if (typeof choice !== "string") {
    return { id, model: choice, ...instanceShares(choice, id, undefined), baseUrl: "", price: instancePrice(choice), mask: instanceMask(choice) };
  }
  const name = parseModelName(choice);
  if (name.provider === builtIn) throw noEmbedding(id);
  const { provider, via, exported, values, baseUrl, credential, secrets } = await providerPackage(name.provider, {}, env, load);
  const model = madeBy(["embeddingModel", "textEmbeddingModel"], exported, via, values, name.model);
  if (!isEmbeddingModelV4(model)) throw noEmbedding(id);
  const { lane } = sharesOf(baseUrl, credential, name.model);
  return {
    id,
    model,
    lane,
    // A key that is not taken here may be good for all else: whoever does without a vector goes on.
    credential: lane,
    baseUrl,
    ...(provider.local && { maxConcurrency: 4 }),
    price: namedPrice(provider, { ...name, baseUrl }),
    mask: credentialMask(secrets),
  };
}

function isEmbeddingModelV4(value: unknown): value is EmbeddingModelV4 {
  return (
    isRecord(value) &&
    value["specificationVersion"] === "v4" &&
    typeof value["provider"] === "string" &&
    typeof value["modelId"] === "string" &&
    typeof value["doEmbed"] === "function"
  );
}

function noEmbedding(id: string): DivvyError {
  return new DivvyError("unsupported_model", `${id} is no embedding model that Divvy can ask.`, {
    hint: 'Name one of a provider that has them, such as "openai:text-embedding-3-small", or pass an EmbeddingModelV4 (AI SDK 7).',
  });
}
