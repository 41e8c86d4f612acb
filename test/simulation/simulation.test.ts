import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { comparisonFrom } from "./comparison/comparison-schedule.ts";
import { simulateComparison } from "./comparison/simulate-comparison.ts";
import { carryOut, type JobReport, jobsOf } from "./jobs.ts";
import { type Kill, killEverywhere, killSchedule, killsText } from "./kill-points.ts";
import { ReportTally } from "./report-tally.ts";
import { calmLife, type Schedule, scheduleFrom } from "./schedule.ts";
import { type Report, simulate } from "./simulate.ts";

/** A share of what `npm run test:long` does. */
const seeds = Array.from({ length: 600 }, (_, index) => index + 1);
const minutes = 60_000;

const failure = ({ command, faults }: Pick<JobReport, "command" | "faults">): string => `${command}\n${faults.join("\n")}`;

describe("whole runs in simulated time, with faults, refusals, stops, crashes and takeovers, and comparisons", () => {
  test("keep to all that must hold, and meet with all there is", { timeout: 5 * minutes }, async () => {
    const failed: string[] = [];
    const tally = new ReportTally(() => undefined);
    for (const job of jobsOf(1, seeds.length)) {
      await carryOut(job, (report) => {
        tally.add(report);
        if (report.faults.length > 0) failed.push(failure(report));
      });
    }
    expect(failed).toEqual([]);
    expect(tally.unmet).toEqual([]);
    expect(seeds.filter((seed) => scheduleFrom(seed).onSqlite)).toHaveLength(12);
  });

  test("say how to see it again when they fail", async () => {
    const failed: JobReport[] = [];
    const breakStore: NonNullable<Parameters<typeof simulate>[1]>["breakStore"] = (ledger) => ({ ...ledger, readCall: async () => undefined });
    for (let seed = 1; failed.length === 0; seed++) {
      await carryOut({ seed, kind: "seed" }, (report) => void (report.faults.length > 0 && failed.push(report)), { breakStore });
    }
    const [{ seed, command } = { seed: 0, command: "" }] = failed;
    expect(command).toBe(`npm run simulate -- --seed ${seed} --trace`);
    // The same, but with a sound store.
    const again = async (...how: string[]): Promise<string> => {
      const root = resolve(import.meta.dirname, "../..");
      return (await promisify(execFile)("node", ["test/simulation/main.ts", "--seed", String(seed), ...how], { cwd: root })).stdout;
    };
    expect(await again()).toContain((await simulate(scheduleFrom(seed))).digest);
    const compared: JobReport[] = [];
    await carryOut({ seed, kind: "comparison" }, (report) => void compared.push(report));
    expect(compared.map((report) => report.command)).toEqual([`npm run simulate -- --seed ${seed} --comparison --trace`]);
    expect(await again("--comparison")).toContain(compared[0]?.digest);
  });
});

describe("the same seed", () => {
  const again = async (schedule: Schedule, name: string): Promise<string> => {
    const { digest, crashes } = await simulate(schedule);
    const second = await simulate(schedule);
    expect([second.digest, second.crashes], name).toEqual([digest, crashes]);
    return digest;
  };

  test("has the same events, in memory and on SQLite", { timeout: minutes }, async () => {
    const digests = new Set<string>();
    for (const seed of seeds.slice(0, 20)) {
      const schedule = { ...scheduleFrom(seed), onSqlite: false };
      const digest = await again(schedule, `seed ${seed}`);
      expect(await again({ ...schedule, onSqlite: true }, `seed ${seed} on SQLite`), `seed ${seed} on SQLite`).toBe(digest);
      digests.add(digest);
    }
    // Some end before anything is kept, and are alike.
    expect(digests.size).toBeGreaterThan(15);
  });

  test("has the same events where its processes are killed, twice, and on SQLite", { timeout: minutes }, async () => {
    const kills: Kill[] = [
      { n: 9, done: true },
      { n: 6, done: false },
    ];
    for (const seed of seeds.slice(0, 10)) {
      const schedule = { ...killSchedule(seed, kills), onSqlite: false };
      const digest = await again(schedule, `seed ${seed}, killed`);
      expect(await again({ ...schedule, onSqlite: true }, `seed ${seed}, killed on SQLite`)).toBe(digest);
    }
  });

  test("compares in the same way, and otherwise where one thing differs", async () => {
    const digests = new Set<string>();
    for (const seed of seeds.slice(0, 12)) {
      const { digest } = await simulateComparison(comparisonFrom(seed));
      expect((await simulateComparison(comparisonFrom(seed))).digest, `seed ${seed}`).toBe(digest);
      digests.add(digest);
    }
    // Some end before anybody is asked, and are alike.
    expect(digests.size).toBeGreaterThan(8);
    const schedule = { ...comparisonFrom(5), tries: 1, stop: undefined, budget: undefined };
    const { digest } = await simulateComparison(schedule);
    expect((await simulateComparison({ ...schedule, tries: 2 })).digest).not.toBe(digest);
  });

  test("has other events where one thing differs", async () => {
    const schedule: Schedule = { ...scheduleFrom(1), lives: [calmLife], isGiven: false };
    const { digest } = await simulate(schedule);
    expect((await simulate({ ...schedule, concurrency: schedule.concurrency + 1 })).digest).not.toBe(digest);
    expect((await simulate({ ...schedule, lives: [{ ...calmLife, readsEvents: false }] })).digest).not.toBe(digest);
  });
});

