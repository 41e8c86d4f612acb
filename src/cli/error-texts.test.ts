import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { createAnthropic } from "@ai-sdk/anthropic";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { DivvyError, type ErrorCode, type ErrorData, errorCodes } from "../errors.ts";
import type { World } from "../assembly/assembly.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { memoryLedger } from "../ledger/memory-ledger.ts";
import type { WorkerFunction } from "../work/function-worker.ts";
import { sqliteLedger } from "../ledger/sqlite-ledger.ts";
import { isRecord } from "../json.ts";
import type { OrchestratorOptions } from "../options.ts";
import type { Evaluate } from "../role-options.ts";
import type { Outcome } from "../outcome.ts";
import { type DoubleReply, providerServer, type ProviderServer, type ReplyFunction, type Script, scriptedModel } from "../testing/index.ts";
import { errorText } from "./writing/failure.ts";
import { OutStream } from "./writing/out-stream.ts";
import { plain } from "./writing/paint.ts";
import { cli, Screen, startCli, type TestCli } from "./test-world.ts";

/**
 * What a person reads of every error there is, each brought about as it comes about. The texts stand in error-texts.txt, to be read
 * aloud: each says what happened, and what to do.
 */

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

interface Seen {
  readonly code: unknown;
  readonly text: string;
}

const open: ProviderServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

type Env = Readonly<Record<string, string>>;

/** The environment of a user whose provider says this. */
async function at(script: Script): Promise<Env> {
  const server = await providerServer(script, { vary: false });
  open.push(server);
  return {
    DIVVY_MODEL: "anthropic:claude-test",
    ANTHROPIC_API_KEY: "sk-test",
    ANTHROPIC_BASE_URL: server.anthropicBaseUrl,
    OPENAI_COMPATIBLE_BASE_URL: server.openaiBaseUrl,
  };
}

const always = (reply: DoubleReply | ReplyFunction): Script => [{ when: "", reply }];

const says = (status: number, type: string, message: string, headers: Env = {}): Script =>
  always({ fault: { kind: "status", status, body: { type: "error", error: { type, message } }, headers } });

const task = (id: string, after = ""): string => `<task id="${id}" after="${after}"><type>${id}</type><description>Do ${id}.</description></task>`;
const tasks = (combine: string, ...all: readonly string[]): string => `<tasks combine="${combine}">${all.join("")}</tasks>`;

const planned = (plan: string, worker: DoubleReply | ReplyFunction): Script => [
  { when: "You are the orchestrator", reply: plan },
  { when: "You carry out one subtask", reply: worker },
  { when: "", reply: "Number seven is best." },
];

/** What the terminal program prints, and the code it gives to a program. */
async function shown(argv: readonly string[], world: Parameters<typeof cli>[1] = {}): Promise<Seen> {
  const { stdout, stderr } = await cli([...argv, "--json"], world);
  return { code: codeIn(stdout), text: stderr };
}

async function typed(argv: readonly string[], world: Parameters<typeof cli>[1] = {}): Promise<Seen> {
  return await shown([...argv, "-q"], world);
}

/** A user's folder with a ledger in it that nobody has open. */
async function ledgerFolder(): Promise<{ readonly folder: string; readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), "divvy-texts-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "runs.sqlite");
  await sqliteLedger(path).close();
  return { folder, path };
}

/** A run whose worker takes its time. */
async function onItsWay(): Promise<{ readonly env: Env; readonly path: string; readonly running: TestCli }> {
  const { folder, path } = await ledgerFolder();
  const env = { ...(await at(planned(tasks("keep", task("a"), task("b")), { text: "done", firstMs: 1500 }))), DIVVY_DATA_DIR: folder };
  const running = startCli(["t", "-q", "--json"], { env });
  while ((open.at(-1)?.inFlight ?? 0) < 2) await pause(10);
  return { env, path, running };
}

