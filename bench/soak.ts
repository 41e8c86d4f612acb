import { answerOf } from "./child.ts";
import { Provider } from "./measure.ts";
import { round, table } from "./report.ts";

/** What the process is told. */
export interface SoakJob {
  readonly url: string;
  readonly ledger: "memory" | "sqlite";
  readonly runs: number;
  /** After how many runs each its memory is looked at. */
  readonly every: number;
  readonly atOnce: number;
  readonly subtasks: number;
}

/** Memory after so many runs, collected, none under way. */
export interface SoakSample {
  readonly runs: number;
  /** JavaScript heap in use. */
  readonly liveMb: number;
  /** What the process has of the system. */
  readonly rssMb: number;
  /** Held by JavaScript objects outside of the heap. */
  readonly externalMb: number;
}

export interface Soak {
  readonly kept: string;
  readonly samples: readonly SoakSample[];
  /** Growth of the live heap and of RSS after the warm-up, in kilobytes for each run: the line that fits the samples best. */
  readonly liveKbPerRun: number;
  readonly rssKbPerRun: number;
}

const job = { runs: 1000, every: 100, atOnce: 10, subtasks: 5 };
/** The memory ledger keeps the last 100 runs, and code is compiled anew while it is young. */
const warmUpRuns = 200;

const ledgers: readonly { readonly ledger: SoakJob["ledger"]; readonly kept: string }[] = [
  { ledger: "memory", kept: "in memory" },
  { ledger: "sqlite", kept: "in SQLite" },
];

/** 1,000 small runs in one process: is its memory flat? */
export async function soak(): Promise<Soak[]> {
  await using provider = await Provider.start();
  const soaks: Soak[] = [];
  for (const { ledger, kept } of ledgers) {
    const told: SoakJob = { url: provider.url, ledger, ...job };
    const samples = await answerOf<SoakSample[]>("soak-process.ts", told, ["--expose-gc"]);
    const liveKbPerRun = kilobytesPerRun(samples, ({ liveMb }) => liveMb);
    const rssKbPerRun = kilobytesPerRun(samples, ({ rssMb }) => rssMb);
    soaks.push({ kept, samples, liveKbPerRun, rssKbPerRun });
    process.stderr.write(`${job.runs} runs kept ${kept}: ${round(liveKbPerRun, 2)} KB a run\n`);
  }
  return soaks;
}

/** Least squares. */
function kilobytesPerRun(samples: readonly SoakSample[], pick: (sample: SoakSample) => number): number {
  const warm = samples.filter(({ runs }) => runs >= warmUpRuns);
  const mean = (of: (sample: SoakSample) => number): number => warm.reduce((sum, sample) => sum + of(sample), 0) / warm.length;
  const [meanRuns, meanMb] = [mean(({ runs }) => runs), mean(pick)];
  const slope = mean((sample) => (sample.runs - meanRuns) * (pick(sample) - meanMb)) / mean(({ runs }) => (runs - meanRuns) ** 2);
  return slope * 1024;
}

export function soakTable(soaks: readonly Soak[]): string {
  return table(
    ["runs", ...soaks.flatMap(({ kept }) => [`kept ${kept}: live heap MB`, "outside of it MB", "RSS MB"])],
    [
      ...Array.from({ length: job.runs / job.every }, (_, index) => [
        (index + 1) * job.every,
        ...soaks.flatMap(({ samples }) => {
          const sample = samples[index];
          return [round(sample?.liveMb, 2), round(sample?.externalMb, 2), round(sample?.rssMb, 1)];
        }),
      ]),
      [`KB a run, after ${warmUpRuns}`, ...soaks.flatMap(({ liveKbPerRun, rssKbPerRun }) => [round(liveKbPerRun, 2), "", round(rssKbPerRun, 2)])],
    ],
  );
}
