/**
 * What Divvy knows of providers, and all default model ids. Data only: nothing here is loaded or asked.
 */

/** Variables of the environment, always injected. */
export type Env = Readonly<Record<string, string | undefined>>;

export interface Provider {
  /** The npm package that speaks to it. */
  readonly package: string;
  /** Its create function, under its current name first. */
  readonly create: readonly string[];
  /** The create function's settings, each with the environment variables it is read from; the first that is set counts. */
  readonly settings: Readonly<Record<string, readonly string[]>>;
  /** Settings it cannot do without: one of each group. */
  readonly needs: readonly (readonly string[])[];
  /** Where it is reached unless a base URL is given; `{setting}` stands for a setting. */
  readonly baseUrl: string;
  /** Its name in the price list, whether or not that lists it. */
  readonly prices?: string;
  /** Where it speaks the OpenAI protocol, which we use if its package is not installed. */
  readonly openAiUrl?: string;
  /** A server for one's own machine: few calls at once, and free of charge on loopback. */
  readonly local?: true;
}

const openAiCompatible = { package: "@ai-sdk/openai-compatible", create: ["createOpenAICompatible"] } as const;

/** A provider that wants an API key and nothing else. */
function byKey(name: string, create: string, apiKey: readonly string[], baseUrl: string, more: Partial<Provider> = {}): Provider {
  const settings = { apiKey, ...more.settings };
  return { package: `@ai-sdk/${name}`, create: [create], needs: [["apiKey"]], baseUrl, prices: name, ...more, settings };
}

