import { createServer } from "node:http";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { wrapLanguageModel } from "ai";
import { MockLanguageModelV3, MockLanguageModelV4 } from "ai/test";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DivvyError } from "../errors.ts";
import { noUsage, type SpentUsage } from "../usage.ts";
import type { Env } from "./catalog.ts";
import type { Model } from "./model.ts";
import type { ModelSpec } from "./model-spec.ts";
import { type ModelLoaders, resolveModel } from "./resolve.ts";

const secret = "sk-very-secret-0123456789";
const million: SpentUsage = { ...noUsage, inputTokens: 1_000_000, outputTokens: 0 };

/** Nothing optional is installed. */
const bare: ModelLoaders = { load: () => Promise.resolve(undefined) };

/** A provider package that gives the model it is asked for and keeps what it was given. */
function fakePackage(create: string, specificationVersion = "v4"): { given: unknown[]; load: NonNullable<ModelLoaders["load"]> } {
  const given: unknown[] = [];
  const provider = (settings: unknown): unknown => {
    given.push(settings);
    return { languageModel: (modelId: string) => ({ specificationVersion, provider: "fake", modelId, doStream: () => undefined }) };
  };
  return { given, load: () => Promise.resolve({ [create]: provider }) };
}

async function refusal(spec: unknown, env: Env = {}, loaders: ModelLoaders = bare): Promise<DivvyError> {
  try {
    // As callers without types do it.
    await resolveModel(spec as ModelSpec, env, loaders);
  } catch (error) {
    if (error instanceof DivvyError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** A server that answers 401, and remembers what it was asked. */
async function door(): Promise<{ url: string; asked: { path: string | undefined; authorization: string | undefined; key: string | undefined }[] }> {
  const asked: { path: string | undefined; authorization: string | undefined; key: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url, authorization: request.headers.authorization, key: request.headers["x-api-key"]?.toString() });
    response.writeHead(401, { "content-type": "application/json" }).end('{"error":{"message":"no"}}');
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`, asked };
}

async function knock(model: LanguageModelV4): Promise<void> {
  const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "hi" }] }];
  await expect(model.doStream({ prompt, maxOutputTokens: 10 })).rejects.toThrow();
}

describe("a model by name", () => {
  it.each([
    ["anthropic:claude-haiku-4-5", "ANTHROPIC_API_KEY", "https://api.anthropic.com/v1"],
    ["openai:gpt-6-luna", "OPENAI_API_KEY", "https://api.openai.com/v1"],
    ["google:gemini-3.8-flash", "GOOGLE_GENERATIVE_AI_API_KEY", "https://generativelanguage.googleapis.com/v1beta"],
    ["google:gemini-3.8-flash", "GEMINI_API_KEY", "https://generativelanguage.googleapis.com/v1beta"],
  ])("%s needs only %s", async (spec, variable, baseUrl) => {
    const model = await resolveModel(spec, { [variable]: secret }, bare);
    expect(model).toMatchObject({ id: spec, baseUrl, model: { specificationVersion: "v4", modelId: spec.split(":")[1] } });
    expect(model.maxConcurrency).toBeUndefined();
    expect((await model.price())(million)).toBeGreaterThan(0);
  });

  it("is reached where ANTHROPIC_BASE_URL says, with the key from the environment that was given", async () => {
    const { url, asked } = await door();
    const model = await resolveModel("anthropic:claude-haiku-4-5", { ANTHROPIC_API_KEY: ` ${secret}\n`, ANTHROPIC_BASE_URL: `${url}/v1/` });
    expect(model.baseUrl).toBe(`${url}/v1`);
    expect(model.lane).toContain(`${url}/v1`);
    await knock(model.model);
    expect(asked).toEqual([{ path: "/v1/messages", authorization: undefined, key: secret }]);
  });

  it("heeds the environment that was given, and no other", async () => {
    vi.stubEnv("OPENAI_BASE_URL", "http://127.0.0.1:1/elsewhere");
    onTestFinished(() => void vi.unstubAllEnvs());
    const asked: string[] = [];
    vi.stubGlobal("fetch", (url: string) => {
      asked.push(url);
      return Promise.resolve(new Response("{}", { status: 401 }));
    });
    onTestFinished(() => void vi.unstubAllGlobals());
    await knock((await resolveModel("openai:gpt-6-luna", { OPENAI_API_KEY: secret })).model);
    expect(asked).toEqual(["https://api.openai.com/v1/responses"]);
  });

  it("takes the bare Anthropic host for its first version, as the package does", async () => {
    const model = await resolveModel("anthropic:claude-haiku-4-5", { ANTHROPIC_API_KEY: secret, ANTHROPIC_BASE_URL: "https://api.anthropic.com/" });
    expect(model.baseUrl).toBe("https://api.anthropic.com/v1");
  });

  it("speaks to any compatible server that the environment names", async () => {
    const { url, asked } = await door();
    const env = { OPENAI_COMPATIBLE_BASE_URL: `${url}/v1`, OPENAI_COMPATIBLE_API_KEY: secret };
    const model = await resolveModel("openai-compatible:my-model", env, bare);
    await knock(model.model);
    expect(asked).toMatchObject([{ path: "/v1/chat/completions", authorization: `Bearer ${secret}` }]);
    expect((await model.price())(million)).toBeUndefined();
  });

  it("speaks to any compatible server that the code names, and says so in lane and base URL", async () => {
    const { url, asked } = await door();
    const spec = { model: "openai-compatible:my-model", baseURL: `${url}/v1`, apiKey: secret, id: "mine" };
    const model = await resolveModel(spec, { OPENAI_COMPATIBLE_BASE_URL: "http://elsewhere.example.com" }, bare);
    expect(model).toMatchObject({ id: "mine", baseUrl: `${url}/v1`, model: { provider: "openai-compatible.chat" } });
    await knock(model.model);
    expect(asked).toMatchObject([{ authorization: `Bearer ${secret}` }]);
  });

  it("does not show the key for one compatible server to another", async () => {
    const { url, asked } = await door();
    const env = { OPENAI_COMPATIBLE_BASE_URL: "http://elsewhere.example.com", OPENAI_COMPATIBLE_API_KEY: secret };
    await knock((await resolveModel({ model: "openai-compatible:my-model", baseURL: url }, env)).model);
    expect(asked).toMatchObject([{ authorization: undefined }]);
  });

  it.each([
    ["gateway:anthropic/claude-opus-5.5", "AI_GATEWAY_API_KEY", "https://ai-gateway.vercel.sh/v1", "https://ai-gateway.vercel.sh/v4/ai"],
    ["openrouter:anthropic/claude-opus-5.5", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"],
  ])("%s goes through its package if that is installed, else over the OpenAI protocol", async (spec, variable, compatible, own) => {
    const env = { [variable]: secret };
    const [without, with_] = await Promise.all([resolveModel(spec, env, bare), resolveModel(spec, env)]);
    expect(without.baseUrl).toBe(compatible);
    expect(without.model.provider).toBe(`${spec.split(":")[0]}.chat`);
    expect(with_.baseUrl).toBe(own);
    expect(with_.model.modelId).toBe("anthropic/claude-opus-5.5");
    expect((await without.price())(million)).toBeCloseTo(4);
  });

  it("of an optional provider gets its settings from the environment", async () => {
    const groq = fakePackage("createGroq");
    await resolveModel("groq:openai/gpt-oss-120b", { GROQ_API_KEY: secret }, groq);
    expect(groq.given).toEqual([{ apiKey: secret }]);

    const bedrock = fakePackage("createAmazonBedrock");
    const env = { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: secret };
    const model = await resolveModel("amazon-bedrock:some-model", env, bedrock);
    expect(bedrock.given).toEqual([{ region: "eu-west-1", accessKeyId: "id", secretAccessKey: secret }]);
    expect(model.baseUrl).toBe("https://bedrock-runtime.eu-west-1.amazonaws.com");

    const vertex = fakePackage("createVertex");
    await resolveModel("vertex:gemini-3.8-flash", { GOOGLE_VERTEX_PROJECT: "p", GOOGLE_VERTEX_LOCATION: "l" }, vertex);
    expect(vertex.given).toEqual([{ project: "p", location: "l" }]);
  });

  it("of a local server costs nothing on this machine, and takes few calls at once", async () => {
    for (const spec of ["ollama:llama3.2", "lmstudio:qwen3", "llamacpp:gemma"]) {
      const model = await resolveModel(spec, {});
      expect(model.maxConcurrency).toBe(4);
      expect((await model.price())(million)).toBe(0);
    }
    const cloud = await resolveModel("ollama:gpt-oss:120b-cloud", {});
    expect((await cloud.price())(million)).toBeUndefined();
    const remote = await resolveModel("ollama:llama3.2", { OLLAMA_HOST: "gpu.lan" });
    expect(remote.baseUrl).toBe("http://gpu.lan:11434/api");
    expect((await remote.price())(million)).toBeUndefined();
  });

  it("local: is the built-in one, with the file where one is named", async () => {
    const asked: (string | undefined)[] = [];
    const builtIn = await resolveModel(new MockLanguageModelV4(), {});
    const local = (path: string | undefined): Promise<Model> => {
      asked.push(path);
      return Promise.resolve({ ...builtIn, id: "local:" });
    };
    expect((await resolveModel("local:", {}, { local })).id).toBe("local:");
    await resolveModel("local:/models/a.gguf", {}, { local });
    expect(asked).toEqual([undefined, "/models/a.gguf"]);
    expect((await refusal("local:")).code).toBe("local_model");
  });
});

describe("a model that cannot be had", () => {
  it("for want of a key names the variable", async () => {
    expect(await refusal("anthropic:claude-haiku-4-5", { ANTHROPIC_API_KEY: " " })).toMatchObject({
      code: "missing_key",
      message: "anthropic: ANTHROPIC_API_KEY is not set.",
    });
    expect((await refusal("google:gemini-3.8-flash")).message).toBe("google: GOOGLE_GENERATIVE_AI_API_KEY or GEMINI_API_KEY is not set.");
    expect((await refusal("azure:gpt-5")).message).toBe("azure: AZURE_API_KEY and AZURE_RESOURCE_NAME are not set.");
    expect((await refusal("openai-compatible:x")).message).toBe("openai-compatible: OPENAI_COMPATIBLE_BASE_URL is not set.");
  });

  it("for want of a package says how to install it", async () => {
    expect(await refusal("groq:openai/gpt-oss-120b", { GROQ_API_KEY: secret }, {})).toMatchObject({
      code: "missing_package",
      message: "groq: needs a package that is not installed. Run: npm install @ai-sdk/groq",
    });
    expect((await refusal("ollama:llama3.2")).message).toContain("npm install ollama-ai-provider-v2");
  });

  it("because its package is broken says that, and not that it is missing", async () => {
    const load = (): Promise<unknown> => Promise.reject(new Error("Cannot find package 'left-pad'"));
    const error = await refusal("groq:x", { GROQ_API_KEY: secret }, { load });
    expect(error).toMatchObject({ code: "missing_package", message: "@ai-sdk/groq is installed but cannot be loaded: Cannot find package 'left-pad'" });
  });

  it("because its package is of another version says which is needed", async () => {
    const env = { GROQ_API_KEY: secret };
    expect(await refusal("groq:x", env, fakePackage("createGroq", "v3"))).toMatchObject({
      code: "unsupported_model",
      message: "The installed version of @ai-sdk/groq gives no LanguageModelV4 (it gives v3).",
      hint: "Install its AI SDK 7 version: npm install @ai-sdk/groq@latest",
    });
    expect((await refusal("groq:x", env, fakePackage("somethingElse"))).code).toBe("unsupported_model");
  });

  it("because its package throws does not repeat what that says of the settings", async () => {
    const load = (): Promise<unknown> =>
      Promise.resolve({
        createGroq: (settings: { apiKey: string }) => {
          throw new TypeError(`bad key ${settings.apiKey}`);
        },
      });
    const error = await refusal("groq:x", { GROQ_API_KEY: secret }, { load });
    expect(error.code).toBe("invalid_option");
    expect(`${JSON.stringify(error)}${String(error.cause)}`).not.toContain(secret);
  });

  it.each([
    ["v2", "AI SDK 5"],
    ["v3", "AI SDK 6"],
  ])("because it speaks %s says how to wrap it", async (specificationVersion, sdk) => {
    const old = { specificationVersion, provider: "p", modelId: "m", doStream: () => undefined };
    for (const spec of [old, { model: old }]) {
      const error = await refusal(spec);
      expect(error.code).toBe("unsupported_model");
      expect(error.message).toContain(sdk);
      expect(error.hint).toContain("wrapLanguageModel({ model, middleware: [] })");
    }
  });

  it("is accepted once it is wrapped as the error says", async () => {
    const wrapped = wrapLanguageModel({ model: new MockLanguageModelV3({ modelId: "old" }), middleware: [] });
    expect((await resolveModel(wrapped, {})).model.modelId).toBe("old");
  });

  it.each([undefined, null, 5, {}, [], { model: 5 }, { specificationVersion: "v9", modelId: "m" }])("because it is none: %o", async (spec) => {
    expect((await refusal(spec)).code).toBe("unsupported_model");
  });

  it("because something is misspelt or makes no sense says what", async () => {
    expect((await refusal({ model: "openai:x", baseUrl: "http://x" })).message).toBe('A model has no setting "baseUrl"; did you mean "baseURL"?');
    expect((await refusal({ model: "openai:x", id: "" })).code).toBe("invalid_option");
    expect((await refusal({ model: new MockLanguageModelV4(), apiKey: secret })).code).toBe("invalid_option");
    expect((await refusal("openai:x", { OPENAI_API_KEY: secret, OPENAI_BASE_URL: "localhost:1" })).message).toContain("OPENAI_BASE_URL is not a URL");
  });
});

describe("a lane", () => {
  const laneOf = async (spec: ModelSpec, env: Env = { OPENAI_API_KEY: secret }): Promise<string> => (await resolveModel(spec, env)).lane;

  it("is shared by what shares endpoint, credential and model, and by nothing else", async () => {
    const lane = await laneOf("openai:a");
    expect(await laneOf({ model: "openai:a", id: "other name" })).toBe(lane);
    expect(await laneOf("openai:b")).not.toBe(lane);
    expect(await laneOf({ model: "openai:a", apiKey: "another" })).not.toBe(lane);
    expect(await laneOf({ model: "openai:a", baseURL: "https://proxy.example.com/v1" })).not.toBe(lane);
  });

  it("holds no secret, and neither does anything else that is shown of a model", async () => {
    const { id, lane, baseUrl } = await resolveModel("openai:a", { OPENAI_API_KEY: secret });
    expect(`${id} ${lane} ${baseUrl}`).not.toContain(secret);
    const query = await refusal("openai:a", { OPENAI_API_KEY: secret, OPENAI_BASE_URL: `https://proxy.example.com/v1?key=${secret}` });
    expect(JSON.stringify(query)).not.toContain(secret);
  });

  it("of an instance is its id, else the object itself", async () => {
    const [a, b] = [new MockLanguageModelV4(), new MockLanguageModelV4()];
    expect(await laneOf(a)).toBe(await laneOf({ model: a }));
    expect(await laneOf(a)).not.toBe(await laneOf(b));
    expect(await laneOf({ model: a, id: "one" })).toBe(await laneOf({ model: b, id: "one" }));
  });
});

describe("a model instance", () => {
  it("is named after its provider and model, and where it is is not known", async () => {
    const instance = new MockLanguageModelV4({ provider: "acme", modelId: "m" });
    const model = await resolveModel(instance, {});
    expect(model).toMatchObject({ id: "acme:m", baseUrl: "", model: instance });
    expect((await model.price())(million)).toBeUndefined();
  });

  it("may be given a name and a place", async () => {
    const model = await resolveModel({ model: new MockLanguageModelV4(), id: "mine", baseURL: "https://example.com/v1/" }, {});
    expect(model).toMatchObject({ id: "mine", baseUrl: "https://example.com/v1" });
  });

  it("of a provider we know has its price", async () => {
    const model = await resolveModel(new MockLanguageModelV4({ provider: "anthropic.messages", modelId: "claude-haiku-4-5" }), {});
    expect((await model.price())(million)).toBeCloseTo(1);
  });
});
