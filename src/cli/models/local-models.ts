import type { Usability } from "../../models/available.ts";
import { type BuiltInModel, builtInModel } from "../../models/local/built-in.ts";
import type { DownloadProgress } from "../../models/local/download.ts";
import { builtInUsability } from "../../models/local/usability.ts";
import type { CliWorld } from "../world.ts";

export interface LocalModelsOptions {
  readonly world: CliWorld;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: DownloadProgress) => void;
}

/** The models that run in this process: made once each, freed at the end. */
export class LocalModels implements AsyncDisposable {
  readonly #options: LocalModelsOptions;
  readonly #loaded = new Map<string, Promise<BuiltInModel>>();

  constructor(options: LocalModelsOptions) {
    this.#options = options;
  }

  /** For the library's `World.models.local`. */
  readonly load = (path: string | undefined): Promise<BuiltInModel> => {
    const { world, signal, onProgress } = this.#options;
    const known = this.#loaded.get(path ?? "");
    if (known !== undefined) return known;
    const { env, fetch, loadEngine } = world;
    const model = builtInModel({ env, fetch, signal, onProgress, ...(path !== undefined && { path }), ...(loadEngine && { load: loadEngine }) });
    this.#loaded.set(path ?? "", model);
    return model;
  };

  /** Whether the built-in model can run here. */
  readonly probe = (): Promise<Usability> => builtInUsability(this.#options.world.env);

  async [Symbol.asyncDispose](): Promise<void> {
    for (const loading of this.#loaded.values()) {
      const model = await loading.catch(() => undefined);
      await model?.[Symbol.asyncDispose]();
    }
  }
}
