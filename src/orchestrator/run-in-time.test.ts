import { describe, expect, test } from "vitest";
import { allRoles, eventsOf, orchestrator, twoTasks } from "../../test/all-roles.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { type DoubleCall, type DoubleReply, scriptedModel, testRuntime, virtualClock } from "../testing/index.ts";

describe("a run that is stopped", () => {
  test("ends as aborted, starts nothing more, and leaves no timer", async () => {
    const clock = virtualClock();
    const runtime = testRuntime({ clock });
    const model = scriptedModel(
      [
        { when: "You are the orchestrator", reply: twoTasks },
        { when: "one subtask", reply: { text: "slow", firstMs: 60_000 } },
      ],
      { clock },
    );
    const run = new FlexibleOrchestrator({ model }, { runtime }).start("t");
    await clock.advance(1_000);
    run.abort();
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "aborted", error: { code: "aborted" }, coverage: { done: 0 } });
    expect(model.inFlight).toBe(0);
    expect(clock.pending).toBe(0);
    expect(model.calls).toHaveLength(3);
  });

  test("while its answer is being written is aborted, with the results that were done and no text", async () => {
    const slow = scriptedModel([
      { when: "You are the orchestrator", reply: twoTasks.replace("keep", "merge") },
      { when: "one subtask", reply: "done" },
      { when: "Several workers each", reply: { text: "an answer that is never whole", chunkSize: 4, chunkMs: 20 } },
    ]);
    const run = new FlexibleOrchestrator({ model: slow }).start("t");
    for await (const event of run.events) if (event.type === "answer.delta") run.abort();
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "aborted", error: { code: "aborted" }, coverage: { done: 2, answer: "none" } });
    expect(outcome).not.toHaveProperty("text");
  });

  test("before it began makes no call", async () => {
    const model = allRoles({ plan: twoTasks });
    const outcome = await new FlexibleOrchestrator({ model }).orchestrate("t", "", { signal: AbortSignal.abort() });
    expect(outcome.status).toBe("aborted");
    expect(model.calls).toHaveLength(0);
  });

  test("by its own clock while its answer is being written is partial, the results laid out", async () => {
    const clock = virtualClock();
    const model = scriptedModel(
      [
        { when: "You are the orchestrator", reply: twoTasks.replace("keep", "merge") },
        { when: "one subtask", reply: "done" },
        { when: "Several workers each", reply: { text: "too late", firstMs: 60_000 } },
      ],
      { clock },
    );
    const run = new FlexibleOrchestrator({ model, timeout: { runMs: 10_000 } }, { runtime: testRuntime({ clock }) }).start("t");
    await clock.runUntilIdle();
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "partial", error: { code: "run_timeout" }, coverage: { done: 2, answer: "keep" } });
    expect(outcome.status === "partial" && outcome.text).toBe("## Technical facts\n\ndone\n\n## Story\n\ndone");
  });

  test("by its own clock lays out what is done, without another call", async () => {
    const clock = virtualClock();
    const model = scriptedModel(
      [
        { when: "You are the orchestrator", reply: twoTasks.replace("keep", "merge") },
        { when: "List the facts.", reply: "the facts" },
        { when: "Tell the story.", reply: { text: "too late", firstMs: 60_000 } },
      ],
      { clock },
    );
    const run = new FlexibleOrchestrator({ model, timeout: { runMs: 10_000 } }, { runtime: testRuntime({ clock }) }).start("t");
    await clock.runUntilIdle();
    expect(await run.outcome).toMatchObject({ status: "partial", error: { code: "run_timeout" }, calls: 3 });
    expect(clock.pending).toBe(0);
  });
});

