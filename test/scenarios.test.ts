import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { FlexibleOrchestrator } from "../src/index.ts";
import type { OrchestratorOptions } from "../src/index.ts";
import { type DoubleReply, type ProviderServer, providerServer, type ProviderServerOptions, type ReplyFunction } from "../src/testing/index.ts";

/** Whole runs over real HTTP, through the providers' own packages, in both wire formats. */

interface Wire {
  readonly name: string;
  readonly model: string;
  readonly env: (server: ProviderServer) => Record<string, string>;
}

const wires: readonly Wire[] = [
  { name: "anthropic", model: "anthropic:claude-test", env: (server) => ({ ANTHROPIC_API_KEY: "test-key", ANTHROPIC_BASE_URL: server.anthropicBaseUrl }) },
  { name: "openai-compatible", model: "openai-compatible:test", env: (server) => ({ OPENAI_COMPATIBLE_BASE_URL: server.openaiBaseUrl }) },
];

function task(id: string, description: string): string {
  return `<task id="${id}"><type>${id}</type><description>${description}</description></task>\n`;
}

const head = `<analysis>One part each.</analysis>\n<tasks combine="merge">\n`;
const threeTasks = `${head}${task("one", "Do the first.")}${task("two", "Do the second.")}${task("three", "Do the third.")}</tasks>`;

interface Answers {
  readonly plan: DoubleReply | ReplyFunction;
  readonly worker: DoubleReply | ReplyFunction;
}

async function serve({ plan, worker }: Answers, options?: ProviderServerOptions): Promise<ProviderServer> {
  const script = [
    { when: "You are the orchestrator", reply: plan },
    { when: "You carry out one subtask", reply: worker },
    { when: "Several workers each", reply: "The joined answer." },
  ];
  return await providerServer(script, options);
}

function orchestratorAt(server: ProviderServer, wire: Wire, options: OrchestratorOptions = {}): FlexibleOrchestrator {
  return new FlexibleOrchestrator({ model: wire.model, retry: { backoffMs: 1 }, ...options }, { models: { env: wire.env(server) } });
}

const isWorker = ({ system }: { system: string }): boolean => system.includes("You carry out one subtask");

