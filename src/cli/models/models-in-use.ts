import type { ModelProbes } from "../../models/available.ts";
import type { ModelSources } from "../../assembly/found-models.ts";
import { loadBundled } from "./bundled-providers.ts";
import type { RequestFlags } from "../flags/command.ts";
import { DownloadBar } from "./download-bar.ts";
import { LocalModels } from "./local-models.ts";
import type { Terminal } from "../terminal.ts";

/** Where the terminal program finds models; what it loaded into this process is freed at the end. */
export interface ModelsInUse extends AsyncDisposable {
  readonly sources: ModelSources;
  readonly probes: ModelProbes;
}

export function modelsInUse(
  { world, err, signal }: Terminal,
  { quiet, models }: Pick<RequestFlags, "quiet"> & Partial<Pick<RequestFlags, "models">>,
): ModelsInUse {
  const bar = new DownloadBar(err, world.env);
  const local = new LocalModels({ world, signal, onProgress: quiet ? () => undefined : bar.show });
  const probes: ModelProbes = { fetch: world.fetch, load: loadBundled, local: local.probe };
  const sources: ModelSources = { env: world.env, load: loadBundled, local: local.load, probes, ...(models && { prices: models.prices }) };
  return { probes, sources, [Symbol.asyncDispose]: () => local[Symbol.asyncDispose]() };
}
