import type { EmbeddingModelV4 } from "@ai-sdk/provider";
import { DivvyError } from "../errors.ts";
import { isRecord } from "../json.ts";
import type { Env } from "./catalog.ts";
import { type CredentialMask, credentialMask, instanceMask } from "./credential-mask.ts";
import { madeBy } from "./language-model.ts";
import { builtIn, parseModelName } from "./model-name.ts";
import type { LoadPackage } from "./packages.ts";
import { providerPackage } from "./provider-package.ts";

/** A model that makes vectors of texts, ready to be asked. */
export interface EmbeddingModel {
  /** `"provider:model"`. */
  readonly id: string;
  readonly model: EmbeddingModelV4;
  /** Where it is reached; empty for an instance, of which that is not known. */
  readonly baseUrl: string;
  /** For whatever is repeated of its provider's words. */
  readonly mask: CredentialMask;
}

/** Its name, as events have it. */
export function embeddingModelId(choice: string | EmbeddingModelV4): string {
  return typeof choice === "string" ? choice.trim() : `${choice.provider}:${choice.modelId}`;
}

/** Makes a name or an instance an embedding model. Opens no connection. Rejects with a `DivvyError` that holds no secret. */
export async function resolveEmbeddingModel(choice: string | EmbeddingModelV4, env: Env, load?: LoadPackage): Promise<EmbeddingModel> {
  const id = embeddingModelId(choice);
  if (typeof choice !== "string") return { id, model: choice, baseUrl: "", mask: instanceMask(choice) };
  const name = parseModelName(choice);
  if (name.provider === builtIn) throw noEmbedding(id);
  const { via, exported, values, baseUrl, secrets } = await providerPackage(name.provider, {}, env, load);
  const model = madeBy(["embeddingModel", "textEmbeddingModel"], exported, via, values, name.model);
  if (!isEmbeddingModelV4(model)) throw noEmbedding(id);
  return { id, model, baseUrl, mask: credentialMask(secrets) };
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
