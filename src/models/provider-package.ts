import type { Env, Provider } from "./catalog.ts";
import { providerNamed } from "./model-name.ts";
import { loadedPackage, loadInstalled, type LoadPackage, missingPackage } from "./packages.ts";
import { type GivenSettings, type ProviderSettings, settingsOf } from "./provider-settings.ts";

const openAiCompatible = { package: "@ai-sdk/openai-compatible", create: ["createOpenAICompatible"] };

/** A provider's package, loaded, and what its create function is given. */
export interface ProviderPackage extends Pick<ProviderSettings, "baseUrl" | "credential" | "secrets"> {
  readonly provider: Provider;
  /** The package that speaks to it: its own, or the general one of those that speak the OpenAI protocol. */
  readonly via: Pick<Provider, "package" | "create">;
  readonly exported: Readonly<Record<string, unknown>>;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Rejects with a `DivvyError` that says which setting or package is missing, and holds no secret. */
export async function providerPackage(name: string, given: GivenSettings, env: Env, load: LoadPackage = loadInstalled): Promise<ProviderPackage> {
  const provider = providerNamed(name);
  const { values, baseUrl: packageUrl, credential, secrets } = settingsOf(name, provider, env, given);

  const ofPackage = await loadedPackage(provider.package, load);
  const via = ofPackage || provider.openAiUrl === undefined ? provider : openAiCompatible;
  const exported = ofPackage ?? (via === provider ? undefined : await loadedPackage(via.package, load));
  if (!exported) throw missingPackage(name, provider.package);

  const baseUrl = via === provider || given.baseURL !== undefined ? packageUrl : (provider.openAiUrl ?? packageUrl);
  const openAiSettings = via.package === openAiCompatible.package && {
    name,
    baseURL: values["baseURL"] ?? baseUrl,
    // Unless asked, such servers stream no usage.
    includeUsage: true,
    supportsStructuredOutputs: name !== "openai-compatible",
  };
  return { provider, via, exported, values: { ...values, ...openAiSettings }, baseUrl, credential, secrets };
}
