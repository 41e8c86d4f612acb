import { describe, expect, test } from "vitest";
import { eventsOf, twoTasks } from "../test/all-roles.ts";
import type { RunEvent } from "./events.ts";
import { FlexibleOrchestrator } from "./flexible-orchestrator.ts";
import { defaults } from "./limits.ts";
import type { OrchestratorOptions, RunCallOptions, SubtaskInput } from "./options.ts";
import type { Outcome } from "./outcome.ts";
import { type DoubleReply, type ScriptedModel, scriptedModel, testRuntime, type VirtualClock, virtualClock } from "./testing/index.ts";

const minute = 60_000;
/** The longest that an option can say: out of the way. */
const never = 2 ** 31 - 1;

interface Replies {
  readonly plan?: DoubleReply;
  readonly worker?: DoubleReply;
  readonly synthesizer?: DoubleReply;
}

interface Ran {
  readonly outcome: Outcome;
  readonly events: readonly RunEvent[];
  readonly model: ScriptedModel;
  readonly clock: VirtualClock;
}

/** A whole run in virtual time, with no chance in it: pauses are as long as they can be. */
async function ran({ plan = twoTasks, worker = "done", synthesizer = "joined" }: Replies, options: OrchestratorOptions, call?: RunCallOptions): Promise<Ran> {
  const clock = virtualClock();
  const model = scriptedModel(
    [
      { when: "You are the orchestrator", reply: plan },
      { when: "You carry out one subtask", reply: worker },
      { when: "Several workers each", reply: synthesizer },
    ],
    { clock, vary: false },
  );
  const run = new FlexibleOrchestrator({ model, ...options }, { runtime: { ...testRuntime({ clock }), random: () => 1 } }).start("t", "", call);
  await clock.runUntilIdle();
  return { outcome: await run.outcome, events: await eventsOf(run), model, clock };
}

/** Lives, and never gets anywhere. */
const endless: DoubleReply = { fault: { kind: "pings", everyMs: minute } };
const silent: DoubleReply = { fault: { kind: "silence", afterChunks: 0 } };
const broken: DoubleReply = { fault: { kind: "status", status: 500 } };
const merged = twoTasks.replace("keep", "merge");
const once = { retry: { attempts: 1 } };

const parts = (count: number): SubtaskInput[] => Array.from({ length: count }, (_, n) => ({ description: `Part ${n}.` }));

test("the defaults are these, and nothing can change them", () => {
  expect(defaults).toEqual({
    concurrency: 100,
    limits: { subtasks: 20, workers: 100, rounds: 1, planCompletions: 2, outputRepairs: 1, upstreamBytes: 64 * 1024 },
    retry: { attempts: 3, backoffMs: 1_000, maxBackoffMs: 30_000 },
    timeout: {
      workerMs: 5 * minute,
      orchestratorMs: 10 * minute,
      synthesizerMs: 10 * minute,
      idleMs: 2 * minute,
      runMs: 60 * minute,
      admissionMs: 10 * minute,
    },
    evaluate: { maxAttempts: 2 },
    contextTokens: 128_000,
    maxOutputTokens: { orchestrator: 8_192, worker: 8_192, synthesizer: 16_384, evaluator: 4_096 },
  });
  expect([defaults, ...Object.values(defaults)].every((part) => Object.isFrozen(part))).toBe(true);
});

