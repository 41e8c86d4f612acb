import { toDivvyError } from "../../errors.ts";
import type { Usability } from "../available.ts";
import type { Env } from "../catalog.ts";
import { loadedPackage, loadInstalled } from "../packages.ts";
import { defaultWeights, weightsPath, weightsPresent, weightsUrl } from "./weights.ts";

/** The package that runs models in this process: an optional peer. */
const engine = "node-llama-cpp";

/** Whether the built-in model can run here, and what it would take. Downloads nothing. */
export async function builtInUsability(env: Env): Promise<Usability> {
  const lacking = await engineFault();
  if (lacking !== undefined) return { usable: false, why: lacking };
  const size = `${Math.round(defaultWeights.bytes / 1e6)} MB`;
  if (await weightsPresent(weightsPath(env))) return { usable: true, why: "tiny, in this process; its weights are here" };
  return { usable: true, why: `tiny, in this process; its weights (${size}) are fetched once, from ${new URL(weightsUrl(env)).host}` };
}

async function engineFault(): Promise<string | undefined> {
  try {
    return (await loadedPackage(engine, loadInstalled)) ? undefined : `${engine} is not installed (npm install ${engine})`;
  } catch (thrown) {
    return toDivvyError(thrown).message;
  }
}
