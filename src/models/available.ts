import { defaultsByProvider, type Env, type Provider, providers } from "./catalog.ts";
import { describeServer, type LocalServer } from "./local-server.ts";
import { findLocalServers } from "./local-servers.ts";
import { builtIn } from "./model-name.ts";
import { loadedPackage, loadInstalled, type LoadPackage } from "./packages.ts";
import { firstSet, missingSettings } from "./provider-settings.ts";

/** How we find out what can be used here. */
export interface ModelProbes {
  /** Asks local servers. @default the platform's */
  readonly fetch?: typeof globalThis.fetch;
  /** @default from `node_modules` */
  readonly load?: LoadPackage;
  /** Whether the built-in model can run here. Absent where there is none. */
  readonly local?: () => Promise<Usability>;
}

export interface Usability {
  readonly usable: boolean;
  /** Why, or why not, in a phrase. */
  readonly why: string;
}

/** A provider, and whether it can be used here. */
export interface Availability extends Usability {
  readonly provider: string;
  /** Default models, as they are written: `"provider:model"`. */
  readonly strong?: string;
  readonly fast?: string;
  /** Of a local server: all models that can chat. */
  readonly models?: readonly string[];
}

/** Every provider, in the order in which defaults are looked for. */
export async function availableModels(env: Env, probes: ModelProbes = {}): Promise<readonly Availability[]> {
  const load = probes.load ?? loadInstalled;
  const [servers, hosted, local] = await Promise.all([
    findLocalServers(env, probes.fetch ?? globalThis.fetch),
    Promise.all([...providers].filter(([, provider]) => !provider.local).map(([name, provider]) => hostedProvider(name, provider, env, load))),
    probes.local?.() ?? { usable: false, why: "there is no built-in model here" },
  ]);
  const running = await Promise.all(servers.map((server) => localServer(server, load)));
  return [...hosted, ...running, { provider: builtIn, ...local, ...(local.usable && { strong: `${builtIn}:`, fast: `${builtIn}:` }) }];
}

async function hostedProvider(name: string, provider: Provider, env: Env, load: LoadPackage): Promise<Availability> {
  const set = (setting: string): string | undefined => firstSet(env, provider.settings[setting] ?? [])?.variable;
  const missing = missingSettings(provider, (setting) => set(setting) !== undefined);
  if (missing.length > 0) return { provider: name, usable: false, why: `${missing.join(" and ")} not set` };
  const variables = provider.needs.flat().flatMap((setting) => set(setting) ?? []);
  const why = `${variables.join(" and ")} set`;
  const lacking = provider.openAiUrl === undefined ? await packageFault(provider, load) : undefined;
  if (lacking) return { provider: name, usable: false, why: `${why}, but ${lacking}` };
  const models = defaultsByProvider.get(name);
  return { provider: name, usable: true, why, ...(models && { strong: `${name}:${models.strong}`, fast: `${name}:${models.fast}` }) };
}

async function localServer(server: LocalServer, load: LoadPackage): Promise<Availability> {
  const { provider } = server;
  const why = describeServer(server);
  if (server.state !== "ready") return { provider, usable: false, why };
  const lacking = await serverFault(server, load);
  if (lacking) return { provider, usable: false, why: `${why}, but ${lacking}`, models: server.models };
  const choice = `${provider}:${server.choice}`;
  return { provider, usable: true, why, strong: choice, fast: choice, models: server.models };
}

/** What keeps a server that was found from being used: the package that speaks to it. */
export async function serverFault(server: LocalServer, load: LoadPackage): Promise<string | undefined> {
  const provider = providers.get(server.provider);
  return provider && packageFault(provider, load);
}

async function packageFault(provider: Provider, load: LoadPackage): Promise<string | undefined> {
  try {
    return (await loadedPackage(provider.package, load)) ? undefined : `its package is not installed (npm install ${provider.package})`;
  } catch {
    return `its package cannot be loaded (npm install ${provider.package}@latest)`;
  }
}
