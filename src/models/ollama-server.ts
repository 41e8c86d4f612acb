import { DivvyError } from "../errors.ts";
import { ollamaRoot } from "./base-url.ts";
import type { Env } from "./catalog.ts";
import { type Ask, listIn, soundsLikeEmbedding, textIn, textsIn } from "./local-json.ts";
import type { LocalServer, LocalState } from "./local-server.ts";
import { firstSet } from "./provider-settings.ts";

/** How many models are asked about one after another before a name must do. */
const ASKED_AT_MOST = 5;

export async function findOllama(env: Env, ask: Ask): Promise<LocalServer> {
  const root = rootIn(env);
  const server = { provider: "ollama", title: "Ollama", address: root?.replace(/^https?:\/\//, "") ?? "OLLAMA_HOST (not an address)" } as const;
  return { ...server, ...(root === undefined ? { state: "absent" } : await stateOf(root, ask)) };
}

function rootIn(env: Env): string | undefined {
  try {
    return ollamaRoot(firstSet(env, ["OLLAMA_HOST"])?.value ?? "127.0.0.1");
  } catch (error) {
    if (error instanceof DivvyError) return undefined;
    throw error;
  }
}

async function stateOf(root: string, ask: Ask): Promise<LocalState> {
  const [tags, running] = await Promise.all([ask(`${root}/api/tags`), ask(`${root}/api/ps`)]);
  const listed = listIn(tags, "models");
  if (!listed) return { state: "absent" };
  const models = listed
    .filter(mayChat)
    .sort((a, b) => time(b) - time(a))
    .map((model) => textIn(model, "name"))
    .filter((name) => name !== "");
  const inMemory = new Set(listIn(running, "models")?.map((model) => textIn(model, "name")));
  const loadedFirst = [...models.filter((name) => inMemory.has(name)), ...models.filter((name) => !inMemory.has(name))];
  const choice = await firstThatChats(loadedFirst, root, ask);
  return choice === undefined ? { state: "empty" } : { state: "ready", models, choice, because: inMemory.has(choice) ? "loaded" : "newest" };
}

async function firstThatChats(names: readonly string[], root: string, ask: Ask): Promise<string | undefined> {
  for (const name of names.slice(0, ASKED_AT_MOST)) {
    const capabilities = textsIn(await ask(`${root}/api/show`, { model: name }), "capabilities");
    if (!capabilities || capabilities.includes("completion")) return name;
  }
  return names[ASKED_AT_MOST];
}

/** From the list alone: newer versions tell capabilities, older ones the family. */
function mayChat(model: Readonly<Record<string, unknown>>): boolean {
  const capabilities = textsIn(model, "capabilities");
  if (capabilities) return capabilities.includes("completion");
  const families = textsIn(model["details"], "families") ?? [];
  return ![textIn(model, "name"), ...families].some(soundsLikeEmbedding);
}

function time(model: Readonly<Record<string, unknown>>): number {
  return Date.parse(textIn(model, "modified_at")) || 0;
}
