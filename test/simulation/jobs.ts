import { type Kill, killEverywhere, killSchedule, killsText } from "./kill-points.ts";
import type { SceneOptions } from "./scene.ts";
import { scheduleFrom } from "./schedule.ts";
import { type Report, simulate } from "./simulate.ts";

/**
 * A part of what is to be simulated: one seed; or one seed killed at everything that its process asks of the ledger; or that, and
 * killed again at everything that is asked then.
 */
export type Job = { readonly seed: number; readonly kind: "seed" | "kill points" | "double kill points" };

export interface JobReport extends Report {
  readonly ms: number;
  /** Does it all again, and shows what happens. */
  readonly command: string;
}

export async function carryOut({ seed, kind }: Job, onReport: (report: JobReport) => void, options: SceneOptions = {}): Promise<void> {
  let startedAt = performance.now();
  const unhandled: string[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(`nobody heard of this: ${reason instanceof Error ? reason.stack : String(reason)}`);
  const report = (done: Report, kills: readonly Kill[]): void => {
    const ms = performance.now() - startedAt;
    startedAt = performance.now();
    const faults = [...done.faults, ...unhandled.splice(0)];
    onReport({ ...done, faults, ms, command: `npm run simulate -- --seed ${seed}${kills.length > 0 ? ` --kill ${killsText(kills)}` : ""} --trace` });
  };
  process.on("unhandledRejection", onUnhandled);
  try {
    if (kind === "seed") report(await simulate(scheduleFrom(seed), options), []);
    else await killEverywhere(seed, kind === "double kill points", report);
  } finally {
    process.off("unhandledRejection", onUnhandled);
  }
}

/** One simulation, told as it happens. */
export async function replay(seed: number, kills: readonly Kill[], say: ((line: string) => void) | undefined): Promise<Report> {
  const schedule = kills.length === 0 ? scheduleFrom(seed) : killSchedule(seed, kills);
  say?.(JSON.stringify(schedule));
  return await simulate(schedule, { trace: say });
}
