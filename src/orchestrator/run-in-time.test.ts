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
    for await (const event of run.events) {
      if (event.type === "attempt.started" && event.subtaskId === "story") run.abort();
    }
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
