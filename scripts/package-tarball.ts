import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { shell } from "./shell.ts";

/** Packs what is built, as it would be published. Returns the path of the archive. */
export async function packTarball(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await shell("npm", ["pack", "--ignore-scripts", "--pack-destination", folder]);
  return join(folder, `${manifest.name}-${manifest.version}.tgz`);
}
