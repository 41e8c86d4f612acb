import type { ColdStart } from "./cold-start.ts";
import type { KeptRuns } from "./kept-runs.ts";
import type { Measured } from "./measure.ts";
import type { LiveHeap } from "./memory.ts";

/** One contender at one size. Medians over the seeds. */
export interface Row {
  readonly contender: string;
  readonly subtasks: number;
  /** How many runs, and how many of them at once. */
  readonly runs: number;
  readonly atOnce: number;
  /** `true` where nothing ran: the figures follow from the seeded latencies. */
  readonly computed: boolean;
  readonly figures: Partial<Measured & LiveHeap>;
  /** The floor that it is compared with: the same calls by bare `doStream`. */
  readonly bare?: Partial<Measured & LiveHeap>;
}

/** Sequential calls, measured, beside what their latencies add up to. */
export interface SequentialCheck {
  readonly subtasks: number;
  readonly measuredMs: number;
  readonly computedMs: number;
}

/** How far the two may be apart: what the client and the network of this machine add to each call. */
const tolerance = 0.05;

export function agrees({ measuredMs, computedMs }: SequentialCheck): boolean {
  return Math.abs(measuredMs / computedMs - 1) <= tolerance;
}

type Cell = string | number | undefined;

export function timeTable(rows: readonly Row[]): string {
  return table(
    ["contender", "N", "first worker ms", "makespan ms", "/ bound", "tag to request ms, median", "p99", "CPU ms", "/ bare"],
    rows.map((row) => {
      const { makespanMs, boundMs, firstWorkerMs, dispatchMs, cpuMs } = row.figures;
      // Of many runs at once, the time in all says nothing of any one of them.
      const makespan = row.runs === 1 ? round(makespanMs) : undefined;
      const dispatch = [round(dispatchMs?.median, 1), round(dispatchMs?.p99, 1)];
      return [named(row), row.subtasks, round(firstWorkerMs), makespan, ratio(makespanMs, boundMs), ...dispatch, round(cpuMs), ratio(cpuMs, row.bare?.cpuMs)];
    }),
  );
}

export function memoryTable(rows: readonly Row[]): string {
  return table(
    ["contender", "N", "peak RSS MB", "/ bare", "peak heap MB", "full collections", "live heap MB", "/ bare", "left MB"],
    rows
      .filter(({ computed }) => !computed)
      .map((row) => {
        const { peakMb, peakHeapMb, fullCollections, liveMb, leftMb } = row.figures;
        const rss = [round(peakMb), ratio(peakMb, row.bare?.peakMb)];
        return [named(row), row.subtasks, ...rss, round(peakHeapMb), fullCollections, round(liveMb, 1), ratio(liveMb, row.bare?.liveMb), round(leftMb, 1)];
      }),
  );
}

export function sequentialTable(checks: readonly SequentialCheck[]): string {
  return table(
    ["N", "measured ms", "computed ms", "measured / computed", `within ${tolerance * 100} %`],
    checks.map((check) => {
      const { subtasks, measuredMs, computedMs } = check;
      return [subtasks, round(measuredMs), round(computedMs), ratio(measuredMs, computedMs), agrees(check) ? "yes" : "NO"];
    }),
  );
}

export function coldTable({ importCpuMs, firstRequestMs, bareFirstRequestMs }: ColdStart): string {
  return table(
    ["Cold start", "ms"],
    [
      ["CPU of importing the library", round(importCpuMs)],
      ["first request of a fresh process", round(firstRequestMs)],
      ["the same by bare `doStream`, with nothing but the provider's package loaded", round(bareFirstRequestMs)],
    ],
  );
}

export function table(heads: readonly string[], lines: readonly (readonly Cell[])[]): string {
  return [heads, heads.map(() => "---"), ...lines].map((cells) => `| ${cells.map((cell) => cell ?? "").join(" | ")} |`).join("\n");
}

export function named({ contender, runs, atOnce, computed }: Row): string {
  return [contender, ...(runs > 1 ? [`${runs} runs, ${atOnce} at once`] : []), ...(computed ? ["computed"] : [])].join(", ");
}

export function round(value: number | undefined, digits = 0): number | undefined {
  return value === undefined ? undefined : Number(value.toFixed(digits));
}

function ratio(a: number | undefined, b: number | undefined): string | undefined {
  return a === undefined || b === undefined ? undefined : (a / b).toFixed(3);
}

export function keptTable(kept: KeptRuns): string {
  return table(
    ["SQLite ledger", "ms"],
    Object.entries(kept).map(([what, ms]) => [what, round(ms, 1)]),
  );
}
