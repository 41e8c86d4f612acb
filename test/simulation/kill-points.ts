import { breeze, calmLife, type Moment, type Schedule, scheduleFrom } from "./schedule.ts";
import { type Report, simulate } from "./simulate.ts";

/** Something that a process asks of its ledger, and dies at: takes, renewals and releases of leases, reads, commits. */
export interface Kill {
  /** The how many-th thing, from 1. */
  readonly n: number;
  /** After it was done, not before. */
  readonly done: boolean;
}

/** The schedule of a seed, with nothing happening to its processes but that the first, second, ... dies at that point. */
export function killSchedule(seed: number, kills: readonly Kill[]): Schedule {
  const schedule = scheduleFrom(seed);
  const { readsText, readsEvents } = schedule.lives[0] ?? calmLife;
  const lives = kills.map((kill) => ({
    ...calmLife,
    weather: breeze,
    readsText,
    readsEvents,
    crash: { on: "ask", what: "anything", ...kill } satisfies Moment,
  }));
  return { ...schedule, lives, rerun: false };
}

/** Kills the first process at everything that it asks of the ledger; with `twice`, also the one that goes on, at everything that it asks. */
export async function killEverywhere(seed: number, twice: boolean, onReport: (report: Report, kills: readonly Kill[]) => void): Promise<void> {
  const from = async (before: readonly Kill[]): Promise<void> => {
    for (let n = 1, died = true; died; n++) {
      for (const done of [false, true]) {
        const kills = [...before, { n, done }];
        const report = await simulate(killSchedule(seed, kills));
        died = report.crashes === kills.length;
        onReport(report, kills);
        if (died && twice && before.length === 0) await from(kills);
      }
    }
  };
  await from([]);
}

export function killsFrom(text: string): Kill[] {
  return text.split(",").map((kill) => ({ n: Number.parseInt(kill, 10), done: !kill.endsWith("-") }));
}

export function killsText(kills: readonly Kill[]): string {
  return kills.map(({ n, done }) => `${n}${done ? "" : "-"}`).join(",");
}
