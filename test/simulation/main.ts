import { once } from "node:events";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { type Job, type JobReport, jobsOf, replay, replayComparison } from "./jobs.ts";
import { killsFrom } from "./kill-points.ts";
import { ReportTally } from "./report-tally.ts";

/**
 * `npm run simulate -- --seeds 10000`: that many schedules, from `--from` on, over all cores; every fifth seed is compared, too.
 * `npm run simulate -- --kill-points 5 [--twice]`: of so many seeds, everything asked of the ledger at which a process can die; with
 * `--twice`, also everything that is asked after that.
 * `npm run simulate -- --seed 7 [--kill 3,5- | --comparison] [--trace]`: one of them again.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    "kill-points": { type: "string" },
    twice: { type: "boolean", default: false },
    seed: { type: "string" },
    kill: { type: "string" },
    comparison: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});
process.exitCode = values.seed === undefined ? await simulateAll() : await simulateOne(Number(values.seed));

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function simulateOne(seed: number): Promise<number> {
  const told = values.trace ? say : undefined;
  const report = values.comparison ? await replayComparison(seed, told) : await replay(seed, values.kill === undefined ? [] : killsFrom(values.kill), told);
  say(JSON.stringify(report, undefined, 2));
  return report.faults.length === 0 ? 0 : 1;
}

async function simulateAll(): Promise<number> {
  const startedAt = performance.now();
  const kind = values.twice ? "double kill points" : "kill points";
  const [from, count] = [Number(values.from), Number(values["kill-points"] ?? values.seeds)];
  const killed = Array.from({ length: count }, (_, index): Job => ({ seed: from + index, kind }));
  const jobs = values["kill-points"] === undefined ? jobsOf(from, count) : killed;
  const cores = Math.min(availableParallelism(), jobs.length);
  const tally = new ReportTally(say);
  const share = async (core: number): Promise<void> => {
    const worker = new Worker(new URL("./jobs-worker.ts", import.meta.url), { workerData: jobs.filter((_, index) => index % cores === core) });
    worker.on("message", (report: JobReport) => tally.add(report));
    await once(worker, "exit");
  };
  await Promise.all(Array.from({ length: cores }, (_, core) => share(core)));
  const seconds = (performance.now() - startedAt) / 1000;
  for (const line of tally.lines) say(line);
  say(
    `${tally.simulations} simulations in ${seconds.toFixed(1)} s (${Math.round(tally.simulations / seconds)} a second on ${cores} cores), ${tally.failed} failed.`,
  );
  return tally.failed === 0 && tally.simulations >= jobs.length ? 0 : 1;
}
