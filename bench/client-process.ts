import { bare, divvy, divvyKept, promiseAll, sequential } from "./contenders.ts";
import { type Contender, modelsAt, type Models, taskOf } from "./contender.ts";
import type { ClientJob, ClientResult } from "./measure.ts";
import { watchHeap, watchLive } from "./memory.ts";
import { warmUp } from "./workload.ts";

/** One contender, one workload, in a fresh process: what it costs, and when it was done. */
const contenders: Readonly<Record<string, (models: Models) => Contender | Promise<Contender>>> = { divvy, divvyKept, promiseAll, sequential, bare };

/** Told by the parent. */
process.once("message", async (job: ClientJob) => {
  const make = contenders[job.contender];
  if (make === undefined) throw new Error(`There is no contender "${job.contender}".`);
  const contender = await make(modelsAt(job.url));
  const workload = { subtasks: job.subtasks, seed: job.seed };

  // A first small run: compiling and connecting are the cold start's matter, which is measured by itself.
  const small = { subtasks: 3, seed: warmUp };
  for (let n = 0; n < 3; n++) await contender.run(taskOf(`w${n}`, small), small);

  const live = globalThis.gc === undefined ? undefined : watchLive(globalThis.gc);
  const heap = watchHeap();
  const before = process.cpuUsage();
  const startedAt = performance.timeOrigin + performance.now();
  const waiting = [...job.runs];
  const work = async (): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) await contender.run(taskOf(run, workload), workload);
  };
  await Promise.all(Array.from({ length: job.atOnce }, work));
  const endedAt = performance.timeOrigin + performance.now();
  const cpu = process.cpuUsage(before);
  const result: ClientResult = {
    startedAt,
    endedAt,
    cpuMs: (cpu.user + cpu.system) / 1000,
    // Linux and macOS both report kilobytes here, since libuv evens them out.
    peakMb: process.resourceUsage().maxRSS / 1024,
    ...heap(),
    ...live?.(),
  };
  process.send?.(result);
  process.disconnect();
});