export const providers: ReadonlyMap<string, Provider> = new Map<string, Provider>([
  [
    "anthropic",
    byKey("anthropic", "createAnthropic", ["ANTHROPIC_API_KEY"], "https://api.anthropic.com/v1", {
      settings: { baseURL: ["ANTHROPIC_BASE_URL"] },
    }),
  ],
  [
    "openai",
    byKey("openai", "createOpenAI", ["OPENAI_API_KEY"], "https://api.openai.com/v1", {
      settings: { baseURL: ["OPENAI_BASE_URL"] },
    }),
  ],
  ["google", byKey("google", "createGoogle", ["GOOGLE_GENERATIVE_AI_API_KEY", "GEMINI_API_KEY"], "https://generativelanguage.googleapis.com/v1beta")],
  [
    "gateway",
    byKey("gateway", "createGateway", ["AI_GATEWAY_API_KEY"], "https://ai-gateway.vercel.sh/v4/ai", { openAiUrl: "https://ai-gateway.vercel.sh/v1" }),
  ],
  [
    "openrouter",
    byKey("openrouter", "createOpenRouter", ["OPENROUTER_API_KEY"], "https://openrouter.ai/api/v1", {
      package: "@openrouter/ai-sdk-provider",
      openAiUrl: "https://openrouter.ai/api/v1",
    }),
  ],
  ["groq", byKey("groq", "createGroq", ["GROQ_API_KEY"], "https://api.groq.com/openai/v1")],
  ["mistral", byKey("mistral", "createMistral", ["MISTRAL_API_KEY"], "https://api.mistral.ai/v1")],
  ["xai", byKey("xai", "createXai", ["XAI_API_KEY"], "https://api.x.ai/v1", { prices: "x-ai" })],
  ["deepseek", byKey("deepseek", "createDeepSeek", ["DEEPSEEK_API_KEY"], "https://api.deepseek.com")],
  ["cohere", byKey("cohere", "createCohere", ["COHERE_API_KEY"], "https://api.cohere.com/v2")],
  ["togetherai", byKey("togetherai", "createTogetherAI", ["TOGETHER_API_KEY"], "https://api.together.xyz/v1", { prices: "together" })],
  ["fireworks", byKey("fireworks", "createFireworks", ["FIREWORKS_API_KEY"], "https://api.fireworks.ai/inference/v1")],
  ["cerebras", byKey("cerebras", "createCerebras", ["CEREBRAS_API_KEY"], "https://api.cerebras.ai/v1")],
  ["perplexity", byKey("perplexity", "createPerplexity", ["PERPLEXITY_API_KEY"], "https://api.perplexity.ai")],
  ["moonshotai", byKey("moonshotai", "createMoonshotAI", ["MOONSHOT_API_KEY"], "https://api.moonshot.ai/v1")],
  ["deepinfra", byKey("deepinfra", "createDeepInfra", ["DEEPINFRA_API_KEY"], "https://api.deepinfra.com/v1")],
  [
    "bedrock",
    {
      package: "@ai-sdk/amazon-bedrock",
      create: ["createAmazonBedrock"],
      settings: {
        region: ["AWS_REGION"],
        apiKey: ["AWS_BEARER_TOKEN_BEDROCK"],
        accessKeyId: ["AWS_ACCESS_KEY_ID"],
        secretAccessKey: ["AWS_SECRET_ACCESS_KEY"],
        sessionToken: ["AWS_SESSION_TOKEN"],
      },
      needs: [["region"], ["apiKey", "accessKeyId"]],
      baseUrl: "https://bedrock-runtime.{region}.amazonaws.com",
      prices: "aws",
    },
  ],
  [
    "azure",
    {
      package: "@ai-sdk/azure",
      create: ["createAzure"],
      settings: { apiKey: ["AZURE_API_KEY"], resourceName: ["AZURE_RESOURCE_NAME"] },
      needs: [["apiKey"], ["resourceName", "baseURL"]],
      baseUrl: "https://{resourceName}.openai.azure.com/openai",
      prices: "azure",
    },
  ],
  [
    "vertex",
    {
      package: "@ai-sdk/google-vertex",
      create: ["createGoogleVertex", "createVertex"],
      settings: { apiKey: ["GOOGLE_VERTEX_API_KEY"], project: ["GOOGLE_VERTEX_PROJECT"], location: ["GOOGLE_VERTEX_LOCATION"] },
      needs: [["apiKey", "project"]],
      baseUrl: "https://aiplatform.googleapis.com/{project}/{location}",
      prices: "google",
    },
  ],
  [
    "openai-compatible",
    {
      ...openAiCompatible,
      settings: { baseURL: ["OPENAI_COMPATIBLE_BASE_URL"], apiKey: ["OPENAI_COMPATIBLE_API_KEY"] },
      needs: [["baseURL"]],
      baseUrl: "",
    },
  ],
  [
    "ollama",
    {
      package: "ollama-ai-provider-v2",
      create: ["createOllama"],
      settings: { baseURL: ["OLLAMA_HOST"] },
      needs: [],
      baseUrl: "http://127.0.0.1:11434/api",
      local: true,
    },
  ],
  ["lmstudio", { ...openAiCompatible, settings: {}, needs: [], baseUrl: "http://127.0.0.1:1234/v1", local: true }],
  ["llamacpp", { ...openAiCompatible, settings: {}, needs: [], baseUrl: "http://127.0.0.1:8080/v1", local: true }],
]);

/** Other names under which people know a provider. */
export const aliases: ReadonlyMap<string, string> = new Map([
  ["amazon-bedrock", "bedrock"],
  ["google-vertex", "vertex"],
]);

/** A provider's strong model plans and joins; its fast one works. */
export interface DefaultModels {
  readonly strong: string;
  readonly fast: string;
}

/**
 * The default models, in the order in which keys are looked for: the newest of their families that the price list
 * knows, so that a budget in dollars holds. Keys of other providers are used by name, never by default.
 */
export const defaultsByProvider: ReadonlyMap<string, DefaultModels> = new Map([
  ["anthropic", { strong: "claude-opus-5-5", fast: "claude-haiku-4-5" }],
  ["openai", { strong: "gpt-6-sol", fast: "gpt-6-luna" }],
  ["google", { strong: "gemini-3.1-pro-preview", fast: "gemini-3.8-flash" }],
  ["gateway", { strong: "anthropic/claude-opus-5.5", fast: "anthropic/claude-haiku-4.5" }],
  ["openrouter", { strong: "anthropic/claude-opus-5.5", fast: "anthropic/claude-haiku-4.5" }],
]);
