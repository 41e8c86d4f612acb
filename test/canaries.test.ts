import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { describe, expect, onTestFinished, test } from "vitest";
import { cli, Screen, startCli } from "../src/cli/test-world.ts";
import { FlexibleOrchestrator, type OrchestratorOptions, type Run, type RunEvent, type Governor } from "../src/index.ts";
import { sqliteLedger } from "../src/ledger/sqlite-ledger.ts";
import { type DoubleReply, providerServer, type ProviderServer } from "../src/testing/index.ts";
import { canaries, canariesIn, printed } from "./canary.ts";

/** Whole runs over HTTP, with secrets wherever there can be some, at a provider that says them back in every way. */

const anthropic = (message: string): Record<string, string | Record<string, string>> => ({ type: "error", error: { type: "authentication_error", message } });
const status = (
  code: number,
  body: string | ReturnType<typeof anthropic>,
  contentType?: string,
  headers: Readonly<Record<string, string>> = {},
): DoubleReply => ({
  fault: {
    kind: "status",
    status: code,
    body,
    ...(contentType !== undefined && { contentType }),
    headers: { "x-request-key": canaries.environment, ...headers },
  },
});
/** A call that is sent back to its queue, for longer than it may wait there. */
const sentBack = (code: number, type: string, key: string): DoubleReply =>
  status(code, { type: "error", error: { type, message: `${key} is too much` } }, undefined, { "retry-after": "3600" });

/** How providers, proxies and gateways repeat a key. */
const echoes: Readonly<Record<string, (key: string) => DoubleReply>> = {
  "a 401 that quotes it": (key) => status(401, anthropic(`invalid x-api-key: ${key}`)),
  "a 401 with nothing else": (key) => status(401, key, "text/plain"),
  "a 400 that quotes the request": (key) => status(400, anthropic(JSON.stringify({ headers: { authorization: `Bearer ${key}`, "x-api-key": key } }))),
  "a 400 in a shape of its own": (key) => status(400, { detail: { loc: "header", got: key } }),
  "a 403 with a URL": (key) => status(403, anthropic(`GET https://user:${key}@host.invalid/v1?sig=${encodeURIComponent(key)} is not allowed`)),
  "a 400 with base64": (key) => status(400, anthropic(`Basic ${Buffer.from(key).toString("base64")} ${Buffer.from(`user:${key}:x`).toString("base64url")}`)),
  "a 429 that says no for good": (key) => status(429, { error: { type: "insufficient_quota", message: `${key} has no credit` } }),
  "a 500 that says it a thousand times": (key) => status(500, anthropic(`${key} `.repeat(1000))),
  "a 502 of a proxy": (key) => status(502, `<html><body>x-api-key: ${key}</body></html>`, "text/html"),
  "what throttles, with a 429": (key) => sentBack(429, "rate_limit_error", key),
  "what is overloaded, with a 503": (key) => sentBack(503, "api_error", key),
  "what is overloaded, with a 529": (key) => sentBack(529, "overloaded_error", key),
  "an error in the stream": (key) => ({ text: "One two three four five", fault: { kind: "error-event", afterChunks: 1, data: anthropic(`Bad key ${key}`) } }),
  "an error before the stream": (key) => ({ text: "One two", fault: { kind: "error-event", afterChunks: 0, data: { error: { message: key, code: key } } } }),
  "a success that is none": (key) => ({ fault: { kind: "body", body: JSON.stringify({ error: key }), contentType: "application/json" } }),
  "half a stream": (key) => ({ fault: { kind: "body", body: `event: error\ndata: {"${key}": \n\n`, contentType: "text/event-stream" } }),
};

const names = Object.keys(echoes);
const planOf = (
  parts: readonly string[],
): string => `<tasks combine="merge">${parts.map((name, n) => `<task id="t${n}"><type>t</type><description>Do ${name}.</description></task>`).join("")}
<task id="ok1"><type>t</type><description>Do well.</description></task><task id="ok2"><type>t</type><description>Do well, too.</description></task></tasks>`;