function codeIn(json: string): unknown {
  const outcome: unknown = JSON.parse(json);
  return isRecord(outcome) && isRecord(outcome["error"]) ? outcome["error"]["code"] : undefined;
}

/** What the terminal program would print of an error that takes an option which it has no flag for, or a program that it is not. */
function printed(error: ErrorData): Seen {
  return { code: error.code, text: errorText(error, { err: new OutStream(new Screen()), errPaint: plain }) };
}

/** The error of a run in a program; one try a call, unless it is said otherwise. */
async function ran(
  env: Env,
  options: OrchestratorOptions = {},
  world: World = {},
  errorOf = (outcome: Outcome): ErrorData | undefined => ("error" in outcome ? outcome.error : undefined),
): Promise<Seen> {
  const outcome = await new FlexibleOrchestrator({ retry: { attempts: 1 }, ...options }, { models: { env }, ...world }).orchestrate("t");
  const error = errorOf(outcome);
  if (error === undefined) throw new Error(`The run was ${outcome.status}.`);
  return printed(error);
}

/** The error of a run one of whose workers is a function. */
async function codeThat(run: WorkerFunction): Promise<Seen> {
  return await ran(await at(planned(tasks("keep", task("a"), task("b")), "done")), { workers: { a: { run } } }, {}, failedResult);
}

/** The error of a run whose results are judged so. */
async function judgedBy(evaluate: Evaluate, errorOf?: (outcome: Outcome) => ErrorData | undefined): Promise<Seen> {
  return await ran(await at(planned(tasks("keep", task("a"), task("b")), "done")), { worker: { evaluate } }, {}, errorOf);
}

const evaluationError = ({ results }: Outcome): ErrorData | undefined =>
  results.flatMap((result) => (result.status === "done" ? result.evaluation?.error : []) ?? [])[0];

const failedResult = ({ results }: Outcome): ErrorData | undefined => results.flatMap((result) => (result.status === "failed" ? result.error : [])).at(-1);

function thrownBy(act: () => unknown): Seen {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof DivvyError) return printed(thrown.toJSON());
    throw thrown;
  }
  throw new Error("Nothing was thrown.");
}

/** A provider whose connection fails so, as `fetch` says it: no test can bring that about without a network. */
const unreachable = (code: string, message: string): OrchestratorOptions => ({
  model: createAnthropic({
    apiKey: "sk-test",
    baseURL: "https://api.example.com/v1",
    fetch: () => Promise.reject(new TypeError("fetch failed", { cause: Object.assign(new Error(message), { code }) })),
  })("claude-test"),
});

