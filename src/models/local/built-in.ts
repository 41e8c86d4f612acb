import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { DivvyError } from "../../errors.ts";
import type { Env } from "../catalog.ts";
import type { Model, ModelPolicy } from "../model.ts";
import { builtIn } from "../model-name.ts";
import { free } from "../prices.ts";
import { contextTokens, type LoadEngine } from "./engine.ts";
import { type LocalModel, localModel } from "./local-model.ts";
import { planGrammar } from "./plan-grammar.ts";
import { tinyPrompts } from "./tiny-prompts.ts";
import { defaultWeights, ensureWeights, type EnsureWeightsOptions } from "./weights.ts";

export interface BuiltInOptions extends Omit<EnsureWeightsOptions, "env"> {
  readonly env: Env;
  /** A GGUF file of the user's own. @default the built-in weights, downloaded once */
  readonly path?: string;
  /** Loads the file. @default through node-llama-cpp */
  readonly load?: LoadEngine;
}

/** A model in this process; what it loaded is freed by `dispose`. */
export interface BuiltInModel extends Model, AsyncDisposable {
  readonly model: LocalModel;
}

/** Calls that are written side by side; more wait for their turn. */
const CONCURRENCY = 4;

/** What a model of 135 million parameters can do: a plan held by a grammar, and short texts laid out one after another. */
const tinyPolicy: ModelPolicy = {
  direct: "never",
  combine: "keep",
  maxSubtasks: 3,
  rounds: 1,
  maxOutputTokens: 160,
  planOutputTokens: 400,
  allowLength: true,
  planProviderOptions: { local: { grammar: planGrammar() } },
  prompts: tinyPrompts,
};

/** A model of the user's own is of a size we do not know: the grammar holds its plan, and it may say more. */
const ownPolicy: ModelPolicy = {
  direct: "never",
  combine: "keep",
  maxSubtasks: 5,
  rounds: 1,
  maxOutputTokens: 1024,
  planOutputTokens: 1024,
  allowLength: true,
  planProviderOptions: { local: { grammar: planGrammar({ maxSubtasks: 5, imperative: false }) } },
};

/** The built-in model, its weights downloaded where they are missing, or the one in a file. Rejects with a `DivvyError`. */
export async function builtInModel(options: BuiltInOptions): Promise<BuiltInModel> {
  const { path, load, weights = defaultWeights } = options;
  const loading = load && { load };
  if (path === undefined || path === "" || path === weights.name) {
    const model = localModel({ path: await ensureWeights(options), modelId: weights.name, ...loading });
    return asModel(`${builtIn}:${weights.name}`, builtIn, model, tinyPolicy);
  }
  const file = resolve(path);
  await mustBeFile(file);
  return asModel(`${builtIn}:${path}`, `${builtIn}:${file}`, localModel({ path: file, ...loading }), ownPolicy);
}

function asModel(id: string, lane: string, model: LocalModel, policy: ModelPolicy): BuiltInModel {
  return {
    id,
    model,
    lane,
    credential: lane,
    baseUrl: "",
    maxConcurrency: CONCURRENCY,
    price: () => Promise.resolve(free),
    contextTokens: () => Promise.resolve(contextTokens),
    policy,
    [Symbol.asyncDispose]: () => model.dispose(),
  };
}

async function mustBeFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return;
  throw new DivvyError("local_model", `There is no model file at ${path}.`, { hint: "Name a GGUF file: local:/path/to/file.gguf" });
}
