import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { nearest } from "../../nearest.ts";
import { readTextFile } from "./text-file.ts";
import { usageError } from "../flags/usage-error.ts";

/** Of all files together, in characters. */
const mostText = 4_194_304;

/** How many files one run takes; a glob that finds more was most likely meant otherwise. */
const mostFiles = 500;

/** The text of files by name: of each path, and of what each glob finds, in order, each once. */
export async function readContextFiles(cwd: string, typed: readonly string[]): Promise<Map<string, string>> {
  const names = new Set<string>();
  for (const pattern of typed) for (const name of await filesOf(cwd, pattern)) names.add(name);
  if (names.size > mostFiles) throw usageError(`-f finds ${names.size} files; ${mostFiles} is the most.`, "Name fewer, or a narrower glob.");
  const texts = new Map<string, string>();
  let size = 0;
  for (const name of names) {
    const text = await readTextFile(cwd, name);
    size += text.length;
    if (size > mostText) throw usageError("The files are larger than 4 MB together, too large for a context.", "Name fewer, or a narrower glob.");
    texts.set(name, text);
  }
  return texts;
}

/** A name that is there is a file, even if it has brackets in it; any other with `*?[]{}` in it is a glob. */
async function filesOf(cwd: string, pattern: string): Promise<readonly string[]> {
  const there = await stat(resolve(cwd, pattern)).catch(() => undefined);
  if (there !== undefined) return [shownName(pattern)];
  const { glob, isDynamicPattern } = await import("tinyglobby");
  if (!isDynamicPattern(pattern)) throw await notThere(cwd, pattern);
  const found = await glob(pattern, { cwd, ignore: ["**/node_modules/**", "**/.git/**"], expandDirectories: false });
  if (found.length === 0)
    throw usageError(
      `-f ${pattern} finds no file.`,
      "A glob leaves out node_modules and what begins with a dot. Quote it, so that your shell leaves it alone.",
    );
  return found.toSorted().map(shownName);
}

/** One spelling for one file, so that it is not read twice. */
function shownName(name: string): string {
  return name.replaceAll("\\", "/").replace(/^(?:\.\/+)+/, "");
}

async function notThere(cwd: string, name: string): Promise<Error> {
  const { glob } = await import("tinyglobby");
  const folder = name.includes("/") ? name.slice(0, name.lastIndexOf("/") + 1) : "";
  const siblings = await glob(`${folder}*`, { cwd, expandDirectories: false, dot: true }).catch(() => []);
  const near = nearest(name, siblings);
  return usageError(`${name} is not there.${near === undefined ? "" : ` Did you mean ${near}?`}`, "Check the name and the folder you are in.");
}
