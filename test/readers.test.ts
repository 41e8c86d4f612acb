import { expect, test } from "vitest";
import { DivvyError, FlexibleOrchestrator, initialRunState, type Ledger, memoryLedger, type Outcome, reduce, type Run, type RunEvent } from "../src/index.ts";
import { type Fault, injectFaults, type ScriptedModel, scriptedModel, testRuntime, type VirtualClock, virtualClock } from "../src/testing/index.ts";
import { seededRandom } from "../src/testing/random.ts";
import { rebuilt } from "./rebuilt.ts";

/** Whoever reads a run's deltas has its texts in the end, whenever he comes, whoever else waits for the same call, and over a resume. */

const faults: readonly Fault[] = [
  { kind: "status", status: 500 },
  { kind: "reset", afterChunks: 2 },
  { kind: "cut", afterChunks: 3 },
  { kind: "error-event", afterChunks: 1 },
];

const plan = { combine: "merge" as const, subtasks: ["a", "b", "c"].map((id) => ({ id, description: `Write part ${id}.` })) };

function slowModel(clock: VirtualClock, seed: number): ScriptedModel {
  const well = injectFaults(
    ({ prompt, n }) => ({ text: `${/Write part \w/.exec(prompt)?.[0]}: the ${n}th text that was ever written here.`, chunkSize: 8, firstMs: 30, chunkMs: 20 }),
    {
      seed,
      share: 0.5,
      faults,
    },
  );
  return scriptedModel(well, { clock });
}

/** Its log cannot be written any more from some time on. */
function breaking(ledger: Ledger, isBroken: (runId: string) => boolean): Ledger {
  return {
    ...ledger,
    commit: async (batch) => {
      if (batch.runs.some(({ runId }) => isBroken(runId))) throw new DivvyError("ledger_failed", "Its log cannot be written.");
      return await ledger.commit(batch);
    },
  };
}

async function read(run: Run): Promise<RunEvent[]> {
  return await Array.fromAsync(run.events);
}

/** Of each text that was written in this life of the run, and is done. */
function expectRebuilt(events: readonly RunEvent[], outcome: Outcome, name: string): number {
  const begun = events.findLastIndex(({ type }) => type === "run.resumed");
  const now = events.slice(begun + 1);
  let compared = 0;
  for (const result of outcome.results) {
    if (result.status !== "done" || !now.some((event) => event.type === "subtask.finished" && event.subtaskId === result.id)) continue;
    const deltas = now.flatMap((event) => (event.type === "subtask.delta" && event.subtaskId === result.id ? [event] : []));
    // Who comes when it is done reads the result alone.
    if (deltas.length === 0) continue;
    compared++;
    expect(rebuilt(deltas), `${name} ${result.id}`).toBe(result.result);
  }
  const answer = now.flatMap((event) => (event.type === "answer.delta" ? [event] : []));
  if (answer.length > 0 && "text" in outcome) {
    compared++;
    expect(rebuilt(answer), `${name} answer`).toBe(outcome.text);
  }
  return compared;
}

/** The texts that a reader of everything shows at the end, by the reducer that all doors read through. */
function expectShown(events: readonly RunEvent[], outcome: Outcome, name: string): void {
  const state = events.reduce(reduce, initialRunState);
  for (const result of outcome.results) {
    if (result.status !== "done") continue;
    expect(state.subtasks.find(({ subtask }) => subtask.id === result.id)?.text, `${name} ${result.id}`).toBe(result.result);
  }
}

test("at any time, of runs that share their calls, are stopped, lose their log, and are resumed", async () => {
  const seen = { texts: 0, again: 0, joined: 0, resumed: 0 };
  for (let seed = 1; seed <= 120; seed++) {
    const random = seededRandom(seed);
    const clock = virtualClock();
    const runtime = testRuntime({ clock });
    const model = slowModel(clock, seed);
    const role = { model, id: "m" };
    let broken: string | undefined;
    const kept = memoryLedger();
    const over = (ledger: Ledger): FlexibleOrchestrator =>
      new FlexibleOrchestrator(
        { orchestrator: role, worker: role, synthesizer: role, ledger, cache: { shared: "all" }, retry: { attempts: 4, backoffMs: 40 } },
        { runtime },
      );
    const orchestrator = over(breaking(kept, (runId) => runId === broken));
    const abort = new AbortController();
    const readers: { readonly run: Run; readonly name: string; readonly events: Promise<RunEvent[]> }[] = [];
    const start = (run: Run, name: string): Run => {
      readers.push({ run, name: `seed ${seed}, ${name}`, events: read(run) });
      clock.setTimer(random() * 600, () => readers.push({ run, name: `seed ${seed}, ${name}, late`, events: read(run) }));
      return run;
    };

    const first = start(orchestrator.start("Write it.", "", { plan, signal: abort.signal }), "first");
    const endsAt = random() * 900;
    clock.setTimer(endsAt, () => {
      if (seed % 3 === 0) broken = first.runId;
      else if (seed % 3 === 1) abort.abort();
    });
    clock.setTimer(random() * 250, () => start(orchestrator.start("Write it.", "", { plan }), "second"));
    await clock.runUntilIdle();
    const before = await first.outcome;
    if (before.status !== "ok" && broken === undefined) {
      seen.resumed++;
      const resumed = over(kept).resume(first.runId);
      await clock.advance(0);
      start(await resumed, "resumed");
      await clock.runUntilIdle();
    }
    for (const { run, name, events } of readers) {
      const all = await events;
      const outcome = await run.outcome;
      seen.texts += expectRebuilt(all, outcome, name);
      expectShown(all, outcome, name);
      if (all.some((event) => event.type === "subtask.delta" && event.attempt > 1)) seen.again++;
    }
    if (model.calls.length < 8) seen.joined++;
  }
  // It has happened: texts that were read, tries in vain, calls that were shared, runs that were resumed.
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(10);
});
