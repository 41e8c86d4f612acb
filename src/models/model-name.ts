import { DivvyError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { aliases, defaultsByProvider, type Provider, providers } from "./catalog.ts";
import { shortened } from "../shortened.ts";

/** `"provider:model"` taken apart. The model's name may itself hold colons (`ollama:llama3.2:3b`). */
export interface ModelName {
  readonly provider: string;
  readonly model: string;
}

/** The built-in model: `local:`, or `local:/path/to/file.gguf`. */
export const builtIn = "local";

const names = [...providers.keys(), ...aliases.keys(), builtIn];

/** Can this be asked for by its name? Not so a model that was handed in. */
export function isModelName(text: string): boolean {
  const provider = text.slice(0, Math.max(0, text.indexOf(":"))).toLowerCase();
  return names.includes(provider);
}

export function parseModelName(text: string): ModelName {
  const spec = text.trim();
  if (/^(sk-|sk_|AIza|gsk_|xai-|vck_)/.test(spec)) {
    throw new DivvyError("unknown_provider", "What stands in place of a model looks like an API key.");
  }
  if (/^https?:/i.test(spec)) {
    throw new DivvyError("unknown_provider", 'A URL alone names no model. Write { model: "openai-compatible:model", baseURL: "https://..." }.');
  }
  const colon = spec.indexOf(":");
  if (colon < 0) throw withoutProvider(spec);
  const written = spec.slice(0, colon).toLowerCase();
  const model = spec.slice(colon + 1);
  const provider = aliases.get(written) ?? written;
  if (provider !== builtIn && !providers.has(provider)) {
    const near = nearest(written, names);
    throw new DivvyError("unknown_provider", `There is no provider "${shown(written)}"${near ? `; did you mean "${near}:${shown(model)}"?` : "."}`, {
      evidence: { known: names },
    });
  }
  if (model === "" && provider !== builtIn) {
    throw new DivvyError("unknown_provider", `"${spec}" names no model. Write ${example(provider)}.`);
  }
  return { provider, model };
}

/** The catalog's entry for a name that `parseModelName` has passed. */
export function providerNamed(name: string): Provider {
  const provider = providers.get(name);
  if (!provider) throw new DivvyError("unknown_provider", `There is no provider "${shown(name)}".`);
  return provider;
}

function withoutProvider(spec: string): DivvyError {
  const named = names.find((name) => name === spec.toLowerCase());
  const meant = named
    ? example(named)
    : spec.includes("/")
      ? `"gateway:${shown(spec)}" or "openrouter:${shown(spec)}"`
      : example(familyOf(spec), spec || undefined);
  return new DivvyError("unknown_provider", `"${shown(spec)}" does not say which provider. Write ${meant}.`);
}

function familyOf(model: string): string {
  if (/^(gpt|o\d|chatgpt)/.test(model)) return "openai";
  if (model.startsWith("gemini")) return "google";
  return model.startsWith("claude") || model === "" ? "anthropic" : "ollama";
}

function example(provider: string, model = defaultsByProvider.get(provider)?.strong ?? (provider === builtIn ? "" : "model")): string {
  return `"${provider}:${shown(model)}"`;
}

function shown(text: string): string {
  return shortened(text, 60);
}
