import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeServer, type LocalServer } from "./local-server.ts";
import { findLocalServers } from "./local-servers.ts";

type Routes = Readonly<Record<string, unknown>>;

/** A server that answers these paths with JSON, and is silent on a path whose answer is "silence". */
async function serve(routes: Routes): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const path = request.url ?? "";
    const asked: unknown = body === "" ? undefined : JSON.parse(body);
    const route = routes[path];
    const answer: unknown = typeof route === "function" ? route(asked) : route;
    if (answer === "silence") return;
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(answer ?? { error: "not found" }));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

/** What is found where these servers stand at their usual addresses, over real HTTP. */
async function found(servers: { ollama?: Routes; lmstudio?: Routes; llamacpp?: Routes }): Promise<Record<LocalServer["provider"], LocalServer>> {
  const nowhere = "127.0.0.1:1";
  const hosts = new Map<string, string>();
  const places = { "127.0.0.1:11434": servers.ollama, "127.0.0.1:1234": servers.lmstudio, "127.0.0.1:8080": servers.llamacpp };
  for (const [place, routes] of Object.entries(places)) hosts.set(place, routes ? await serve(routes) : nowhere);
  const there: typeof fetch = (input, init) => {
    const url = new URL(String(input));
    url.host = hosts.get(url.host) ?? nowhere;
    return fetch(url, init);
  };
  const [ollama, lmstudio, llamacpp] = await findLocalServers({}, there);
  if (!ollama || !lmstudio || !llamacpp) throw new Error("a server is missing");
  return { ollama, lmstudio, llamacpp };
}

const tag = (name: string, modified_at: string, more: Routes = {}): Routes => ({ name, model: name, modified_at, details: { families: ["llama"] }, ...more });

describe("Ollama", () => {
  const tags = {
    models: [
      tag("old:latest", "2025-01-01T00:00:00Z"),
      tag("new:latest", "2026-10-01T00:00:00.123+02:00"),
      tag("nomic-embed-text:latest", "2026-11-01T00:00:00Z", { details: { families: ["nomic-bert"] } }),
    ],
  };

  it("is used with the model that is loaded", async () => {
    const { ollama } = await found({ ollama: { "/api/tags": tags, "/api/ps": { models: [{ name: "old:latest" }] } } });
    expect(ollama).toMatchObject({ state: "ready", choice: "old:latest", models: ["new:latest", "old:latest"] });
    expect(describeServer(ollama)).toBe("Ollama at 127.0.0.1:11434 has old:latest loaded");
  });

  it("is used with its newest model that can chat where none is loaded, or only one for embeddings", async () => {
    const { ollama } = await found({ ollama: { "/api/tags": tags, "/api/ps": { models: [{ name: "nomic-embed-text:latest" }] } } });
    expect(describeServer(ollama)).toBe("Ollama at 127.0.0.1:11434 has no model loaded; new:latest is its newest that can chat");
  });

  it("is asked what a model can do, where it can tell", async () => {
    const show = (asked: { model: string }): unknown => ({ capabilities: asked.model === "old:latest" ? ["completion", "tools"] : ["embedding"] });
    const { ollama } = await found({ ollama: { "/api/tags": tags, "/api/ps": { models: [] }, "/api/show": show } });
    expect(ollama).toMatchObject({ state: "ready", choice: "old:latest" });
  });

  it("is believed where its list tells what models can do", async () => {
    const models = [
      tag("text-embedder", "2026-10-01T00:00:00Z", { capabilities: ["completion"] }),
      tag("llama-vectors", "2026-11-01T00:00:00Z", { capabilities: ["embedding"] }),
    ];
    const { ollama } = await found({ ollama: { "/api/tags": { models } } });
    expect(ollama).toMatchObject({ state: "ready", models: ["text-embedder"] });
  });

  it("with nothing that can chat is told apart from none", async () => {
    const { ollama } = await found({ ollama: { "/api/tags": { models: [] } } });
    expect(describeServer(ollama)).toBe("Ollama at 127.0.0.1:11434 has no model that can chat");
    expect((await found({})).ollama.state).toBe("absent");
  });

  it("is looked for where OLLAMA_HOST points", async () => {
    const host = await serve({ "/api/tags": tags });
    const [ollama] = await findLocalServers({ OLLAMA_HOST: `http://${host}/` }, fetch);
    expect(ollama).toMatchObject({ address: host, state: "ready", choice: "new:latest" });
    const [nowhere] = await findLocalServers({ OLLAMA_HOST: "http://me:secret@example.com" }, fetch);
    expect(nowhere).toMatchObject({ state: "absent" });
    expect(JSON.stringify(nowhere)).not.toContain("secret");
  });
});

describe("LM Studio", () => {
  const models = [
    { id: "text-embedding-nomic", type: "embeddings", state: "loaded" },
    { id: "qwen3-8b", type: "llm", state: "not-loaded" },
    { id: "gemma-vision", type: "vlm", state: "loaded" },
  ];

  it("is used with the model that is loaded", async () => {
    const { lmstudio } = await found({ lmstudio: { "/api/v0/models": { data: models } } });
    expect(lmstudio).toMatchObject({ state: "ready", choice: "gemma-vision", because: "loaded", models: ["qwen3-8b", "gemma-vision"] });
  });

  it("is used with its first that can chat, where its own API does not answer", async () => {
    const { lmstudio } = await found({ lmstudio: { "/v1/models": { data: models.map(({ id }) => ({ id })) } } });
    expect(describeServer(lmstudio)).toBe("LM Studio at 127.0.0.1:1234 offers qwen3-8b");
  });
});

describe("llama.cpp", () => {
  it("is used with what it serves", async () => {
    const { llamacpp } = await found({ llamacpp: { "/v1/models": { data: [{ id: "gemma.gguf", owned_by: "llamacpp" }] } } });
    expect(describeServer(llamacpp)).toBe("llama.cpp at 127.0.0.1:8080 has gemma.gguf loaded");
    const older = await found({ llamacpp: { "/v1/models": { data: [{ id: "gemma.gguf" }] }, "/props": { default_generation_settings: {} } } });
    expect(older.llamacpp.state).toBe("ready");
  });

  it("is not mistaken for whatever else listens on its port", async () => {
    const { llamacpp } = await found({ llamacpp: { "/v1/models": { data: [{ id: "x", owned_by: "someone" }] }, "/props": { hello: "world" } } });
    expect(llamacpp.state).toBe("absent");
    expect((await found({ llamacpp: { "/v1/models": ["nonsense"] } })).llamacpp.state).toBe("absent");
  });
});

describe("looking for servers", () => {
  it("does not wait for one that is silent", async () => {
    const started = performance.now();
    const silent = { "/api/tags": "silence", "/api/ps": "silence", "/v1/models": "silence", "/api/v0/models": "silence", "/props": "silence" };
    const servers = await found({ ollama: silent, lmstudio: silent, llamacpp: silent });
    expect(Object.values(servers).map(({ state }) => state)).toEqual(["absent", "absent", "absent"]);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
