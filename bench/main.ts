import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { cacheTable, caching } from "./cache.ts";
import { coldStart } from "./cold-start.ts";
import { cpuShares, functionsTable, ownersTable } from "./cpu-profile.ts";
import { type Job, type Measured, measure, measureLive, median, Provider } from "./measure.ts";
import { keptRuns } from "./kept-runs.ts";
import { agrees, coldTable, keptTable, memoryTable, named, type Row, round, type SequentialCheck, sequentialTable, timeTable } from "./report.ts";
import { targetsTable, verdicts } from "./targets.ts";
import { soak, soakTable } from "./soak.ts";
import { throttling, throttlingTable } from "./throttling.ts";
import { sequentialMs, soonestMs } from "./workload.ts";

/**
 * `npm run bench`: what Divvy adds to the time and the cost of its calls, what it loses to providers that throttle, what it finds in the caches of others, and whether its memory
 * stays flat; as tables on the way out and as JSON in a file.
 *
 * Not measured: the quality of answers, real providers, a real network. Both processes share this machine, whose noise is in every
 * figure; compare within one run, as ratios.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "3,10,50,200,1000" },
    repeat: { type: "string", default: "3" },
    json: { type: "string", default: join(import.meta.dirname, "../.cache/bench.json") },
    profile: { type: "string" },
    only: { type: "string", default: "calls,throttling,cache,soak" },
  },
});
/** What is measured: the calls of a run with what surrounds them, providers that throttle, providers that cache, memory over many runs. */
const parts = new Set(values.only.split(","));
for (const part of parts)
  if (!["calls", "throttling", "cache", "soak"].includes(part)) throw new Error(`There is no part "${part}": calls, throttling, cache or soak.`);
const sizes = parts.has("calls") ? values.sizes.split(",").map(Number) : [];
const seeds = Array.from({ length: Number(values.repeat) }, (_, index) => index + 1);
/** Sequential calls are measured to this size, and computed beyond it: of 1,000 workers they would take an hour. */
const sequentialTo = 10;
const many = { runs: 200, atOnce: 50 };

type Task = Omit<Job, "seed">;

await using provider = await Provider.start();
const rows: Row[] = [];
const checks: SequentialCheck[] = [];

// What an earlier run left would be taken for this one's.
for (const folder of sizes.flatMap((n) => [profileFolder("bare", n), profileFolder("divvy", n)]))
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });

for (const subtasks of sizes) {
  const bare = await add("bare doStream", { contender: "bare", subtasks, profile: profileFolder("bare", subtasks) }, { live: true });
  await add("divvy", { contender: "divvy", subtasks, profile: profileFolder("divvy", subtasks) }, { live: true, bare });
  await add("divvy, kept in SQLite", { contender: "divvyKept", subtasks }, { bare });
  await add("Promise.all over the AI SDK", { contender: "promiseAll", subtasks }, { bare });
  await addSequential(subtasks, bare);
}
if (parts.has("calls")) {
  const manyBare = await add("bare doStream", { contender: "bare", subtasks: 5, ...many }, { live: true });
  await add("divvy", { contender: "divvy", subtasks: 5, ...many }, { live: true, bare: manyBare });
}

const cold = parts.has("calls") ? coldStart() : undefined;
const kept = parts.has("calls") ? await keptRuns() : undefined;
const throttled = parts.has("throttling") ? await throttling(seeds) : [];
const cached = parts.has("cache") ? await caching(seeds) : [];
const soaks = parts.has("soak") ? await soak() : [];
const targets = verdicts({ rows, cold, throttled, cached, soaks });
const machine = `${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} cores`;

mkdirSync(dirname(resolve(values.json)), { recursive: true });
// The floor stands in a row of its own.
const plain = rows.map(({ bare: _, ...row }) => row);
writeFileSync(
  values.json,
  `${JSON.stringify({ measuredAt: new Date(), machine, seeds, rows: plain, sequential: checks, coldStart: cold, keptRuns: kept, throttling: throttled, cache: cached, soak: soaks, targets }, null, 2)}\n`,
);

