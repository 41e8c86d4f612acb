import { answerOf } from "./child.ts";
import { median, Provider } from "./measure.ts";
import { round, table } from "./report.ts";
import type { ThrottlingSeen } from "./throttling-process.ts";
import { soonestMs, throttlers, workers } from "./throttling-workload.ts";

/** What the client's process is told, and what it says. */
export interface ThrottlingJob {
  readonly url: string;
  readonly contender: "divvy" | "promiseAll";
  readonly run: string;
  readonly seed: number;
}

export interface ThrottlingResult {
  /** Workers whose result is there. */
  readonly done: number;
  /** To the end of the last worker; there is no synthesis. */
  readonly makespanMs: number;
  readonly cpuMs: number;
}

/** One run with one seed. */
export interface ThrottledRun extends ThrottlingResult, ThrottlingSeen {
  readonly seed: number;
  readonly boundMs: number;
}

export interface ThrottlingRow {
  readonly provider: string;
  /** Does it bound how many are in flight, or how many begin in a second? */
  readonly bounds: "atOnce" | "aSecond";
  readonly contender: string;
  readonly runs: readonly ThrottledRun[];
}

const contenders: readonly { readonly key: ThrottlingJob["contender"]; readonly name: string }[] = [
  { key: "divvy", name: "divvy" },
  { key: "promiseAll", name: "Promise.all over the AI SDK, its default retries" },
];

/** 200 workers against providers that take fewer. */
export async function throttling(seeds: readonly number[]): Promise<ThrottlingRow[]> {
  await using provider = await Provider.start("throttling-process.ts");
  const rows: ThrottlingRow[] = [];
  for (const [folder, throttler] of throttlers)
    for (const { key, name } of contenders) {
      const runs: ThrottledRun[] = [];
      for (const seed of seeds) {
        const run = `t${rows.length}s${seed}`;
        const job: ThrottlingJob = { url: `${provider.url}/${folder}`, contender: key, run, seed };
        const result = await answerOf<ThrottlingResult>("throttling-client.ts", job);
        const seen: ThrottlingSeen = JSON.parse(await (await fetch(`${provider.url}/?run=${run}`)).text());
        runs.push({ seed, boundMs: soonestMs(seed, throttler), ...result, ...seen });
        process.stderr.write(
          `${name}, ${throttler.said}, seed ${seed}: ${result.done} done, ${seen.throttledAt.length} throttled, ${round(result.makespanMs)} ms\n`,
        );
      }
      rows.push({ provider: throttler.said, bounds: throttler.slots === undefined ? "aSecond" : "atOnce", contender: name, runs });
    }
  return rows;
}

export const lostOf = ({ done }: ThrottledRun): number => workers - done;
export const throttledOf = ({ throttledAt }: ThrottledRun): number => throttledAt.length;
export const ratioOf = ({ makespanMs, boundMs }: ThrottledRun): number => makespanMs / boundMs;

export function throttlingTable(rows: readonly ThrottlingRow[]): string {
  return table(
    ["provider takes", "contender", `done of ${workers}`, "worst", "throttled attempts", "worst", "makespan ms", "/ bound", "worst", "most at once", "CPU ms"],
    rows.map(({ provider, contender, runs }) => {
      const of = (pick: (run: ThrottledRun) => number): number => median(runs.map(pick));
      const worst = (pick: (run: ThrottledRun) => number): number => Math.max(...runs.map(pick));
      // Who loses workers is done sooner than who does not.
      const isWhole = worst(lostOf) === 0;
      const times = isWhole ? [round(of(({ makespanMs }) => makespanMs)), of(ratioOf).toFixed(3), worst(ratioOf).toFixed(3)] : ["", "", ""];
      const done = [workers - of(lostOf), workers - worst(lostOf)];
      return [
        provider,
        contender,
        ...done,
        of(throttledOf),
        worst(throttledOf),
        ...times,
        worst(({ mostAtOnce }) => mostAtOnce),
        round(of(({ cpuMs }) => cpuMs)),
      ];
    }),
  );
}