/** A provider that repeats the secret to each worker in another way, and works for two. */
async function telltale(secret: string, ways: readonly string[] = names): Promise<ProviderServer> {
  const server = await providerServer(
    ({ system, prompt }) => {
      if (system.includes("combine=")) return planOf(ways);
      if (system.startsWith("Several workers")) return "The answer.";
      const echo = names.find((name) => prompt.includes(`Do ${name}.`));
      return echo === undefined ? "done" : (echoes[echo]?.(secret) ?? "done");
    },
    { vary: false },
  );
  onTestFinished(() => server.close());
  return server;
}

/** Longer than any call waits, in epoch milliseconds. */
const farAhead = Date.UTC(2500, 0, 1);

/** Everybody goes at once: a key that is refused for one would end the others before the provider has repeated it to them. */
const letsAllOut: Governor = {
  admit: () =>
    Promise.resolve({ accepted: () => undefined, began: () => undefined, release: () => undefined, throttled: () => farAhead, refused: () => undefined }),
};

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "divvy-canary-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Every byte of every file there, whatever it is. */
async function bytesIn(path: string): Promise<string> {
  const files = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), "latin1")));
  return [...files.map(({ name }) => name), ...texts].join("\n");
}

async function eventsOf(run: Run): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.events) events.push(event);
  return events;
}

const everyVariable = {
  ANTHROPIC_API_KEY: canaries.environment,
  OPENAI_API_KEY: canaries["another variable"],
  GEMINI_API_KEY: canaries["another variable"],
  AWS_SECRET_ACCESS_KEY: canaries["another variable"],
  MY_DATABASE_PASSWORD: canaries["another variable"],
};

const providerOptions = { anthropic: { metadata: { userId: canaries["a provider's option"] } }, x: { user: canaries["a provider's option"] } };

interface Scene {
  readonly secrets: readonly string[];
  readonly options: (server: ProviderServer, secret: string) => OrchestratorOptions;
}

const scenes: Readonly<Record<string, Scene>> = {
  "a key from the environment": {
    secrets: [canaries.environment],
    options: () => ({ model: "anthropic:claude-test" }),
  },
  "a key from the options, with signs in it": {
    secrets: [canaries["the option apiKey"], canaries["a key with signs in it"]],
    options: ({ openaiBaseUrl: baseURL }, apiKey) => ({
      orchestrator: { model: "openai-compatible:x", baseURL, apiKey },
      worker: { model: "openai-compatible:x", baseURL, apiKey },
    }),
  },
  "a provider's client of one's own": {
    secrets: [canaries["a header"], canaries["the option apiKey"], canaries["a URL's query"]],
    options: ({ openaiBaseUrl: baseURL }) => ({
      model: createOpenAICompatible({
        name: "x",
        baseURL,
        apiKey: canaries["the option apiKey"],
        headers: { "x-account": canaries["a header"] },
        queryParams: { sig: canaries["a URL's query"] },
      }).languageModel("m"),
    }),
  },
};