describe.each(wires)("over $name", (wire) => {
  test("a run is planned, worked and joined, and its usage is what the provider reported", async () => {
    await using server = await serve({
      plan: { text: threeTasks, usage: { inputTokens: 1000, outputTokens: 100 } },
      worker: ({ prompt }) => ({ text: `done: ${/Do the (\w+)/.exec(prompt)?.[1]}`, usage: { inputTokens: 10, outputTokens: 5 } }),
    });
    const outcome = await orchestratorAt(server, wire).orchestrate("Write it.");
    expect(outcome).toMatchObject({
      status: "ok",
      text: "The joined answer.",
      calls: 5,
      results: [{ result: "done: first" }, { result: "done: second" }, { result: "done: third" }],
      usage: { estimatedTokens: 0, byRole: { orchestrator: { inputTokens: 1000, outputTokens: 100 }, worker: { inputTokens: 30, outputTokens: 15 } } },
    });
  });

  test("a task like an earlier one takes over its plan", async () => {
    await using server = await serve({ plan: threeTasks, worker: "done" });
    const embed = createOpenAICompatible({ name: "vectors", baseURL: server.openaiBaseUrl }).embeddingModel("words");
    const orchestrator = orchestratorAt(server, wire, { planCache: { embed, threshold: 0.7 } });
    expect(await orchestrator.orchestrate("Write a guide to Lisbon.")).toMatchObject({ status: "ok", calls: 6 });
    expect(await orchestrator.orchestrate("Write a guide to Porto.")).toMatchObject({
      status: "ok",
      calls: 5,
      usage: { byRole: { orchestrator: { inputTokens: 5, outputTokens: 0 } } },
      results: [{ id: "one" }, { id: "two" }, { id: "three" }],
    });
    expect(await orchestrator.orchestrate("Count to ten.")).toMatchObject({ status: "ok", calls: 6 });
    expect(server.embeddings.map(({ texts }) => texts)).toEqual([["Write a guide to Lisbon."], ["Write a guide to Porto."], ["Count to ten."]]);
  });

  test("a lookup that is throttled waits as it is told, is no further try, and is booked once", async () => {
    const embeddingFault = (n: number) => (n === 1 ? { status: 429, headers: { "retry-after": "0.3" } } : undefined);
    await using server = await serve({ plan: threeTasks, worker: "done" }, { embeddingFault });
    const embed = createOpenAICompatible({ name: "vectors", baseURL: server.openaiBaseUrl }).embeddingModel("words");
    const run = orchestratorAt(server, wire, { planCache: { embed, threshold: 0.7 }, retry: { attempts: 1 } }).start("Write a guide to Lisbon.");
    expect(await run.outcome).toMatchObject({ status: "ok", calls: 6, coverage: { notices: [] } });
    const facts = (await Array.fromAsync(run.events)).flatMap((event) => ("part" in event && event.part === "lookup" ? [event] : []));
    expect(facts).toMatchObject([
      { type: "attempt.started", attempt: 1, requeues: 0 },
      { type: "attempt.settled", calls: 0, usage: { totalTokens: 0 } },
      { type: "governor.throttled", model: "vectors.embedding:words", reason: "rate_limited" },
      { type: "attempt.started", attempt: 1, requeues: 1 },
      { type: "attempt.settled", usage: { inputTokens: 5 } },
    ]);
    const [, , sentBack, again] = facts;
    if (sentBack?.type !== "governor.throttled" || again === undefined) throw new Error("It was not throttled.");
    expect(again.at).toBeGreaterThanOrEqual(Math.floor(sentBack.until));
    expect(server.embeddings).toHaveLength(2);
  });

  test("a key that is not good for vectors is good for all else: the plan is asked for", async () => {
    await using server = await serve({ plan: threeTasks, worker: "done" }, { embeddingFault: () => ({ status: 401 }) });
    const env = { ...wire.env(server), OPENAI_COMPATIBLE_BASE_URL: server.openaiBaseUrl };
    const orchestrator = orchestratorAt(server, { ...wire, env: () => env }, { planCache: { embed: "openai-compatible:test", threshold: 0.7 } });
    expect(await orchestrator.orchestrate("Write a guide to Lisbon.")).toMatchObject({
      status: "ok",
      coverage: { notices: [{ code: "plan_cache_failed" }] },
    });
    expect(server.embeddings).toHaveLength(1);
  });

  test("a worker's request reaches the provider before the plan's stream has ended", async () => {
    await using server = await serve({ plan: { text: threeTasks, chunkSize: 20, chunkMs: 15 }, worker: "done" });
    const outcome = await orchestratorAt(server, wire).orchestrate("Write it.");
    expect(outcome.status).toBe("ok");
    const planEndedAt = server.requests[0]?.endedAt ?? 0;
    const firstWorkerAt = server.requests.find(isWorker)?.receivedAt ?? Number.POSITIVE_INFINITY;
    expect(firstWorkerAt).toBeLessThan(planEndedAt);
  });

  test("a plan's stream that is reset after two dispatched subtasks is completed, and nothing is done twice", async () => {
    const broken: DoubleReply = {
      text: `${head}${task("one", "Do the first.")}${task("two", "Do the second.")}<task id="thr`,
      chunkSize: 40,
      chunkMs: 5,
      fault: { kind: "reset", afterChunks: 7 },
    };
    await using server = await serve({
      plan: ({ prompt }) => (prompt.includes("broke off") ? `<tasks>${task("three", "Do the third.")}</tasks>` : broken),
      worker: "done",
    });
    const outcome = await orchestratorAt(server, wire).orchestrate("Write it.");
    expect(outcome).toMatchObject({ status: "ok", results: [{ id: "one" }, { id: "two" }, { id: "three" }] });
    expect(server.requests.filter(isWorker)).toHaveLength(3);
    expect(outcome.usage.presumedTokens).toBeGreaterThan(0);
  });

  test("a worker that answers nothing, breaks, or is throttled at first succeeds in the end", async () => {
    const first: Record<string, DoubleReply> = {
      first: "",
      second: { text: "half of a reply that never", fault: { kind: "reset", afterChunks: 1 } },
      third: { fault: { kind: "status", status: 429, headers: { "retry-after": "0.05" } } },
    };
    await using server = await serve({
      plan: threeTasks,
      worker: ({ prompt, asked }) => (asked === 1 ? first[/Do the (\w+)/.exec(prompt)?.[1] ?? ""] : undefined) ?? "whole",
    });
    const outcome = await orchestratorAt(server, wire).orchestrate("Write it.");
    expect(outcome.status).toBe("ok");
    // Being sent back is no attempt.
    expect(outcome.results.map(({ attempts }) => attempts)).toEqual([2, 2, 1]);
  });

  test("one worker that is refused leaves a partial outcome that names what is missing", async () => {
    await using server = await serve({
      plan: threeTasks,
      worker: ({ prompt }) => (prompt.includes("Do the second.") ? { text: "I will", finish: "content-filter" } : "fine"),
    });
    const outcome = await orchestratorAt(server, wire).orchestrate("Write it.");
    expect(outcome).toMatchObject({ status: "partial", coverage: { done: 2, failed: 1, missing: [{ id: "two" }] } });
    expect(outcome.status === "partial" && outcome.text).toMatch(/^The joined answer\.\n\n\*\*Not covered\*\*\n\n- two: /);
  });

  test("abort closes every socket, and no call leaves after it", async () => {
    await using server = await serve({ plan: threeTasks, worker: { text: "never", firstMs: 60_000 } });
    const run = orchestratorAt(server, wire).start("Write it.");
    while (server.requests.filter(isWorker).length < 3) await pause(5);
    run.abort();
    expect(await run.outcome).toMatchObject({ status: "aborted", coverage: { done: 0 } });
    while (server.inFlight > 0) await pause(5);
    expect(server.requests).toHaveLength(4);
    expect(server.requests.filter(isWorker).every(({ closedByClient }) => closedByClient)).toBe(true);
  });

  test("a worker that goes silent is tried again when its idle time is up", async () => {
    await using server = await serve({
      plan: threeTasks,
      worker: ({ prompt, asked }) =>
        prompt.includes("second") && asked === 1 ? { text: "I am thinking about", fault: { kind: "silence", afterChunks: 1 } } : "fine",
    });
    const outcome = await orchestratorAt(server, wire, { timeout: { idleMs: 300 } }).orchestrate("Write it.");
    expect(outcome).toMatchObject({ status: "ok", results: [{ attempts: 1 }, { attempts: 2 }, { attempts: 1 }] });
  });

  test("a wrong key ends the run after one call, with what to do", async () => {
    await using server = await serve({ plan: { fault: { kind: "status", status: 401 } }, worker: "never" });
    const outcome = await orchestratorAt(server, wire).orchestrate("Write it.");
    expect(outcome).toMatchObject({ status: "failed", calls: 1, error: { code: "authentication", hint: expect.stringContaining("API key") } });
    expect(server.requests).toHaveLength(1);
  });

  test("fifty runs at once on one orchestrator all end well and do not mix", async () => {
    await using server = await serve({
      plan: ({ prompt }) => threeTasks.replaceAll("Do the", `For ${/job-\d+/.exec(prompt)?.[0]} do the`),
      worker: ({ prompt }) => `${/For (job-\d+)/.exec(prompt)?.[1]}`,
    });
    const orchestrator = orchestratorAt(server, wire, { synthesis: "keep" });
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, n) => orchestrator.orchestrate(`job-${n}`)));
    for (const [n, outcome] of outcomes.entries()) {
      expect(outcome.results.map((result) => result.status === "done" && result.result)).toEqual([`job-${n}`, `job-${n}`, `job-${n}`]);
    }
  });
});