const ways: Readonly<Record<ErrorCode, () => Promise<Seen>>> = {
  invalid_option: () => typed(["t", "-m", "anthropic:x", "--max-subtasks", "0"], { env: { ANTHROPIC_API_KEY: "k" } }),
  invalid_plan: () => typed(["run", "t", "--plan", "-"], { stdin: Readable.from(["<tasks><task><type>a</type></task></tasks>"]) }),
  invalid_template: async () => {
    const orchestrator = new FlexibleOrchestrator({ model: scriptedModel([]), worker: { prompt: "Do {task_descripton} for {audience}." } });
    return thrownBy(() => orchestrator.start("t"));
  },
  budget_exhausted: async () => {
    const env = await at(planned(tasks("keep", task("a"), task("b")), "done"));
    return await typed(["t", "--max-calls", "2"], { env });
  },
  unknown_price: () => ran({}, { model: scriptedModel([]), budget: { usd: 1 } }),
  unknown_provider: () => typed(["t", "-m", "antropic:claude-test"]),
  missing_package: () => typed(["t", "-m", "groq:llama"], { env: { GROQ_API_KEY: "k" } }),
  missing_key: () => typed(["t", "-m", "openai:gpt-test"]),
  no_model: () =>
    ran(
      {},
      {},
      {
        models: {
          env: {},
          probes: {
            fetch: () => Promise.reject(new TypeError("fetch failed")),
            local: () => Promise.resolve({ usable: false, why: "node-llama-cpp is not installed (npm install node-llama-cpp)" }),
          },
        },
      },
    ),
  unsupported_model: async () =>
    thrownBy(() => Reflect.construct(FlexibleOrchestrator, [{ model: { specificationVersion: "v3", provider: "p", modelId: "m" } }])),
  local_model: () => typed(["t", "-m", "local:/nowhere/model.gguf"]),
  authentication: async () => typed(["t"], { env: await at(says(401, "authentication_error", "invalid x-api-key")) }),
  not_found: async () => typed(["t"], { env: await at(says(404, "not_found_error", "model: claude-test")) }),
  bad_request: async () => typed(["t"], { env: await at(says(400, "invalid_request_error", "temperature is not supported by this model")) }),
  too_large: async () => typed(["t"], { env: await at(says(413, "request_too_large", "prompt is too long: 250000 tokens > 200000 maximum")) }),
  quota_exhausted: async () => typed(["t"], { env: await at(says(402, "billing_error", "Your credit balance is too low.")) }),
  rate_limited: async () =>
    typed(["t"], { env: await at(says(429, "rate_limit_error", "This request would exceed your rate limit.", { "retry-after": "3600" })) }),
  overloaded: async () => ran(await at(says(529, "overloaded_error", "Overloaded", { "retry-after": "90" }))),
  server_error: async () => ran(await at(says(500, "api_error", "Internal server error"))),
  connection_failed: async () => {
    const env = await at([]);
    await open.at(-1)?.close();
    return ran(env);
  },
  host_not_found: () => ran({}, unreachable("ENOTFOUND", "getaddrinfo ENOTFOUND api.example.com")),
  tls: () => ran({}, unreachable("CERT_HAS_EXPIRED", "certificate has expired")),
  stream_broken: async () =>
    ran(await at(planned(tasks("keep", task("a"), task("b")), { text: "Half of a reply that", fault: { kind: "cut", afterChunks: 1 } }))),
  invalid_response: async () => ran(await at(always({ fault: { kind: "body", body: "<html>Sign in</html>", contentType: "text/html" } }))),
  idle_timeout: async () => ran(await at(always({ fault: { kind: "silence", afterChunks: 0 } })), { timeout: { idleMs: 100 } }),
  total_timeout: async () => ran(await at(always({ fault: { kind: "silence", afterChunks: 0 } })), { timeout: { orchestratorMs: 100 } }),
  admission_timeout: async () => {
    // The first worker holds the only place for as long as it is silent.
    const env = await at(planned(tasks("keep", task("a"), task("b")), { text: "x", fault: { kind: "silence", afterChunks: 0 } }));
    return ran(env, { concurrency: 1, timeout: { idleMs: 1500, admissionMs: 700 } }, {}, failedResult);
  },
  run_timeout: async () => ran(await at(always({ fault: { kind: "silence", afterChunks: 0 } })), { timeout: { runMs: 1000 } }),
  empty_response: async () => ran(await at(planned(tasks("keep", task("a"), task("b")), ""))),
  output_truncated: async () => typed(["t"], { env: await at(planned(tasks("keep", task("a"), task("b")), { text: "Half of a", finish: "length" })) }),
  refused: async () => typed(["t"], { env: await at(planned(tasks("keep", task("a"), task("b")), { text: "I will not", finish: "content-filter" })) }),
  content_filter: async () =>
    typed(["t", "-m", "openai-compatible:gpt-test"], {
      env: await at(planned(tasks("keep", task("a"), task("b")), { text: "Well", finish: "content-filter" })),
    }),
  output_invalid: async () => {
    const worker = { output: z.object({ claims: z.array(z.string()) }) };
    return await ran(await at(planned(tasks("keep", task("a"), task("b")), '{ "claims": "none" }')), { worker }, {}, failedResult);
  },
  unable: async () => typed(["t"], { env: await at(planned(tasks("keep", task("a")), "<unable>the sales figures of the last quarter</unable>")) }),
  worker_failed: async () => await codeThat(() => Promise.reject(new Error("no such table: sales"))),
  not_repeatable: async () => {
    const ledger = memoryLedger();
    const stop = new AbortController();
    const books = (): Promise<string> => {
      stop.abort();
      return new Promise(() => undefined);
    };
    const orchestrator = new FlexibleOrchestrator(
      { ledger, workers: { a: { run: books } } },
      { models: { env: await at(planned(tasks("keep", task("a")), "done")) } },
    );
    const run = orchestrator.start("t", "", { signal: stop.signal });
    await run.outcome;
    const error = failedResult(await (await orchestrator.resume(run.runId)).outcome);
    if (error === undefined) throw new Error("It was run again.");
    return printed(error);
  },
  plan_failed: async () => typed(["t", "--divide"], { env: await at(always("Certainly! I would begin with the first part.")) }),
  plan_rejected: async () => ran(await at(planned(tasks("keep", task("a"), task("b")), "done")), { approvePlan: async () => "reject" }),
  approval_failed: async () =>
    ran(await at(planned(tasks("keep", task("a"), task("b")), "done")), { approvePlan: () => Promise.reject(new Error("the mail could not be sent")) }),
  approval_needed: async () => {
    const { folder, path } = await ledgerFolder();
    const env = { ...(await at(planned(tasks("keep", task("a"), task("b")), "done"))), DIVVY_DATA_DIR: folder };
    const ledger = sqliteLedger(path);
    await ran(env, { ledger, approvePlan: async () => "reject" });
    await ledger.close();
    return typed(["resume", "last"], { env });
  },
  choice_failed: async () => {
    const { events } = new FlexibleOrchestrator(
      { synthesizer: { prompt: "{results}" } },
      { models: { env: await at(planned(tasks("choose", task("a"), task("b")), "done")) } },
    ).start("t");
    for await (const event of events) if (event.type === "synthesis.failed") return printed(event.error);
    throw new Error("The synthesis did not fail.");
  },
  no_verdict: async () => await judgedBy({ criteria: "It names the material.", threshold: 0.8 }, evaluationError),
  below_threshold: async () => await judgedBy({ judge: () => ({ score: 0.4, reasons: "It names no material." }), threshold: 0.8 }),
  dependency_cycle: async () => typed(["t"], { env: await at(planned(tasks("keep", task("a", "b"), task("b", "a")), "done")) }),
  incomplete: async () => {
    const worker: ReplyFunction = ({ prompt }) => (prompt.includes("Do a.") ? "done" : "<unable>the prices</unable>");
    return typed(["t"], { env: await at(planned(tasks("keep", task("a"), task("b")), worker)) });
  },
  nothing_done: async () => {
    const worker: ReplyFunction = ({ prompt }) => (prompt.includes("Do a.") ? { text: "I will not", finish: "content-filter" } : "<unable>the prices</unable>");
    return typed(["t"], { env: await at(planned(tasks("keep", task("a"), task("b")), worker)) });
  },
  aborted: async () => {
    const started = startCli(["-q", "--json"], { stdin: new PassThrough(), env: { ANTHROPIC_API_KEY: "k" } });
    await pause(300);
    started.signals.emit("SIGINT");
    await started.code;
    return { code: codeIn(started.stdout.text), text: started.stderr.text };
  },
  ledger_busy: async () => {
    const { folder, path } = await ledgerFolder();
    // Another program has the file for itself alone.
    using db = new DatabaseSync(path);
    db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return await typed(["t", "-m", "anthropic:x"], { env: { DIVVY_DATA_DIR: folder, ANTHROPIC_API_KEY: "k" } });
  },
  ledger_failed: async () => {
    const { folder, path } = await ledgerFolder();
    await writeFile(path, "This is no database. ".repeat(100));
    return await typed(["t", "-m", "anthropic:x"], { env: { DIVVY_DATA_DIR: folder, ANTHROPIC_API_KEY: "k" } });
  },
  ledger_version: async () => {
    const { folder, path } = await ledgerFolder();
    const db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 999");
    db.close();
    return shown(["runs"], { env: { DIVVY_DATA_DIR: folder } });
  },
  run_not_found: async () => {
    const { folder } = await ledgerFolder();
    return shown(["show", "3f2a91c4"], { env: { DIVVY_DATA_DIR: folder } });
  },
  run_held: async () => {
    const { env, running } = await onItsWay();
    const seen = await typed(["resume", "last"], { env });
    running.signals.emit("SIGINT");
    await running.code;
    return seen;
  },
  run_taken_over: async () => {
    const { path, running } = await onItsWay();
    // As a process does that goes on with it elsewhere.
    const ledger = sqliteLedger(path);
    const [newest] = await ledger.listRuns();
    await ledger.takeLease(newest?.runId ?? "none", {
      epoch: 2,
      owner: { pid: 7, host: "elsewhere", space: "", startTime: "" },
      expiresAt: Date.now() + 60_000,
    });
    await ledger.close();
    await running.code;
    return { code: codeIn(running.stdout.text), text: running.stderr.text };
  },
  run_drifted: async () => {
    const env = {
      ...(await at(planned(tasks("keep", task("a"), task("b")), { text: "I will not", finish: "content-filter" }))),
      DIVVY_DATA_DIR: (await ledgerFolder()).folder,
    };
    await typed(["t"], { env });
    return typed(["resume", "last", "-m", "anthropic:claude-other"], { env });
  },
  internal: async () => {
    const governor = { admit: () => Promise.reject(new TypeError("Cannot read properties of undefined (reading 'lane')")) };
    return ran(await at([]), {}, { governor, models: { env: { ANTHROPIC_API_KEY: "k" } } });
  },
};