describe.each(Object.entries(scenes))("with %s", (_, { secrets, options }) => {
  test("a run says no secret: not in its events, its log, its outcome, its handle, nor in the ledger's files", async () => {
    for (const secret of secrets) {
      const server = await telltale(secret);
      const path = await folder();
      const ledger = sqliteLedger(join(path, "runs.sqlite"));
      const role = { providerOptions, maxOutputTokens: 100 };
      const own = options(server, secret);
      const orchestrator = new FlexibleOrchestrator(
        {
          ...own,
          ledger,
          retry: { attempts: 2, backoffMs: 1 },
          orchestrator: { ...(typeof own.orchestrator === "object" && own.orchestrator), ...role },
          worker: { ...(typeof own.worker === "object" && own.worker), ...role },
          synthesizer: role,
        },
        { governor: letsAllOut, models: { env: { ...everyVariable, ANTHROPIC_BASE_URL: server.anthropicBaseUrl } } },
      );
      const run = orchestrator.start("Do it.");
      const [events, outcome] = await Promise.all([eventsOf(run), run.outcome]);
      const files = await bytesIn(path);
      await ledger.close();

      expect(outcome).toMatchObject({ status: "partial", coverage: { done: 2, failed: names.length } });
      expect(files).toContain("runs.sqlite-wal");
      expect(files).toContain("Do it.");
      const failures = events.filter(({ type }) => type === "subtask.failed");
      expect(new Set(failures.map((event) => event.type === "subtask.failed" && event.subtaskId)).size).toBe(names.length);
      for (const text of [printed(events), printed(outcome), printed(run), printed(orchestrator), files]) expect(canariesIn(text)).toEqual([]);
      expect(printed(outcome)).toContain("[hidden]");
      // The provider did get them: this is no test of secrets that were never there.
      expect(canariesIn(JSON.stringify(server.requests.map(({ headers, body }) => ({ headers, body }))))).not.toEqual([]);
    }
  });

  test.each(names)("an error says no secret, whatever loggers print of it: %s", async (name) => {
    for (const secret of secrets) {
      const server = await providerServer(() => echoes[name]?.(secret) ?? "");
      onTestFinished(() => server.close());
      const orchestrator = new FlexibleOrchestrator(
        { ...options(server, secret), retry: { attempts: 1 } },
        { models: { env: { ...everyVariable, ANTHROPIC_BASE_URL: server.anthropicBaseUrl } } },
      );
      const thrown: unknown = await orchestrator.plan("t").then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(thrown).toMatchObject({ name: "DivvyError" });
      expect(canariesIn(printed(thrown))).toEqual([]);
    }
  });
});

describe("a base URL that holds a secret", () => {
  test.each([`http://user:${canaries["a URL's password"]}@127.0.0.1:9/v1`, `http://127.0.0.1:9/v1?key=${canaries["a URL's query"]}`])(
    "is refused, and not repeated (%#)",
    async (baseURL) => {
      const asked = [
        new FlexibleOrchestrator({ orchestrator: { model: "openai-compatible:x", baseURL } }),
        new FlexibleOrchestrator({ model: "openai-compatible:x" }, { models: { env: { OPENAI_COMPATIBLE_BASE_URL: baseURL } } }),
        new FlexibleOrchestrator({ model: "ollama:x" }, { models: { env: { OLLAMA_HOST: baseURL } } }),
      ].map((orchestrator) => orchestrator.orchestrate("t"));
      for (const outcome of await Promise.all(asked)) {
        expect(outcome).toMatchObject({ status: "failed" });
        expect(canariesIn(printed(outcome))).toEqual([]);
      }
    },
  );

  test("of a client of one's own is not repeated where fetch refuses it", async () => {
    const baseURL = `http://user:${canaries["a URL's password"]}@127.0.0.1:9/v1`;
    const model = createOpenAICompatible({ name: "x", baseURL, queryParams: { sig: canaries["a URL's query"] } }).languageModel("m");
    const orchestrator = new FlexibleOrchestrator({ model, retry: { attempts: 1 } });
    const thrown: unknown = await orchestrator.plan("t").catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: "DivvyError" });
    expect(canariesIn(printed(thrown))).toEqual([]);
  });
});

