import { type CacheRow, makespanRatio } from "./cache.ts";
import type { ColdStart } from "./cold-start.ts";
import { median } from "./measure.ts";
import { type Row, table } from "./report.ts";
import type { Soak } from "./soak.ts";
import { lostOf, ratioOf, type ThrottledRun, throttledOf, type ThrottlingRow } from "./throttling.ts";

/** What was to be reached, beside what was. */
export interface Verdict {
  readonly toReach: string;
  readonly measured: readonly Figure[];
}

interface Figure {
  /** At which size; empty where there is one figure only. */
  readonly at: string;
  readonly value: number;
  readonly reached: boolean;
}

interface Found {
  readonly rows: readonly Row[];
  readonly cold: ColdStart | undefined;
  readonly throttled: readonly ThrottlingRow[];
  readonly cached: readonly CacheRow[];
  readonly soaks: readonly Soak[];
}

/** Of what was measured: a size that was left out is left out here too. */
export function verdicts({ rows, cold, throttled, cached, soaks }: Found): Verdict[] {
  const ours = rows.filter(({ contender }) => contender === "divvy");
  const alone = ours.filter(({ runs }) => runs === 1);
  const heavy = ours.filter(({ subtasks, runs }) => runs > 1 || subtasks >= 200);
  const makespan = ({ figures }: Row): number => (figures.makespanMs ?? Number.NaN) / (figures.boundMs ?? Number.NaN);
  const ofBare =
    (key: "cpuMs" | "peakMb") =>
    ({ figures, bare }: Row): number =>
      (figures[key] ?? Number.NaN) / (bare?.[key] ?? Number.NaN);
  const wait = ({ figures }: Row): number => figures.dispatchMs?.median ?? Number.NaN;
  const bareMs = Math.round(cold?.bareFirstRequestMs ?? Number.NaN);

  return [
    judged(
      "makespan at most 1.01 of the bound to N = 200",
      1.01,
      3,
      figuresOf(alone, makespan, (n) => n <= 200),
    ),
    judged(
      "makespan at most 1.02 of the bound at N = 1,000",
      1.02,
      3,
      figuresOf(alone, makespan, (n) => n === 1000),
    ),
    judged(
      "makespan at most 1.02 of the bound to N = 200, kept in SQLite",
      1.02,
      3,
      figuresOf(
        rows.filter(({ contender }) => contender === "divvy, kept in SQLite"),
        makespan,
        (n) => n <= 200,
      ),
    ),
    judged("CPU at most 1.3 of the bare fan-out, from 200 workers on and over many runs", 1.3, 3, figuresOf(heavy, ofBare("cpuMs"))),
    judged("peak memory (RSS) at most 1.2 of it, at the same", 1.2, 3, figuresOf(heavy, ofBare("peakMb"))),
    judged("a worker's request within 5 ms of its closing tag, median", 5, 1, figuresOf(alone, wait)),
    judged("library import at most 60 ms of CPU", 60, 0, cold === undefined ? [] : [["", cold.importCpuMs]]),
    judged(
      `first request of a fresh process within 150 ms (by bare doStream here: ${bareMs} ms)`,
      150,
      0,
      cold === undefined ? [] : [["", cold.firstRequestMs]],
    ),
    judged("of 200 workers none lost where the provider throttles", 0, 0, ofThrottled(throttled, lostOf)),
    judged("makespan at most 1.02 of the bound where it throttles", 1.02, 3, ofThrottled(throttled, ratioOf)),
    judged("at most 20 throttled attempts where it takes 20 at once", 20, 0, ofThrottled(throttled, throttledOf, "atOnce")),
    judged("at most 10 throttled attempts where it takes 50 a second", 10, 0, ofThrottled(throttled, throttledOf, "aSecond")),
    judged(
      "of N workers at most 1 not found in the provider's cache",
      1,
      0,
      ofCached(cached, ({ subtasks, runs }) => subtasks - Math.min(...runs.map(({ hits }) => hits))),
    ),
    judged(
      "no later than with all at once, the plan streamed",
      1,
      3,
      ofCached(
        cached.filter(({ plan }) => plan === "streamed"),
        (row) => makespanRatio(cached, row),
      ),
    ),
    judged(
      "live heap grows by at most 1 KB a run, over 1,000 runs",
      1,
      2,
      soaks.map(({ kept, liveKbPerRun }) => [`kept ${kept}`, liveKbPerRun]),
    ),
  ].filter(({ measured }) => measured.length > 0);
}

export function targetsTable(all: readonly Verdict[]): string {
  const shown = ({ at, value }: Figure): string => (at === "" ? String(value) : `${value} (${at})`);
  return table(
    ["To reach", "Measured", ""],
    all.map(({ toReach, measured }) => [toReach, measured.map(shown).join(", "), inWords(measured)]),
  );
}

function figuresOf(
  rows: readonly Row[],
  pick: (row: Row) => number,
  size: (subtasks: number) => boolean = () => true,
): (readonly [at: string, exact: number])[] {
  return rows
    .filter(({ subtasks }) => size(subtasks))
    .map((row) => [row.runs === 1 ? `N = ${row.subtasks}` : `${row.runs} runs of ${row.subtasks}`, pick(row)]);
}

function ofCached(rows: readonly CacheRow[], pick: (row: CacheRow) => number): (readonly [at: string, exact: number])[] {
  return rows.filter(({ warms }) => warms).map((row) => [`N = ${row.subtasks}, plan ${row.plan}`, pick(row)]);
}

/** Medians over the seeds. */
function ofThrottled(
  rows: readonly ThrottlingRow[],
  pick: (run: ThrottledRun) => number,
  bounds?: ThrottlingRow["bounds"],
): (readonly [at: string, exact: number])[] {
  return rows
    .filter((row) => row.contender === "divvy" && (bounds === undefined || row.bounds === bounds))
    .map(({ provider, runs }) => [provider, median(runs.map(pick))]);
}

/** Judged as it is shown. */
function judged(toReach: string, limit: number, digits: number, found: readonly (readonly [at: string, exact: number])[]): Verdict {
  const measured = found.map(([at, exact]) => ({ at, value: Number(exact.toFixed(digits)) }));
  return { toReach, measured: measured.map((one) => ({ ...one, reached: one.value <= limit })) };
}

function inWords(measured: readonly Figure[]): string {
  const reached = measured.filter((one) => one.reached);
  if (reached.length === measured.length) return "reached";
  return reached.length === 0 ? "not reached" : `reached at ${reached.map(({ at }) => at).join(", ")}`;
}
