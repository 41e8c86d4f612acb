import { describe, expect, test, vi } from "vitest";
import { FlexibleOrchestrator } from "../src/index.ts";
import { type ProviderServer, providerServer, testRuntime, unreachableProvider } from "../src/testing/index.ts";
import { faulty, mark, modelAt, places, planText, quickClock, resultOf, type Ride, ride, wires } from "./fault-matrix-fixture.ts";

/** What looks like a fault and is none, and what a run gets over. */

const patient = { idleMs: 1_500_000, workerMs: 2_000_000, orchestratorMs: 2_000_000, synthesizerMs: 2_000_000 };

describe.each(wires)("%s", (wire) => {
  test("a byte that is no UTF-8 costs a character, and not the reply", async () => {
    for (const place of places) {
      const { outcome, requests } = await ride({ wire, place, trouble: { fault: { kind: "invalid-utf8", afterChunks: 2 } }, how: "always", timeout: patient });
      expect([outcome.status, requests]).toEqual(["ok", 1]);
      const [, second] = outcome.results;
      const said = { worker: second?.status === "done" && second.result, orchestrator: outcome.analysis, synthesizer: "text" in outcome && outcome.text }[
        place
      ];
      expect(said).toContain("\uFFFD");
      if (place === "worker") expect(said).toBe(`${mark} ${resultOf("part-1")}`.replace(/^.{32}/, "$&\uFFFD"));
    }
  });

  test("10 MB come whole, whoever writes them, and readers can put them together", async () => {
    const long = "Ten megabytes of text.".repeat(480_000);
    const big = { chunkSize: 65_536 };
    // Compared by hand: a message with both of them in it would help nobody.
    const same = (one: unknown): boolean => one === long;
    const expectWhole = ({ outcome, openSockets, timers }: Ride): void => {
      expect(outcome.results.map(({ status }) => status)).toEqual(["done", "done", "done"]);
      expect([outcome.status, openSockets, timers]).toEqual(["ok", 0, 0]);
    };

    const work = await ride({ wire, place: "worker", trouble: { ...big, text: long }, how: "always", timeout: patient });
    expectWhole(work);
    const [, second] = work.outcome.results;
    expect(second?.status === "done" && same(second.result)).toBe(true);
    expect(same(work.events.map((event) => (event.type === "subtask.delta" && event.subtaskId === faulty ? event.text : "")).join(""))).toBe(true);

    const plan = await ride({
      wire,
      place: "orchestrator",
      trouble: { ...big, text: planText.replace(/(?<=<analysis>).*(?=<)/, long) },
      how: "always",
      timeout: patient,
    });
    expectWhole(plan);
    expect(same(plan.outcome.analysis)).toBe(true);

    const answer = await ride({ wire, place: "synthesizer", trouble: { ...big, text: long }, how: "always", timeout: patient });
    expectWhole(answer);
    expect("text" in answer.outcome && same(answer.outcome.text)).toBe(true);
    expect(same(answer.events.map((event) => (event.type === "answer.delta" ? event.text : "")).join(""))).toBe(true);
  });

  test("a server that comes up while its connections are refused is reached", async () => {
    await using nowhere = await unreachableProvider("refused");
    let server: ProviderServer | undefined;
    const run = new FlexibleOrchestrator({
      model: modelAt(wire, nowhere.openaiBaseUrl, "small"),
      retry: { attempts: 20, backoffMs: 20, maxBackoffMs: 20 },
    }).start("Do it.", "", { plan: { subtasks: [{ id: "part-0", description: "Do part-0." }] } });
    for await (const event of run.events) {
      if (event.type === "attempt.failed") server ??= await providerServer(() => "done", { port: Number(new URL(nowhere.url).port) });
    }
    expect(await run.outcome).toMatchObject({ status: "ok", results: [{ result: "done" }] });
    await server?.close();
  });

  test("cancelling with a hundred calls in flight and more waiting closes every socket, and nothing is left running", async () => {
    const ids = Array.from({ length: 150 }, (_, n) => `part-${n}`);
    await using server = await providerServer(({ n }) => ({
      text: `${mark} ${"x".repeat(64)}`,
      // Most have begun, each in its own way; a few have not said a word.
      fault: n % 20 === 0 ? { kind: "silence", afterChunks: -1 } : n % 2 === 0 ? { kind: "silence", afterChunks: 2 } : { kind: "pings", afterChunks: 1 },
    }));
    const clock = quickClock();
    const abort = new AbortController();
    const run = new FlexibleOrchestrator(
      { model: modelAt(wire, server.anthropicBaseUrl, "small"), timeout: patient, retry: { backoffMs: 1, maxBackoffMs: 1 }, limits: { workers: 150 } },
      { runtime: testRuntime({ clock }) },
    ).start("Do all parts.", "", {
      signal: abort.signal,
      concurrency: 100,
      plan: { combine: "merge", subtasks: ids.map((id) => ({ id, description: `Do ${id}.` })) },
    });
    await vi.waitUntil(() => server.inFlight === 100, { timeout: 20_000 });
    abort.abort();
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "aborted", error: { code: "aborted" } });
    expect(outcome.results.filter(({ status }) => status === "done")).toEqual([]);
    expect(clock.timers).toBe(0);
    await vi.waitUntil(() => server.openSockets === 0, { timeout: 20_000 });
    expect(server.requests.every(({ closedByClient }) => closedByClient)).toBe(true);
    // Both ends of a connection are in this process.
    await vi.waitUntil(() => !process.getActiveResourcesInfo().includes("TCPSocketWrap"), { timeout: 20_000 });
    // Time enough, on the run's own clock, for anything that would be tried again.
    await new Promise<void>((resolve) => void clock.setTimer(20_000, resolve));
    expect([server.requests.length, server.inFlight, server.maxInFlight, clock.timers]).toEqual([100, 0, 100, 0]);
    const settled: number[] = [];
    for await (const event of run.events) if (event.type === "attempt.settled") settled.push(event.seq);
    expect(settled).toHaveLength(100);
  });
});