describe("waiting", () => {
  test("for a turn does not count against a worker's own time", async () => {
    const clock = virtualClock();
    const tasks = Array.from({ length: 5 }, (_, n) => `<task><type>part</type><description>Part ${n}</description></task>`).join("");
    const model = scriptedModel(
      [
        { when: "You are the orchestrator", reply: `<tasks>${tasks}</tasks>` },
        { when: "one subtask", reply: { text: "done", firstMs: 8_000 } },
      ],
      { clock },
    );
    const run = new FlexibleOrchestrator({ model, concurrency: 1, timeout: { workerMs: 10_000 } }, { runtime: testRuntime({ clock }) }).start("t");
    await clock.runUntilIdle();
    expect(await run.outcome).toMatchObject({ status: "ok", coverage: { done: 5 } });
  });

  test("for its first turn is no part of a result's time; the pause before another attempt is", async () => {
    const clock = virtualClock();
    const model = scriptedModel(
      [
        { when: "You are the orchestrator", reply: `${twoTasks.replace("</tasks>", "")}<task after="story"><description>Last.</description></task></tasks>` },
        { when: "List the facts.", reply: { text: "facts", firstMs: 8_000 } },
        { when: "Tell the story.", reply: { firstMs: 1_000, fault: { kind: "status", status: 500 } } },
      ],
      { clock },
    );
    const random = (): number => 1;
    const options = { model, concurrency: 1, retry: { attempts: 2, backoffMs: 4_000 } };
    const orchestrator = new FlexibleOrchestrator(options, { runtime: { ...testRuntime({ clock }), random } });
    const run = orchestrator.start("t");
    await clock.runUntilIdle();
    expect((await run.outcome).results).toMatchObject([
      { status: "done", durationMs: 8_000 },
      { status: "failed", durationMs: 1_000 + 4_000 + 1_000 },
      { status: "skipped", durationMs: 0 },
    ]);

    const alone = orchestrator.executeWorker("t", { description: "List the facts." });
    await clock.runUntilIdle();
    expect(await alone).toMatchObject({ status: "done", durationMs: 8_000 });
  });

  test("in vain leaves a result that took no time", async () => {
    const clock = virtualClock();
    const model = scriptedModel([{ when: "one subtask", reply: { text: "done", firstMs: 60_000 } }], { clock });
    const options = { model, concurrency: 1, timeout: { admissionMs: 5_000 } };
    const plan = { subtasks: [{ description: "First." }, { description: "Second." }] };
    const run = new FlexibleOrchestrator(options, { runtime: testRuntime({ clock }) }).start("t", "", { plan });
    await clock.runUntilIdle();
    expect((await run.outcome).results).toMatchObject([
      { status: "done", durationMs: 60_000 },
      { status: "failed", error: { code: "admission_timeout" }, attempts: 0, durationMs: 0 },
    ]);
  });

  test("for a lane that throttles loses nothing and is not an attempt", async () => {
    const clock = virtualClock();
    const throttleFirst = (call: DoubleCall): DoubleReply =>
      call.asked === 1 ? { fault: { kind: "status", status: 429, headers: { "retry-after": "7" } } } : "after all";
    const model = scriptedModel(
      [
        { when: "You are the orchestrator", reply: twoTasks },
        { when: "one subtask", reply: throttleFirst },
      ],
      { clock },
    );
    const run = new FlexibleOrchestrator({ model }, { runtime: testRuntime({ clock }) }).start("t");
    await clock.runUntilIdle();
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "ok", results: [{ attempts: 1 }, { attempts: 1 }] });
    expect(outcome.durationMs).toBeGreaterThanOrEqual(7000);
  });
});

describe("reading a run", () => {
  test("an iterator that comes late gets the facts, and each text in one piece", async () => {
    const run = orchestrator({ plan: { text: twoTasks, chunkSize: 2 } }).start("t");
    const outcome = await run.outcome;
    const events = await eventsOf(run);
    expect(events[0]?.type).toBe("run.started");
    expect(events.at(-1)).toMatchObject({ type: "run.finished", outcome });
    expect(events.filter(({ type }) => type.endsWith(".delta"))).toEqual([]);
  });

  test("seq rises, and every event names its run", async () => {
    const run = orchestrator({ plan: { text: twoTasks, chunkSize: 2 } }).start("t");
    const events = await eventsOf(run);
    const seqs = events.map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(new Set(seqs).size).toBe(seqs.length);
    expect(events.every(({ runId }) => runId === run.runId)).toBe(true);
  });
});