describe("where the options say nothing", () => {
  test("an attempt of the orchestrator may take 10 minutes", async () => {
    const { outcome, clock } = await ran({ plan: endless }, once);
    expect([outcome, clock.now()]).toMatchObject([{ status: "failed", error: { code: "total_timeout" } }, 10 * minute]);
  });

  test("an attempt of a worker may take 5 minutes", async () => {
    const { outcome } = await ran({ worker: endless }, once);
    expect(outcome.results).toMatchObject([{ error: { code: "total_timeout" }, durationMs: 5 * minute }, { durationMs: 5 * minute }]);
  });

  test("an attempt of the synthesizer may take 10 minutes", async () => {
    const { outcome, clock } = await ran({ plan: merged, synthesizer: endless }, once);
    expect([outcome, clock.now()]).toMatchObject([{ status: "partial", coverage: { done: 2, answer: "keep" } }, 10 * minute]);
    expect(outcome.status === "partial" && outcome.error.message).toContain("600 s in all");
  });

  test.each(["plan", "worker", "synthesizer"])("silence of 2 minutes ends an attempt (%s)", async (who) => {
    const { events, clock } = await ran({ plan: merged, [who]: silent }, once);
    expect(events.filter(({ type }) => type === "attempt.failed")).toMatchObject(
      Array.from({ length: who === "worker" ? 2 : 1 }, () => ({ error: { code: "idle_timeout" } })),
    );
    expect(clock.now()).toBe(2 * minute);
  });

  test("a run may take an hour; what is done by then is laid out", async () => {
    const plan = twoTasks.replace('id="story"', 'id="story" after="facts"');
    const slow = { text: "done", firstMs: 40 * minute };
    const { outcome, clock } = await ran({ plan, worker: slow }, { timeout: { workerMs: never, idleMs: never } });
    expect([outcome, clock.now()]).toMatchObject([{ status: "partial", text: expect.stringMatching(/^done/), error: { code: "run_timeout" } }, 60 * minute]);
  });

  test("a call waits 10 minutes for its turn", async () => {
    const slow = { text: "done", firstMs: 11 * minute };
    const { outcome } = await ran({ worker: slow }, { concurrency: 1, timeout: { workerMs: never, idleMs: never } });
    expect(outcome.results).toMatchObject([{ status: "done" }, { error: { code: "admission_timeout", message: expect.stringContaining("600 s") } }]);
  });

  test("a call is tried three times, after pauses of 1 and 2 seconds", async () => {
    const { outcome, events } = await ran({ worker: broken }, {});
    expect(outcome.results).toMatchObject([{ status: "failed", attempts: 3, durationMs: 3_000 }, { attempts: 3 }]);
    expect(pausesIn(events)).toEqual([1_000, 2_000]);
  });

  test("pauses double up to 30 seconds", async () => {
    const { events } = await ran({ worker: broken }, { retry: { attempts: 8 } });
    expect(pausesIn(events)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  test("plan and workers may have 8,192 tokens, the synthesis 16,384", async () => {
    const { model } = await ran({ plan: merged }, {});
    expect(model.calls.map(({ maxOutputTokens }) => maxOutputTokens)).toEqual([8_192, 8_192, 8_192, 16_384]);
  });

  test("a hundred calls of a run are in flight at once", async () => {
    const { outcome, model } = await ran(
      { worker: { text: "done", chunkSize: 1, chunkMs: 300 } },
      { limits: { workers: 150 } },
      { plan: { subtasks: parts(150) } },
    );
    expect([outcome.coverage.done, model.maxInFlight]).toEqual([150, 100]);
  });

  test("a plan has twenty subtasks; the rest is dropped", async () => {
    const plan = `<tasks>${parts(25)
      .map(({ description }) => `<task><description>${description}</description></task>`)
      .join("")}</tasks>`;
    expect((await ran({ plan }, {})).outcome.coverage).toMatchObject({ done: 20, dropped: 5 });
  });

  test("a run has a hundred workers, and a plan that wants more is refused", async () => {
    expect((await ran({}, {}, { plan: { subtasks: parts(100) } })).outcome.coverage.done).toBe(100);
    await expect(ran({}, {}, { plan: { subtasks: parts(101) } })).rejects.toMatchObject({ code: "invalid_plan" });
  });

  test("the rest of a plan is asked for twice in its own format, then as JSON", async () => {
    const { events } = await ran({ plan: "No." }, {});
    expect(events.flatMap((event) => (event.type === "plan.asked_again" ? event.format : []))).toEqual(["xml", "xml", "json"]);
  });

  test("a worker is given 64 KiB of others' results", async () => {
    const plan = {
      subtasks: [
        { id: "a", description: "First." },
        { description: "Second.", dependsOn: ["a"] },
      ],
    };
    const whole = await ran({ worker: "x".repeat(65_536) }, {}, { plan });
    expect(whole.outcome.coverage.notices).toEqual([]);
    const cut = await ran({ worker: "x".repeat(65_537) }, {}, { plan });
    expect(cut.outcome.coverage.notices).toMatchObject([{ code: "upstream_cut" }]);
    expect(cut.model.calls[1]?.prompt).toContain("the first 65536 of 65537 characters");
  });
});

/** The pauses before each further try of the first subtask. */
function pausesIn(events: readonly RunEvent[]): number[] {
  return events.flatMap((event) => (event.type === "attempt.failed" && event.subtaskId === "facts" ? (event.retryInMs ?? []) : []));
}
