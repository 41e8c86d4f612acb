import { describe, expect, test, vi } from "vitest";
import { FlexibleOrchestrator } from "../src/index.ts";
import { type ProviderServer, providerServer, testRuntime, unreachableProvider } from "../src/testing/index.ts";
import { mark, modelAt, places, quickClock, resultOf, ride, roleOf, wires } from "./fault-matrix-fixture.ts";

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

  test("an answer of 10 MB comes whole, and readers can put it together", async () => {
    const long = "Ten megabytes of text. ".repeat(460_000);
    const { outcome, events, openSockets, timers } = await ride({
      wire,
      place: "worker",
      trouble: { text: long, chunkSize: 65_536 },
      how: "always",
      timeout: patient,
    });
    const [, second] = outcome.results;
    // Compared by hand: a message with both of them in it would help nobody.
    expect(second?.status === "done" && second.result === long.trimEnd()).toBe(true);
    const deltas = events.flatMap((event) => (event.type === "subtask.delta" && event.subtaskId === "part-1" ? [event.text] : []));
    expect(deltas.join("") === long.trimEnd()).toBe(true);
    expect(outcome.results.map(({ status }) => status)).toEqual(["done", "done", "done"]);
    expect([outcome.status, openSockets, timers]).toEqual(["ok", 0, 0]);
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

  test("cancelling with a hundred calls in flight closes every socket, and nothing is left running", async () => {
    const ids = Array.from({ length: 100 }, (_, n) => `part-${n}`);
    await using server = await providerServer(({ n }) => ({
      text: `${mark} ${"x".repeat(64)}`,
      // Most have begun, each in its own way; a few have not said a word.
      fault: n % 20 === 0 ? { kind: "silence", afterChunks: -1 } : n % 2 === 0 ? { kind: "silence", afterChunks: 2 } : { kind: "pings", afterChunks: 1 },
    }));
    const clock = quickClock();
    const abort = new AbortController();
    const run = new FlexibleOrchestrator(
      { model: modelAt(wire, server.anthropicBaseUrl, "small"), timeout: patient, retry: { backoffMs: 1, maxBackoffMs: 1 } },
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
    expect(server.requests.map(roleOf)).toEqual(ids.map(() => "worker"));
  });
});
