import type { Env } from "./catalog.ts";
import { findLlamaCpp } from "./llamacpp-server.ts";
import { findLmStudio } from "./lmstudio-server.ts";
import { asking } from "./local-json.ts";
import type { LocalServer } from "./local-server.ts";
import { findOllama } from "./ollama-server.ts";

/** Looks for model servers on this machine (and where `OLLAMA_HOST` points), all at once, for some 300 ms a question. */
export async function findLocalServers(env: Env, fetch: typeof globalThis.fetch): Promise<readonly LocalServer[]> {
  const ask = asking(fetch);
  return Promise.all([findOllama(env, ask), findLmStudio(ask), findLlamaCpp(ask)]);
}