test("a server that is not there is a failed run that says so", async () => {
  const server = await serve({ plan: "", worker: "" });
  await server.close();
  const orchestrator = new FlexibleOrchestrator(
    { model: "openai-compatible:x", retry: { attempts: 2, backoffMs: 1 } },
    { models: { env: { OPENAI_COMPATIBLE_BASE_URL: server.openaiBaseUrl } } },
  );
  expect(await orchestrator.orchestrate("t")).toMatchObject({
    status: "failed",
    error: { code: "connection_failed", evidence: { systemCode: "ECONNREFUSED", attempts: 2 } },
  });
});

test("a plan as JSON is asked for as JSON, and dispatched while it is written", async () => {
  const plan = JSON.stringify({
    analysis: "Two.",
    combine: "keep",
    subtasks: [
      { id: "a", type: "a", description: "Do a.", after: [] },
      { id: "b", type: "b", description: "Do b.", after: ["a"] },
    ],
  });
  await using server = await serve({ plan: { text: plan, chunkSize: 12, chunkMs: 10 }, worker: "done" });
  const [, wire] = wires;
  if (wire === undefined) throw new Error("There is no wire.");
  const outcome = await orchestratorAt(server, wire, { planFormat: "json" }).orchestrate("t");
  expect(outcome).toMatchObject({ status: "ok", results: [{ id: "a" }, { id: "b", dependsOn: ["a"] }] });
  expect(server.requests[0]?.body).toMatchObject({ response_format: { type: "json_object" } });
  expect(server.requests[1]?.receivedAt).toBeLessThan(server.requests[0]?.endedAt ?? 0);
});

test("what the workers share is the same to the byte, and for Anthropic marked as cacheable", async () => {
  const [wire] = wires;
  if (wire === undefined) throw new Error("There is no wire.");
  await using server = await serve({ plan: threeTasks, worker: "done" });
  await orchestratorAt(server, wire).orchestrate("Write it.", { about: "bottles" });
  const prompts = server.requests.filter(isWorker).map(({ body }) => body["messages"]);
  const mark = { type: "ephemeral" };
  const first = expect.objectContaining({ cache_control: mark, text: expect.stringContaining("bottles") });
  const other = expect.not.objectContaining({ cache_control: mark });
  expect(prompts).toEqual(Array.from({ length: 3 }, () => [{ role: "user", content: [first, other] }]));
  const shared = prompts.map((messages) => JSON.stringify(messages).split('"cache_control"')[0]);
  expect(new Set(shared).size).toBe(1);
});
