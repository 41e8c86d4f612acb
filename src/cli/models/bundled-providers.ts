import { loadInstalled, type LoadPackage } from "../../models/packages.ts";

/** What comes inside the terminal program, by literal specifiers that the bundler sees. */
const bundled: ReadonlyMap<string, () => Promise<unknown>> = new Map<string, () => Promise<unknown>>([
  ["ollama-ai-provider-v2", () => import("ollama-ai-provider-v2")],
  ["@openrouter/ai-sdk-provider", () => import("@openrouter/ai-sdk-provider")],
]);

/** Provider packages: those in the terminal program, else whatever is installed. */
export const loadBundled: LoadPackage = async (name) => (await bundled.get(name)?.()) ?? loadInstalled(name);
