import { divvyBuilt } from "./built.ts";
import { modelsAt, type Models, taskOf, workerPrompts } from "./contender.ts";
import type { ThrottlingJob, ThrottlingResult } from "./throttling.ts";
import { workers } from "./throttling-workload.ts";
import { warmUp, type Workload } from "./workload.ts";

/** One contender against a provider that throttles, in a fresh process. Each says how many workers are done. */
type Contender = (models: Models) => Promise<(task: string, workload: Workload) => Promise<number>>;

const contenders: Readonly<Record<ThrottlingJob["contender"], Contender>> = {
  divvy: async ({ planner, worker }) => {
    const { FlexibleOrchestrator } = await divvyBuilt();
    const limits = { subtasks: 10_000, workers: 10_000 };
    const orchestrator = new FlexibleOrchestrator({ orchestrator: planner, worker, concurrency: 10_000, limits });
    return async (task) => (await orchestrator.orchestrate(task)).results.length;
  },
  promiseAll: async ({ planner, worker }) => {
    const { generateText } = await import("ai");
    return async (task, workload) => {
      await generateText({ model: planner, prompt: task, maxOutputTokens: 8192 });
      // Promise.all throws at the first that is lost; the others are let end here, to be counted.
      const all = await Promise.allSettled(
        workerPrompts(task, workload).map(({ system, prompt }) => generateText({ model: worker, instructions: system, prompt, maxOutputTokens: 8192 })),
      );
      return all.filter(({ status }) => status === "fulfilled").length;
    };
  },
};

/** Told by the parent. */
process.once("message", async ({ url, contender, run, seed }: ThrottlingJob) => {
  const make = contenders[contender];
  const small = { subtasks: 3, seed: warmUp };
  // Models of their own: what is learnt of them counts for nothing afterwards.
  const warm = await make(modelsAt(url));
  for (let n = 0; n < 3; n++) await warm(taskOf(`w${run}${n}`, small), small);

  const carryOut = await make(modelsAt(url));
  const workload = { subtasks: workers, seed };
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const done = await carryOut(taskOf(run, workload), workload);
  const makespanMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before);
  process.send?.({ done, makespanMs, cpuMs: (user + system) / 1000 } satisfies ThrottlingResult);
  process.disconnect();
});
