/**
 * What loading a built entry loads, seen from Node itself: a fresh process imports the entry and notes every module that comes
 * with it. Terminal, server, storage and local model stay out, and whatever the first call can still wait for.
 */
import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { shell } from "./shell.ts";

/** Packages that may be loaded with an entry; everything else of node_modules may not. */
const entries: Readonly<Record<string, readonly string[]>> = {
  "dist/index.js": ["@ai-sdk/provider", "canonicalize", "tokenx"],
  "dist/ai-sdk.js": [],
  "dist/testing.js": ["@ai-sdk/provider"],
};

/** Rooms of the house that are opened late, or never by the library. */
const late = /^src\/(cli\/|server\/|mcp\/|telemetry\/|models\/local\/|ledger\/sqlite)/;

const root = resolve(import.meta.dirname, "..");

const recorder = `
  import { registerHooks } from "node:module";
  const urls = new Set();
  registerHooks({ resolve(specifier, context, next) { const found = next(specifier, context); urls.add(found.url); return found; } });
  await import(process.argv[1]);
  console.log(JSON.stringify([...urls]));
`;

async function loadedBy(entry: string): Promise<readonly string[]> {
  const output = await shell(process.execPath, ["--input-type=module", "--eval", recorder, pathToFileURL(resolve(root, entry)).href], { cwd: root });
  const urls: unknown = JSON.parse(output.trim());
  return Array.isArray(urls) ? urls.map(String) : [];
}

/** The bundler writes above each module which file it comes from. */
function sourcesIn(chunk: string): readonly string[] {
  return [...readFileSync(chunk, "utf8").matchAll(/^\/\/ (?:#region )?(\S+\.[cm]?[jt]sx?)$/gm)].map(([, source = ""]) => source);
}

function faultsOf(url: string, packages: readonly string[]): readonly string[] {
  if (url === "node:sqlite") return [url];
  if (!url.startsWith("file:")) return [];
  const path = fileURLToPath(url);
  const installed = /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(path)?.[1]?.replace("\\", "/");
  if (installed !== undefined) return packages.includes(installed) ? [] : [installed];
  return sourcesIn(path).filter((source) => late.test(source) || source.includes("node_modules/"));
}

for (const [entry, packages] of Object.entries(entries)) {
  const urls = await loadedBy(entry);
  const chunks = urls.filter((url) => url.startsWith(pathToFileURL(resolve(root, "dist")).href)).map((url) => fileURLToPath(url));
  const sources = chunks.flatMap(sourcesIn);
  if (sources.length === 0) throw new Error(`${entry}: the bundler no longer writes where modules come from; this check sees nothing`);
  const faults = [...new Set(urls.flatMap((url) => faultsOf(url, packages)))];
  console.log(`${entry}: ${urls.length} modules, ${sources.length} sources in ${chunks.map((chunk) => relative(root, chunk)).join(", ")}`);
  for (const fault of faults) console.error(`${entry} loads ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
