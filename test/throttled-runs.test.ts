import { describe, expect, onTestFinished, test } from "vitest";
import { FlexibleOrchestrator, type Governor, memoryLedger, type OrchestratorOptions, type Outcome, type Run, type RunEvent } from "../src/index.ts";
import { adaptiveGovernor } from "../src/governor/adaptive-governor.ts";
import { type DoubleCall, type DoubleReply, type Fault, providerServer, type ReplyFunction, testRuntime } from "../src/testing/index.ts";
import { quickClock, type Wire, wires } from "./fault-matrix-fixture.ts";

/** Whole runs over real HTTP at a provider that has no credit left, or wants them to wait; what is asked of it is counted. */

interface Scene {
  /** Its workers have one account, those of the kind `other` another. */
  orchestrator(change?: OrchestratorOptions): FlexibleOrchestrator;
  /** In another process: it knows nothing of what this one has learnt. */
  elsewhere(change?: OrchestratorOptions): FlexibleOrchestrator;
  /** Workers that were asked for, by what their subtask is. */
  asked(): string[];
}

const subtaskOf = ({ prompt }: DoubleCall): string => /Write (\w+)\./.exec(prompt)?.[1] ?? "";

async function scene(wire: Wire, said: ReplyFunction): Promise<Scene> {
  const server = await providerServer(said, { vary: false });
  onTestFinished(() => server.close());
  const runtime = testRuntime({ clock: quickClock() });
  const governor = adaptiveGovernor(runtime);
  const account = (name: string): { readonly model: string; readonly baseURL: string; readonly apiKey: string } =>
    wire === "anthropic"
      ? { model: `anthropic:${name}`, baseURL: server.anthropicBaseUrl, apiKey: name }
      : { model: `openai-compatible:${name}`, baseURL: server.openaiBaseUrl, apiKey: name };
  const other = account("other");
  const inProcess = (governor: Governor, change: OrchestratorOptions = {}): FlexibleOrchestrator =>
    new FlexibleOrchestrator(
      { orchestrator: other, synthesizer: other, worker: account("usual"), workers: { other }, retry: { backoffMs: 0 }, ...change },
      { runtime, governor, models: { env: {} } },
    );
  return {
    orchestrator: (change) => inProcess(governor, change),
    elsewhere: (change) => inProcess(adaptiveGovernor(runtime), change),
    asked: () => server.requests.map(subtaskOf),
  };
}

const planOf = (ids: readonly string[]): { combine: "keep"; subtasks: { id: string; type: string; description: string }[] } => ({
  combine: "keep",
  subtasks: ids.map((id) => ({ id, type: id.startsWith("other") ? "other" : "usual", description: `Write ${id}.` })),
});

const eventsOf = async (run: Run): Promise<RunEvent[]> => await Array.fromAsync(run.events);
const codes = ({ results }: Outcome): Record<string, string> =>
  Object.fromEntries(results.map((result) => [result.id, result.status === "failed" ? result.error.code : result.status]));

describe.each(wires)("%s: an account without credit", (wire) => {
  const body =
    wire === "anthropic"
      ? { type: "error", error: { type: "billing_error", message: "No." } }
      : { error: { type: "insufficient_quota", code: "insufficient_quota", message: "No." } };
  const noCredit: Fault = { kind: "status", status: 429, body };
  const said = (call: DoubleCall): DoubleReply => (subtaskOf(call).startsWith("other") ? "done" : { fault: noCredit });
  const many = Array.from({ length: 30 }, (_, n) => `part${n}`);

  test("is asked once by a run that makes one call at a time, and ends the calls under it with one error that says what to do", async () => {
    const { orchestrator, asked } = await scene(wire, said);
    const outcome = await orchestrator().orchestrate("Do all.", "", { concurrency: 1, plan: planOf(["part0", "other0", "part1", "other1", "part2"]) });
    expect(codes(outcome)).toEqual({ part0: "quota_exhausted", other0: "done", part1: "quota_exhausted", other1: "done", part2: "quota_exhausted" });
    expect(asked()).toEqual(["part0", "other0", "other1"]);
    const errors = outcome.results.flatMap((result) => (result.status === "failed" ? [result.error] : []));
    expect(new Set(errors.map(({ message }) => message)).size).toBe(1);
    for (const error of errors) expect(error).toMatchObject({ hint: expect.stringMatching(/credit/), retryable: false });
    expect(outcome).toMatchObject({ status: "partial", coverage: { done: 2, failed: 3 } });
  });

  test("is asked no more by runs that go on at the same time, once the calls in flight are over; a run that comes later asks again", async () => {
    // Nobody is refused before all runs wait for their turn.
    const { promise: allAreThere, resolve } = Promise.withResolvers<void>();
    const { orchestrator, asked } = await scene(wire, async (call) => {
      if (asked().filter((id) => id.startsWith("other")).length === 6) resolve();
      if (!subtaskOf(call).startsWith("other")) await allAreThere;
      return said(call);
    });
    const one = orchestrator();
    const plan = planOf([...many, "other0", "other1"]);
    const outcomes = await Promise.all([
      one.orchestrate("First.", "", { plan }),
      one.orchestrate("Second.", "", { plan }),
      orchestrator().orchestrate("Third.", "", { plan }),
    ]);
    for (const outcome of outcomes) {
      expect(codes(outcome)).toMatchObject({ part0: "quota_exhausted", part29: "quota_exhausted", other0: "done", other1: "done" });
      expect(outcome).toMatchObject({ status: "partial", coverage: { done: 2, failed: 30 } });
    }
    // A lane begins with ten.
    expect(asked().filter((id) => id.startsWith("part"))).toHaveLength(10);
    expect(asked()).toHaveLength(10 + 6);

    await orchestrator().orchestrate("Later.", "", { concurrency: 1, plan: planOf(["part0", "part1"]) });
    expect(asked()).toHaveLength(10 + 6 + 1);
  });
});

