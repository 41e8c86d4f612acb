import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Rolldown } from "tsdown";
import { isRecord } from "../src/json.ts";

/** The licences of what is bundled ask to be passed on: writes one file with those of every package that is in the output. */
export function thirdPartyLicenses(fileName: string): Rolldown.Plugin {
  return {
    name: "third-party-licenses",
    generateBundle(_, output) {
      const folders = new Set<string>();
      for (const chunk of Object.values(output)) {
        if (chunk.type === "chunk") for (const id of chunk.moduleIds) addPackageFolder(id, folders);
      }
      const notices = [...new Set([...folders].map(notice))].toSorted();
      if (notices.length > 0) this.emitFile({ type: "asset", fileName, source: notices.join(`\n${"-".repeat(80)}\n\n`) });
    },
  };
}

function addPackageFolder(id: string, folders: Set<string>): void {
  const folder = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replaceAll("\\", "/"))?.[1];
  if (folder !== undefined) folders.add(folder);
}

function notice(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const { name, version, license } = isRecord(manifest) ? manifest : {};
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? "" : `\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  return `${String(name)} ${String(version)} (${String(license)})\n${text}`;
}