say(`${machine}; medians over the seeds ${seeds.join(", ")}.`);
if (rows.length > 0) say(timeTable(rows));
if (rows.length > 0) say(memoryTable(rows));
if (checks.length > 0) say(sequentialTable(checks));
if (cold !== undefined) say(coldTable(cold));
if (kept !== undefined) say(keptTable(kept));
if (throttled.length > 0) say(throttlingTable(throttled));
if (cached.length > 0) say(cacheTable(cached));
if (soaks.length > 0) say(soakTable(soaks));
say(targetsTable(targets));
for (const subtasks of values.profile === undefined ? [] : sizes) sayProfile(subtasks);

process.stderr.write(`JSON: ${relative("", values.json)}\n`);

/** Measures one contender at one size, each seed in a fresh process. What lives in its heap is looked at in one more. */
async function add(contender: string, task: Task, { live, bare }: { live?: true; bare?: Row }): Promise<Row> {
  const all: Measured[] = [];
  for (const seed of seeds) all.push(await measure(provider, { ...task, seed }));
  const figures = { ...medians(all), ...(live && (await measureLive(provider, { ...task, seed: 1 }))) };
  return keep({
    contender,
    subtasks: task.subtasks,
    runs: task.runs ?? 1,
    atOnce: task.atOnce ?? 1,
    computed: false,
    figures,
    ...(bare && { bare: bare.figures }),
  });
}

async function addSequential(subtasks: number, bare: Row): Promise<void> {
  const ofSeeds = (ms: typeof sequentialMs): number => median(seeds.map((seed) => ms({ subtasks, seed })));
  const computedMs = ofSeeds(sequentialMs);
  if (subtasks > sequentialTo) {
    const figures = { makespanMs: computedMs, boundMs: ofSeeds(soonestMs) };
    keep({ contender: "sequential", subtasks, runs: 1, atOnce: 1, computed: true, figures });
    return;
  }
  const { figures } = await add("sequential", { contender: "sequential", subtasks }, { bare });
  const check = { subtasks, measuredMs: figures.makespanMs ?? Number.NaN, computedMs };
  checks.push(check);
  if (agrees(check)) return;
  process.stderr.write(`Sequential calls took ${round(check.measuredMs)} ms and not ${round(computedMs)} ms as computed: the latencies are not kept.\n`);
  process.exitCode = 1;
}

function medians(all: readonly Measured[]): Measured {
  const of = (pick: (one: Measured) => number): number => median(all.map(pick));
  const alone = all.every(({ boundMs }) => boundMs !== undefined);
  return {
    makespanMs: of((one) => one.makespanMs),
    ...(alone && { boundMs: of((one) => one.boundMs ?? Number.NaN), firstWorkerMs: of((one) => one.firstWorkerMs ?? Number.NaN) }),
    dispatchMs: { median: of((one) => one.dispatchMs.median), p99: of((one) => one.dispatchMs.p99), max: of((one) => one.dispatchMs.max) },
    cpuMs: of((one) => one.cpuMs),
    peakMb: of((one) => one.peakMb),
    peakHeapMb: of((one) => one.peakHeapMb),
    fullCollections: of((one) => one.fullCollections),
  };
}

function keep(row: Row): Row {
  rows.push(row);
  process.stderr.write(`${named(row)}, N = ${row.subtasks}: ${round(row.figures.makespanMs)} ms\n`);
  return row;
}

/** Where a contender's profiles go, `--profile` given. */
function profileFolder(contender: string, subtasks: number): string | undefined {
  return values.profile === undefined ? undefined : join(resolve(values.profile), `${contender}-${subtasks}`);
}

function sayProfile(subtasks: number): void {
  const divvy = cpuShares(profileFolder("divvy", subtasks) ?? "");
  say(`CPU of the processes at N = ${subtasks}, their start included, while they were profiled:`);
  say(ownersTable(cpuShares(profileFolder("bare", subtasks) ?? ""), divvy));
  say(functionsTable(divvy));
}

function say(text: string): void {
  process.stdout.write(`${text}\n\n`);
}