describe.each(wires)("%s: a provider that says how long to wait", (wire) => {
  test.each<[string, Readonly<Record<string, string>>]>([
    ["as a date", { date: "Mon, 23 Nov 2026 10:00:00 GMT", "retry-after": "Mon, 23 Nov 2026 10:00:20 GMT" }],
    ["in milliseconds", { "retry-after-ms": "20000", "retry-after": "1" }],
    ["by when its limit is full again", { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s" }],
  ])("%s is asked again then, and not before", async (_, headers) => {
    const { orchestrator, asked } = await scene(wire, ({ asked: times }) => (times === 1 ? { fault: { kind: "status", status: 429, headers } } : "done"));
    const run = orchestrator().start("Do it.", "", { plan: planOf(["part0"]) });
    const events = await eventsOf(run);
    expect(await run.outcome).toMatchObject({ status: "ok", results: [{ attempts: 1 }] });
    expect(asked()).toEqual(["part0", "part0"]);
    const throttled = events.find((event) => event.type === "governor.throttled");
    const starts = events.flatMap((event) => (event.type === "attempt.started" ? [event.at] : []));
    const until = throttled?.type === "governor.throttled" ? throttled.until : Number.NaN;
    expect(until - (starts[0] ?? Number.NaN)).toBeGreaterThanOrEqual(20_000);
    // A machine that is busy for a tenth of a second takes five of this clock.
    expect(until - (throttled?.at ?? Number.NaN)).toBeGreaterThan(15_000);
    expect(until - (throttled?.at ?? Number.NaN)).toBeLessThanOrEqual(20_000);
    expect(starts[1]).toBeGreaterThanOrEqual(until);
  });

  test("for longer than a call may wait ends those that need it at once; resumed elsewhere, the run calls what is missing alone", async () => {
    let throttles = true;
    const { orchestrator, elsewhere, asked } = await scene(wire, (call) =>
      throttles && subtaskOf(call) === "part1" ? { fault: { kind: "status", status: 429, headers: { "retry-after": "600" } } } : `${subtaskOf(call)} is done`,
    );
    const ledger = memoryLedger();
    const first = orchestrator({ ledger, timeout: { admissionMs: 100_000 } }).start("Do all.", "", {
      concurrency: 1,
      plan: planOf(["part0", "part1", "part2", "other0"]),
    });
    const before = await first.outcome;
    // Who was sent back is told by the provider; who waits behind it could not be let out in time.
    expect(codes(before)).toEqual({ part0: "done", part1: "rate_limited", part2: "admission_timeout", other0: "done" });
    expect(asked()).toEqual(["part0", "part1", "other0"]);

    throttles = false;
    const after = await (await elsewhere({ ledger }).resume(first.runId)).outcome;
    expect(after).toMatchObject({ status: "ok", runId: first.runId, coverage: { planned: 4, done: 4 } });
    expect(asked().slice(3)).toEqual(["part1", "part2"]);
    expect(after.results.map((result) => result.status === "done" && result.result)).toEqual(
      ["part0", "part1", "part2", "other0"].map((id) => `${id} is done`),
    );
  });
});
