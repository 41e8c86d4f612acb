import type { LanguageModelV4 } from "@ai-sdk/provider";
import { DivvyError } from "../errors.ts";
import { isRecord } from "../json.ts";
import { nearest } from "../nearest.ts";
import { isLanguageModelV4, unsupportedModel } from "./language-model.ts";

/** A model with more said about it. */
export interface ModelSettings {
  /** `"provider:model"`, or a model of the AI SDK. */
  readonly model: string | LanguageModelV4;
  /** How it is named in plans and logs. Needed where two endpoints have models of the same name. */
  readonly id?: string;
  /** Where it is reached. Of an instance this is only said here, not changed. */
  readonly baseURL?: string;
  /** Stands above the environment. Not for an instance, which has its own. */
  readonly apiKey?: string;
}

/** What stands for a model in options: its name, itself, or either with more said about it. */
export type ModelSpec = string | LanguageModelV4 | ModelSettings;

const settingNames = ["model", "id", "baseURL", "apiKey"];

/** A spec as settings, checked, since callers without types pass anything. */
export function modelSettings(spec: ModelSpec): ModelSettings {
  if (typeof spec === "string" || isLanguageModelV4(spec)) return { model: spec };
  if (!isRecord(spec) || "specificationVersion" in spec || !("model" in spec)) throw unsupportedModel(spec);
  for (const key of Object.keys(spec)) {
    if (settingNames.includes(key)) continue;
    const near = nearest(key, settingNames);
    throw new DivvyError("invalid_option", `A model has no setting "${key}"${near ? `; did you mean "${near}"?` : "."}`, {
      evidence: { known: settingNames },
    });
  }
  for (const key of ["id", "baseURL", "apiKey"] as const) {
    const value: unknown = spec[key];
    if (value !== undefined && (typeof value !== "string" || value.trim() === "")) {
      throw new DivvyError("invalid_option", `A model's ${key} is a text that is not empty.`);
    }
  }
  if (typeof spec.model === "string") return spec;
  if (!isLanguageModelV4(spec.model)) throw unsupportedModel(spec.model);
  if (spec.apiKey !== undefined) {
    throw new DivvyError("invalid_option", "A model instance has its own API key.", { hint: "Give the key to the provider that makes the model." });
  }
  return spec;
}
