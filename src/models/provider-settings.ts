import { DivvyError } from "../errors.ts";
import { checkedUrl, ollamaRoot, shownUrl } from "./base-url.ts";
import type { Env, Provider } from "./catalog.ts";

/** What a provider's create function is given, and what may be shown of it. */
export interface ProviderSettings {
  readonly values: Readonly<Record<string, string>>;
  /** Where it is reached, without anything secret. */
  readonly baseUrl: string;
  /** All that tells accounts apart; secret. */
  readonly credential: string;
  /** What of it is secret each by itself, and not a region or a project. */
  readonly secrets: readonly string[];
}

/** Settings given in code; they stand above the environment. */
export interface GivenSettings {
  readonly baseURL?: string;
  readonly apiKey?: string;
}

/** The first of these variables that says something, with its name. */
export function firstSet(env: Env, variables: readonly string[]): { readonly variable: string; readonly value: string } | undefined {
  for (const variable of variables) {
    const value = env[variable]?.trim();
    if (value) return { variable, value };
  }
  return undefined;
}

/** The settings still wanting, as people would set them: `"AZURE_API_KEY"`, `"X or Y"`. */
export function missingSettings(provider: Provider, has: (setting: string) => boolean): readonly string[] {
  return provider.needs.filter((group) => !group.some(has)).map((group) => group.flatMap((setting) => provider.settings[setting] ?? []).join(" or "));
}

export function settingsOf(name: string, provider: Provider, env: Env, given: GivenSettings): ProviderSettings {
  const values: Record<string, string> = {};
  for (const [setting, variables] of Object.entries(provider.settings)) {
    const found = firstSet(env, variables);
    if (found) values[setting] = found.value;
  }
  // The key in the environment is for the server named there, and not shown to another.
  if (given.baseURL && provider.baseUrl === "") delete values["apiKey"];
  if (given.apiKey) values["apiKey"] = given.apiKey;
  if (given.baseURL) values["baseURL"] = given.baseURL;

  const missing = missingSettings(provider, (setting) => values[setting] !== undefined);
  if (missing.length > 0) {
    throw new DivvyError("missing_key", `${name}: ${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not set.`, {
      hint: `Set ${missing.join(" and ")}; \`divvy models\` shows what can be used here.`,
    });
  }

  const { baseURL, ...account } = values;
  const said = given.baseURL ? `The baseURL of ${name}` : (provider.settings["baseURL"]?.[0] ?? "baseURL");
  const baseUrl = baseURL === undefined ? filledIn(provider.baseUrl, values) : withItsPath(name, baseURL, said);
  // Said even where it is the default: the package would read this process's environment, which may be another.
  if (baseURL !== undefined || provider.settings["baseURL"]) values["baseURL"] = baseUrl;
  return { values, baseUrl, credential: Object.values(account).join("\n"), secrets: secretsOf(account) };
}

function secretsOf(account: Readonly<Record<string, string>>): string[] {
  return Object.entries(account).flatMap(([setting, value]) => (/key|token/i.test(setting) ? [value] : []));
}

function filledIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, setting: string) => values[setting] ?? "default");
}

function withItsPath(name: string, baseURL: string, said: string): string {
  if (name === "ollama") return `${ollamaRoot(baseURL, said)}/api`;
  const shown = shownUrl(checkedUrl(baseURL, said));
  // As the package does it: the bare host means its first version.
  return shown === "https://api.anthropic.com" ? `${shown}/v1` : shown;
}