describe("in the terminal", () => {
  const secret = canaries.environment;
  // What is tried again waits for seconds.
  const ways = names.filter((name) => /^a 4|in the stream$/.test(name));
  const envFor = (server: ProviderServer, data: string): Record<string, string> => ({
    ...everyVariable,
    DIVVY_DATA_DIR: data,
    ANTHROPIC_BASE_URL: server.anthropicBaseUrl,
  });

  test("no secret is shown, written or kept, in any form of output", async () => {
    const server = await telltale(secret, ways);
    const data = await folder();
    const cwd = await folder();
    const env = envFor(server, data);
    const one = ["--model", "anthropic:claude-test", "Do it."];
    const shown: Record<string, string> = {};
    for (const argv of [
      [...one, "--json", "--out-dir", "out"],
      [...one, "--jsonl", "-o", "answer.md"],
      one,
      ["plan", ...one],
      ["show", "last"],
      ["show", "last", "--json"],
      ["show", "last", "--events"],
      ["show", "last", "--events", "--json"],
      ["show", "last", "--jsonl"],
      ["show", "last", "--subtask", "t0"],
      ["resume", "last", "--model", "anthropic:claude-test"],
      ["rerun", "last", "--subtask", "ok1", "--model", "anthropic:claude-test"],
      ["runs"],
      ["runs", "--json"],
      ["models"],
      ["models", "--json"],
    ]) {
      const { stdout, stderr } = await cli(argv, { env, cwd });
      shown[argv.join(" ")] = stdout + stderr;
    }
    expect(shown["rerun last --subtask ok1 --model anthropic:claude-test"]).toContain("A new run over the plan");
    const screen = new Screen({ isTTY: true, columns: 100, rows: 40 });
    await startCli(one, { env, cwd, stderr: screen, stdout: new Screen({ isTTY: true }) }).code;
    shown["on a terminal"] = screen.text;

    expect(Object.entries(shown).filter(([, text]) => canariesIn(text).length > 0)).toEqual([]);
    for (const text of Object.values(shown)) expect(text.length).toBeGreaterThan(30);
    expect(Object.values(shown).filter((text) => text.includes("[hidden]")).length).toBeGreaterThan(5);
    const written = await bytesIn(cwd);
    expect(written).toContain("outcome.json");
    expect(canariesIn(written)).toEqual([]);
    const kept = await bytesIn(data);
    expect(kept).toContain("runs.sqlite");
    expect(canariesIn(kept)).toEqual([]);
  });

  test.each(["what throttles, with a 429", "what is overloaded, with a 503", "what is overloaded, with a 529"])(
    "a provider that sends a call back says no secret: %s",
    async (name) => {
      const server = await telltale(secret, [name]);
      const data = await folder();
      const env = envFor(server, data);
      const { stdout, stderr } = await cli(["--model", "anthropic:claude-test", "Do it.", "--json", "--concurrency", "1"], { env });
      expect(canariesIn(stdout + stderr)).toEqual([]);
      const { stdout: events } = await cli(["show", "last", "--events", "--json"], { env });
      expect(events).toContain("[hidden] is too much");
      expect(canariesIn(events)).toEqual([]);
      expect(canariesIn(await bytesIn(data))).toEqual([]);
    },
  );

  test.each([`http://user:${canaries["a URL's password"]}@127.0.0.1:9/v1`, `http://127.0.0.1:9/v1?key=${canaries["a URL's query"]}`])(
    "a base URL that holds a secret is refused, and neither shown nor kept (%#)",
    async (baseURL) => {
      const data = await folder();
      const env = { DIVVY_DATA_DIR: data, OPENAI_COMPATIBLE_BASE_URL: baseURL, ANTHROPIC_API_KEY: secret, ANTHROPIC_BASE_URL: baseURL, OLLAMA_HOST: baseURL };
      for (const model of ["openai-compatible:x", "anthropic:claude-test", "ollama:x"]) {
        for (const flags of [[], ["--json"], ["--jsonl"]]) {
          const { code, stdout, stderr } = await cli(["--model", model, "Do it.", ...flags], { env });
          expect(code).not.toBe(0);
          expect(stdout + stderr).toMatch(/_URL|_HOST/);
          expect(canariesIn(stdout + stderr)).toEqual([]);
        }
      }
      for (const argv of [["models"], ["models", "--json"], ["runs"], ["runs", "--json"]]) {
        const { stdout, stderr } = await cli(argv, { env });
        expect(canariesIn(stdout + stderr)).toEqual([]);
      }
      expect(canariesIn(await bytesIn(data))).toEqual([]);
    },
  );

  test("a run that fails at once says no secret", async () => {
    const server = await providerServer(() => echoes["a 401 that quotes it"]?.(secret) ?? "");
    onTestFinished(() => server.close());
    const env = envFor(server, await folder());
    for (const flags of [[], ["--json"], ["--jsonl"], ["--no-save"]]) {
      const { code, stdout, stderr } = await cli(["--model", "anthropic:claude-test", "t", ...flags], { env });
      expect(code).not.toBe(0);
      expect(stderr).toContain("[hidden]");
      expect(canariesIn(stdout + stderr)).toEqual([]);
    }
  });
});
