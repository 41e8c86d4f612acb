import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { round, table } from "./report.ts";

/** Self time by whose code it is, and of this package by function. Milliseconds, the mean of a folder's profiles. */
export interface CpuShares {
  readonly byOwner: ReadonlyMap<string, number>;
  readonly ours: ReadonlyMap<string, number>;
}

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number } }[];
  readonly samples: readonly number[];
  /** Between a sample and the one before it, in microseconds. */
  readonly timeDeltas: readonly number[];
}

const us = "this package";

/** Reads what `--cpu-prof` wrote: whole processes, their start and warm-up included. */
export function cpuShares(folder: string): CpuShares {
  const files = globSync("*.cpuprofile", { cwd: folder });
  const byOwner = new Map<string, number>();
  const ours = new Map<string, number>();
  for (const file of files) {
    const { nodes, samples, timeDeltas }: CpuProfile = JSON.parse(readFileSync(join(folder, file), "utf8"));
    const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
    for (const [index, id] of samples.entries()) {
      const frame = frames.get(id);
      const ms = (timeDeltas[index + 1] ?? 0) / 1000 / files.length;
      if (frame === undefined || frame.functionName === "(idle)") continue;
      const owner = ownerOf(frame);
      byOwner.set(owner, (byOwner.get(owner) ?? 0) + ms);
      if (owner !== us) continue;
      const name = `${frame.functionName || "(no name)"}, line ${frame.lineNumber + 1} of ${frame.url.split("/").at(-1)}`;
      ours.set(name, (ours.get(name) ?? 0) + ms);
    }
  }
  return { byOwner, ours };
}

function ownerOf({ url, functionName }: { readonly url: string; readonly functionName: string }): string {
  const installed = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (installed !== undefined) return installed;
  if (url.startsWith("node:internal/webstreams/")) return "Node: web streams";
  if (url.startsWith("node:internal/deps/undici/")) return "Node: fetch (undici)";
  // Taking the types off the bench's own files is part of it.
  if (url.startsWith("node:")) return "Node: other";
  if (url.includes("/dist/")) return us;
  if (url !== "") return "the bench";
  return functionName === "(garbage collector)" ? "garbage collection" : "V8 and native code";
}

/** Owners that take less than this part of all are left out. */
const leastShare = 0.005;

export function ownersTable(bare: CpuShares, divvy: CpuShares): string {
  const all = [...divvy.byOwner.values()].reduce((sum, ms) => sum + ms, 0);
  const owners = descending(divvy.byOwner).filter(([, ms]) => ms >= all * leastShare);
  return table(
    ["self time", "bare doStream, ms", "divvy, ms"],
    owners.map(([owner, ms]) => [owner, round(bare.byOwner.get(owner) ?? 0), round(ms)]),
  );
}

export function functionsTable({ ours }: CpuShares): string {
  const top = descending(ours).slice(0, 10);
  return table(
    ["function of this package", "self time, ms"],
    top.map(([name, ms]) => [name, round(ms, 1)]),
  );
}

function descending(shares: ReadonlyMap<string, number>): [string, number][] {
  return [...shares].sort(([, a], [, b]) => b - a);
}
