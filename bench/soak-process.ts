import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { divvyBuilt, sqliteBuilt } from "./built.ts";
import { modelsAt, taskOf } from "./contender.ts";
import type { SoakJob, SoakSample } from "./soak.ts";
import { warmUp } from "./workload.ts";

/** Many runs in one process, one orchestrator; its memory is looked at when none is under way. Told by the parent. */
process.once("message", async ({ url, ledger: kind, runs, every, atOnce, subtasks }: SoakJob) => {
  const { FlexibleOrchestrator } = await divvyBuilt();
  const folder = mkdtempSync(join(tmpdir(), "divvy-bench-"));
  const ledger = kind === "sqlite" ? (await sqliteBuilt()).sqliteLedger(join(folder, "runs.sqlite")) : undefined;
  const { planner, worker, synthesizer } = modelsAt(url);
  const orchestrator = new FlexibleOrchestrator({ orchestrator: planner, worker, synthesizer, ...(ledger && { ledger }) });
  const samples: SoakSample[] = [];
  let started = 0;
  const work = async (to: number): Promise<void> => {
    while (started < to) {
      const outcome = await orchestrator.orchestrate(taskOf(`${kind}${started++}`, { subtasks, seed: warmUp }));
      if (outcome.status !== "ok" || outcome.results.length !== subtasks)
        throw new Error(`A run is ${outcome.status}, with ${outcome.results.length} results.`);
    }
  };
  for (let to = every; to <= runs; to += every) {
    await Promise.all(Array.from({ length: atOnce }, () => work(to)));
    samples.push({ runs: to, ...memory() });
  }
  await ledger?.close();
  rmSync(folder, { recursive: true });
  process.send?.(samples);
  process.disconnect();
});

function memory(): Omit<SoakSample, "runs"> {
  // What finalizers let go is garbage only to the next collection.
  for (let n = 0; n < 3; n++) globalThis.gc?.();
  const { heapUsed, rss, external } = process.memoryUsage();
  const [liveMb = 0, rssMb = 0, externalMb = 0] = [heapUsed, rss, external].map((bytes) => bytes / 1024 / 1024);
  return { liveMb, rssMb, externalMb };
}