describe("runs whose process dies at anything that it asks of the ledger, before that is done or after", () => {
  const deaths = new Set<string>();
  const failed: string[] = [];
  const look = ({ seed, faults, deaths: met }: Report, kills: readonly Kill[]): void => {
    for (const death of met) deaths.add(death);
    if (faults.length > 0) failed.push(failure({ command: `npm run simulate -- --seed ${seed} --kill ${killsText(kills)} --trace`, faults }));
  };
  const asks = ["commit", "readCall", "readLease", "releaseLease", "renewLease", "takeLease"];

  test("lose nothing", { timeout: 3 * minutes }, async () => {
    // The second is of two runs that share what they paid for.
    for (const seed of [5, 11]) await killEverywhere(seed, false, look);
    expect(failed).toEqual([]);
    expect([...deaths].sort()).toEqual(asks.flatMap((what) => [`${what} after`, `${what} before`]));
  });

  test("lose nothing where a plan was looked for, and the run's own is kept or was taken over", { timeout: 3 * minutes }, async () => {
    // The first finds none that it may have, the second one that it takes.
    for (const seed of [10, 28]) await killEverywhere(seed, false, look);
    expect(failed).toEqual([]);
    expect([...deaths].filter((death) => death.includes("Plan")).sort()).toEqual(["keepPlan after", "keepPlan before", "readPlans after", "readPlans before"]);
  });

  test("lose nothing where results are compared for the answer, or too long for it to be read at once", { timeout: 3 * minutes }, async () => {
    for (const seed of [21, 145]) await killEverywhere(seed, false, look);
    expect(failed).toEqual([]);
  });

  test("lose nothing where code that must not run twice has delivered what is still to be judged", { timeout: 3 * minutes }, async () => {
    let judgedLater = 0;
    await killEverywhere(246, false, (report, kills) => {
      look(report, kills);
      if (report.met.includes("code: judged by a resume")) judgedLater++;
    });
    expect(failed).toEqual([]);
    expect(judgedLater).toBeGreaterThan(10);
  });

  test("lose nothing where the one that goes on dies in the same way", { timeout: 3 * minutes }, async () => {
    for (const seed of [23, 46]) await killEverywhere(seed, true, look);
    expect(failed).toEqual([]);
    expect([...deaths].filter((death) => /^read(?:Facts|Run) /.test(death)).sort()).toEqual([
      "readFacts after",
      "readFacts before",
      "readRun after",
      "readRun before",
    ]);
  });

  test("die where they are told to", async () => {
    const lines: string[] = [];
    const { crashes, deaths: at } = await simulate(
      killSchedule(1, [
        { n: 5, done: true },
        { n: 4, done: false },
      ]),
      { trace: (line) => lines.push(line) },
    );
    expect(crashes).toBe(2);
    expect(at).toEqual(["readCall after", "readFacts before"]);
    expect(lines.filter((line) => line.endsWith("dies"))).toHaveLength(2);
  });
});
