import { type Kill, killEverywhere, killSchedule, killsText } from "./kill-points.ts";
import type { SceneOptions } from "./scene.ts";
import { scheduleFrom } from "./schedule.ts";
import { comparisonFrom } from "./comparison/comparison-schedule.ts";
import { simulateComparison } from "./comparison/simulate-comparison.ts";
import { type Simulated, simulate } from "./simulate.ts";

/**
 * A part of what is to be simulated: one seed; or one seed killed at everything that its process asks of the ledger; or that, and
 * killed again at everything that is asked then; or one comparison.
 */
export type Job = { readonly seed: number; readonly kind: "seed" | "kill points" | "double kill points" | "comparison" };

/** One seed in so many is compared as well. */
const comparedOnce = 5;

/** So many seeds, and the comparisons of those of them that are compared. */
export function jobsOf(from: number, count: number): Job[] {
  const seeds = Array.from({ length: count }, (_, index) => from + index);
  return [
    ...seeds.map((seed): Job => ({ seed, kind: "seed" })),
    ...seeds.filter((seed) => seed % comparedOnce === 0).map((seed): Job => ({ seed, kind: "comparison" })),
  ];
}

export interface JobReport extends Simulated {
  readonly ms: number;
  /** Does it all again, and shows what happens. */
  readonly command: string;
}

export async function carryOut({ seed, kind }: Job, onReport: (report: JobReport) => void, options: SceneOptions = {}): Promise<void> {
  let startedAt = performance.now();
  const unhandled: string[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(`nobody heard of this: ${reason instanceof Error ? reason.stack : String(reason)}`);
  const report = (done: Simulated, how: string): void => {
    const ms = performance.now() - startedAt;
    startedAt = performance.now();
    const faults = [...done.faults, ...unhandled.splice(0)];
    onReport({ ...done, faults, ms, command: `npm run simulate -- --seed ${seed}${how} --trace` });
  };
  process.on("unhandledRejection", onUnhandled);
  try {
    if (kind === "seed") report(await simulate(scheduleFrom(seed), options), "");
    else if (kind === "comparison") report(await simulateComparison(comparisonFrom(seed)), " --comparison");
    else await killEverywhere(seed, kind === "double kill points", (done, kills) => report(done, kills.length > 0 ? ` --kill ${killsText(kills)}` : ""));
  } finally {
    process.off("unhandledRejection", onUnhandled);
  }
}

/** One simulation, told as it happens. */
export async function replay(seed: number, kills: readonly Kill[], say: ((line: string) => void) | undefined): Promise<Simulated> {
  const schedule = kills.length === 0 ? scheduleFrom(seed) : killSchedule(seed, kills);
  say?.(JSON.stringify(schedule));
  return await simulate(schedule, { trace: say });
}

/** One comparison, told as it happens. */
export async function replayComparison(seed: number, say: ((line: string) => void) | undefined): Promise<Simulated> {
  const schedule = comparisonFrom(seed);
  say?.(JSON.stringify(schedule));
  return await simulateComparison(schedule, say);
}
