import { describe, expect, test } from "vitest";
import { carryOut, type JobReport } from "./jobs.ts";
import { killEverywhere, killSchedule, killsText } from "./kill-points.ts";
import { scheduleFrom } from "./schedule.ts";
import { simulate } from "./simulate.ts";

/** A share of what `npm run simulate` does. */
const seeds = Array.from({ length: 600 }, (_, index) => index + 1);
const minutes = 60_000;

const failure = ({ command, faults }: JobReport): string => `${command}\n${faults.join("\n")}`;

describe("whole runs in simulated time, with faults, refusals, stops, crashes and takeovers", () => {
  test("keep to all that must hold", { timeout: 5 * minutes }, async () => {
    const reports: JobReport[] = [];
    for (const seed of seeds) await carryOut({ seed, kind: "seed" }, (report) => reports.push(report));
    expect(reports.filter(({ faults }) => faults.length > 0).map(failure)).toEqual([]);
    // That much happened in them.
    const ends = new Set(reports.flatMap(({ first }) => first));
    expect([...ends].sort()).toEqual(["aborted", "failed", "none", "ok", "partial"]);
    expect(reports.filter(({ crashes }) => crashes > 0).length).toBeGreaterThan(seeds.length / 4);
    expect(reports.filter(({ takeovers }) => takeovers > 0).length).toBeGreaterThan(seeds.length / 20);
    expect(seeds.filter((seed) => scheduleFrom(seed).onSqlite)).toHaveLength(12);
  });

  test("have the same events for the same seed, in memory and on SQLite", { timeout: minutes }, async () => {
    const digests = new Set<string>();
    for (const seed of seeds.slice(0, 20)) {
      const schedule = scheduleFrom(seed);
      const { digest } = await simulate(schedule);
      expect((await simulate(schedule)).digest, `seed ${seed}`).toBe(digest);
      expect((await simulate({ ...schedule, onSqlite: true })).digest, `seed ${seed} on SQLite`).toBe(digest);
      digests.add(digest);
    }
    // Some end before anything is kept, and are alike.
    expect(digests.size).toBeGreaterThan(15);
  });

  test("lose nothing whatever commit they are killed at, before it is written or after, and killed again", { timeout: 2 * minutes }, async () => {
    const failed: string[] = [];
    let points = 0;
    for (const { seed, twice } of [
      { seed: 2, twice: false },
      { seed: 4, twice: false },
      { seed: 3, twice: true },
    ]) {
      await killEverywhere(seed, { twice, sides: twice ? [true] : [true, false] }, ({ faults }, kills) => {
        points++;
        if (faults.length > 0) failed.push(`npm run simulate -- --seed ${seed} --kill ${killsText(kills)} --trace\n${faults.join("\n")}`);
      });
    }
    expect(failed).toEqual([]);
    expect(points).toBeGreaterThan(300);
  });

  test("that are killed die where they are told to", async () => {
    const kills = [
      { n: 3, written: true },
      { n: 2, written: false },
    ];
    const lines: string[] = [];
    const { crashes } = await simulate(killSchedule(1, kills), (line) => lines.push(line));
    expect(crashes).toBe(2);
    expect(lines.filter((line) => line.endsWith("dies"))).toHaveLength(2);
  });
});
