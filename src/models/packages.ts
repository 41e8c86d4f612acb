import { createRequire } from "node:module";
import { DivvyError } from "../errors.ts";
import { isRecord } from "../json.ts";

/** Loads a package by name. Resolves to `undefined` where it is not installed; rejects where it is, and fails to load. */
export type LoadPackage = (name: string) => Promise<unknown>;

/** What comes with Divvy, by literal specifiers that bundlers see. */
const own: ReadonlyMap<string, () => Promise<unknown>> = new Map<string, () => Promise<unknown>>([
  ["@ai-sdk/anthropic", () => import("@ai-sdk/anthropic")],
  ["@ai-sdk/openai", () => import("@ai-sdk/openai")],
  ["@ai-sdk/google", () => import("@ai-sdk/google")],
  ["@ai-sdk/openai-compatible", () => import("@ai-sdk/openai-compatible")],
]);

/** Optional packages from `node_modules`; the specifier is a variable so that bundlers leave it alone. */
export const loadInstalled: LoadPackage = async (name) => (isInstalled(name) ? import(/* @vite-ignore */ /* webpackIgnore: true */ name) : undefined);

/** Asked beforehand: a failed import looks the same whether the package or one of its own dependencies is missing. */
function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch (error) {
    // A package for `import` alone does not export itself to `require`, but it is there.
    return isRecord(error) && error["code"] === "ERR_PACKAGE_PATH_NOT_EXPORTED";
  }
}

/** The package's exports; `undefined` where it is not installed. */
export async function loadedPackage(name: string, load: LoadPackage): Promise<Record<string, unknown> | undefined> {
  try {
    const loaded: unknown = await (own.get(name)?.() ?? load(name));
    return isRecord(loaded) ? loaded : undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DivvyError("missing_package", `${name} is installed but cannot be loaded: ${reason}`, {
      hint: `Install it anew: npm install ${name}@latest`,
      cause: error,
    });
  }
}

export function missingPackage(provider: string, name: string): DivvyError {
  return new DivvyError("missing_package", `${provider}: needs a package that is not installed. Run: npm install ${name}`, {
    hint: `Run: npm install ${name}`,
  });
}
