import { breeze, calmLife, type Moment, type Schedule, scheduleFrom } from "./schedule.ts";
import { type Report, simulate } from "./simulate.ts";

/** A commit at which a process dies. */
export interface Kill {
  readonly n: number;
  /** After it was written, not before. */
  readonly written: boolean;
}

/** The schedule of a seed, with nothing happening to its processes but that the first, second, ... dies at that commit. */
export function killSchedule(seed: number, kills: readonly Kill[]): Schedule {
  const schedule = scheduleFrom(seed);
  const { readsText, readsEvents } = schedule.lives[0] ?? calmLife;
  const lives = kills.map((kill) => ({ ...calmLife, weather: breeze, readsText, readsEvents, crash: { on: "commit", ...kill } satisfies Moment }));
  return { ...schedule, lives, rerun: false };
}

/** Kills the first process at every one of its commits; with `twice`, also the one that goes on, at every one of its own. */
export async function killEverywhere(
  seed: number,
  { twice, sides }: { readonly twice: boolean; readonly sides: readonly boolean[] },
  onReport: (report: Report, kills: readonly Kill[]) => void,
): Promise<void> {
  const from = async (before: readonly Kill[]): Promise<void> => {
    for (let n = 1, died = true; died; n++) {
      for (const written of sides) {
        const kills = [...before, { n, written }];
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
  return text.split(",").map((kill) => ({ n: Number.parseInt(kill, 10), written: !kill.endsWith("-") }));
}

export function killsText(kills: readonly Kill[]): string {
  return kills.map(({ n, written }) => `${n}${written ? "" : "-"}`).join(",");
}