test("advice for the very case stands above that for its kind, and what the message has said is not said twice", () => {
  const said = (code: ErrorCode, message: string, hint?: string): string =>
    printed(new DivvyError(code, message, hint === undefined ? {} : { hint }).toJSON()).text;
  expect(said("aborted", "The download was stopped.")).toBe("divvy: The download was stopped.\n");
  expect(said("aborted", "The download was stopped.", "What has arrived is kept.")).toBe("divvy: The download was stopped.\n  What has arrived is kept.\n");
  expect(said("missing_package", "It is not there. Run: npm install x", "Run: npm install x")).toBe("divvy: It is not there. Run: npm install x\n");
});

const codes = Object.keys(errorCodes).filter((code): code is ErrorCode => Object.hasOwn(errorCodes, code));

test("every error tells a person what happened and what to do, as error-texts.txt has it", async () => {
  const texts: string[] = [];
  for (const code of codes) {
    const seen = await ways[code]();
    expect(seen.code, seen.text).toBe(code);
    texts.push(`# ${code}\n${withoutAccidents(seen.text)}`);
  }
  await expect(texts.join("\n")).toMatchFileSnapshot("error-texts.txt");
});

/** Ports, folders, processes and ids are new each time. */
function withoutAccidents(text: string): string {
  return text
    .replace(/127\.0\.0\.1:\d{4,5}/g, "127.0.0.1:PORT")
    .replaceAll(/\S+(?=[/\\]runs\.sqlite)/g, "/home/you/.local/share/divvy")
    .replace(/process \d+ on \S+\./, "process 4711 on your-machine.")
    .replace(/[\da-f]{8}-[\da-f-]{27}/g, "3f2a91c4-8d1e-4c57-9b0a-2f6d5e7c1a90")
    .replace(/divvy resume [\da-f]{4,}/, "divvy resume 3f2a");
}
