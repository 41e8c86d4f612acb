import { DivvyError } from "../errors.ts";
import type { Notice } from "../notice.ts";
import { type ModelProbes, serverFault } from "./available.ts";
import { defaultsByProvider, type Env, providers } from "./catalog.ts";
import { describeServer } from "./local-server.ts";
import { findLocalServers } from "./local-servers.ts";
import { builtIn } from "./model-name.ts";
import { loadInstalled } from "./packages.ts";
import { firstSet } from "./provider-settings.ts";

/** The models of a run for which none was named, each as `"provider:model"`. */
export interface ChosenModels {
  readonly orchestrator: string;
  readonly synthesizer: string;
  readonly worker: string;
  /** One phrase for people. */
  readonly why: string;
  /** What a run with them has to say. */
  readonly notice?: Notice;
}

/** `DIVVY_MODEL`, else the first key in the catalog's order, else the first local server, else the built-in model. */
export async function defaultModels(env: Env, probes: ModelProbes = {}): Promise<ChosenModels> {
  const named = firstSet(env, ["DIVVY_MODEL"]);
  if (named) return oneModel(named.value, "DIVVY_MODEL is set");

  for (const [provider, { strong, fast }] of defaultsByProvider) {
    const key = firstSet(env, keysOf(provider));
    if (!key) continue;
    const model = `${provider}:${strong}`;
    return { orchestrator: model, synthesizer: model, worker: `${provider}:${fast}`, why: `${key.variable} is set` };
  }

  const faults: string[] = [];
  for (const server of await findLocalServers(env, probes.fetch ?? globalThis.fetch)) {
    const fault = server.state === "ready" ? await serverFault(server, probes.load ?? loadInstalled) : undefined;
    if (server.state === "ready" && !fault) return oneModel(`${server.provider}:${server.choice}`, describeServer(server));
    faults.push(describeServer(server) + (fault ? `, but ${fault}` : ""));
  }

  const local = await probes.local?.();
  if (local?.usable) return { ...oneModel(`${builtIn}:`, "no key is set and no model server is running; the built-in model is used"), notice: tiny };
  throw nothingUsable([...faults, ...(local ? [`built-in model: ${local.why}`] : [])]);
}

/** A program that has lost its key would else not know why its texts are poor. */
const tiny: Notice = {
  code: "built_in_model",
  message:
    "No key is set and no model server is running, so the built-in model stands in for the models that were not named. It has 135 million parameters, and writes no good texts.",
};

function oneModel(model: string, why: string): ChosenModels {
  return { orchestrator: model, synthesizer: model, worker: model, why };
}

function keysOf(provider: string): readonly string[] {
  return providers.get(provider)?.settings["apiKey"] ?? [];
}

function nothingUsable(faults: readonly string[]): DivvyError {
  const keys = [...defaultsByProvider.keys()].flatMap(keysOf);
  return new DivvyError("no_model", `No model can be used here: no key is set; ${faults.join("; ")}.`, {
    hint: `Set a key (${keys.join(", ")}), or start a model server (Ollama, LM Studio, llama.cpp), or name a model file (local:/path/to/file.gguf).`,
  });
}
