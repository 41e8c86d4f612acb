import { hash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fact, Ledger, OrchestratorOptions, RunRecord } from "../src/index.ts";
import { namedRun, shortId } from "../src/cli/kept/run-name.ts";
import { divvyBuilt, sqliteBuilt, testingBuilt } from "./built.ts";
import { median } from "./measure.ts";

/** What is done with many runs in one file, in milliseconds by name. */
export type KeptRuns = Readonly<Record<string, number>>;

const runs = 10_000;
const factsOfRun = 30;
const workers = 1_000;
const tries = 9;

/** One file with 10,000 runs of 30 facts each, and one with a finished run of 1,000 workers: how long it takes to look at them. */
export async function keptRuns(): Promise<KeptRuns> {
  const { sqliteLedger } = await sqliteBuilt();
  const folder = mkdtempSync(join(tmpdir(), "divvy-bench-"));
  const file = join(folder, "runs.sqlite");
  const filled = sqliteLedger(file);
  await fill(filled);
  await filled.close();

  const ledger = sqliteLedger(file);
  const figures = {
    [`open a file of ${runs} runs`]: await timed(async () => await sqliteLedger(file).close()),
    [`list the newest 20 of ${runs} runs`]: await timed(async () => await ledger.listRuns({ limit: 20 })),
    [`find one of ${runs} runs by the first 6 characters of its id, and the shortest id that tells it apart`]: await timed(() => named(ledger, idOf(5_000))),
    [`read the ${factsOfRun} facts of one of ${runs} runs`]: await timed(async () => await ledger.readFacts(idOf(5_000))),
    [`resume a finished run of ${workers} workers, to its outcome`]: await resumeFinished(sqliteLedger(join(folder, "large.sqlite"))),
  };
  await ledger.close();
  rmSync(folder, { recursive: true });
  return figures;
}

/** As the terminal finds what is typed, and says it again. */
async function named(ledger: Ledger, runId: string): Promise<void> {
  const run = await namedRun(ledger, runId.slice(0, 6));
  if (run.runId !== runId) throw new Error(`Found ${run.runId} in place of ${runId}.`);
  await shortId(ledger, runId);
}

/** An id like those of runs: without an order, and alike in their first characters with some others of so many. */
function idOf(at: number): string {
  return hash("sha256", `run ${at}`, "hex").slice(0, 32);
}

async function fill(ledger: Ledger): Promise<void> {
  const owner = { pid: 1, host: "bench", space: "", startTime: "" };
  for (let at = 0; at < runs; at++) {
    const runId = idOf(at);
    const record: RunRecord = { runId, task: "Write the report.", status: "ok", startedAt: at, updatedAt: at, calls: 7, tokens: 5_000, cost: 0.01 };
    const facts = Array.from({ length: factsOfRun }, (_, seq): Fact => ({ type: "plan.answered", analysis: "x".repeat(300), seq, at, runId }));
    await ledger.takeLease(runId, { epoch: 1, owner, expiresAt: 0 });
    await ledger.commit({ runs: [{ runId, epoch: 1, facts, record }], calls: [] });
  }
}

async function resumeFinished(ledger: Ledger): Promise<number> {
  const { FlexibleOrchestrator } = await divvyBuilt();
  const { scriptedModel } = await testingBuilt();
  const model = scriptedModel(({ prompt }) => `A result for ${prompt.slice(-200)}`);
  const options: OrchestratorOptions = { model, ledger, concurrency: 10_000, limits: { subtasks: workers } };
  const subtasks = Array.from({ length: workers }, (_, n) => ({ description: `Write part ${n}.` }));
  const { runId } = await new FlexibleOrchestrator(options).orchestrate("Write the report.", "", { plan: { subtasks } });
  const orchestrator = new FlexibleOrchestrator(options);
  const ms = await timed(async () => {
    const { status } = await (await orchestrator.resume(runId)).outcome;
    if (status !== "ok") throw new Error(`The resumed run is ${status}.`);
  });
  await ledger.close();
  return ms;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const all: number[] = [];
  for (let n = 0; n < tries; n++) {
    const before = performance.now();
    await work();
    all.push(performance.now() - before);
  }
  return median(all);
}
