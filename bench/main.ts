import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { coldStart } from "./cold-start.ts";
import { type Job, type Measured, measure, median, Provider } from "./measure.ts";

/**
 * `npm run bench`: what Divvy adds to the time and the cost of its calls.
 *
 * Not measured: the quality of answers, real providers, a real network. Both processes share this machine, whose noise is in every
 * figure; compare within one run, as ratios.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "3,10,50,200,1000" },
    repeat: { type: "string", default: "3" },
    json: { type: "string" },
    profile: { type: "string" },
  },
});
const sizes = values.sizes.split(",").map(Number);
const repeats = Number(values.repeat);

await using provider = await Provider.start();
const rows: Record<string, string | number>[] = [];

/** The median of several measurements of one kind, each with another seed. */
async function measured(job: Omit<Job, "seed">): Promise<Measured> {
  const all: Measured[] = [];
  for (let seed = 1; seed <= repeats; seed++) all.push(await measure(provider, { ...job, seed }));
  const of = (pick: (one: Measured) => number): number => median(all.map(pick));
  return {
    makespanMs: of((one) => one.makespanMs),
    boundMs: of((one) => one.boundMs),
    firstWorkerMs: of((one) => one.firstWorkerMs),
    dispatchMs: { median: of((one) => one.dispatchMs.median), p99: of((one) => one.dispatchMs.p99), max: of((one) => one.dispatchMs.max) },
    cpuMs: of((one) => one.cpuMs),
    peakMb: of((one) => one.peakMb),
  };
}

function row(name: string, subtasks: number, one: Measured, floor: Measured | undefined): void {
  const entry = {
    contender: name,
    N: subtasks,
    "first worker ms": round(one.firstWorkerMs),
    "makespan ms": round(one.makespanMs),
    "/ bound": ratio(one.makespanMs, one.boundMs),
    "tag to request ms, median": round(one.dispatchMs.median, 1),
    p99: round(one.dispatchMs.p99, 1),
    "CPU ms": round(one.cpuMs),
    "/ bare ": floor === undefined ? "" : ratio(one.cpuMs, floor.cpuMs),
    "peak MB": round(one.peakMb),
    "/ bare": floor === undefined ? "" : ratio(one.peakMb, floor.peakMb),
  };
  rows.push(entry);
  process.stderr.write(`${name}, N = ${subtasks}: ${entry["makespan ms"]} ms\n`);
}

for (const subtasks of sizes) {
  const floor = await measured({ contender: "bare", subtasks });
  row("bare doStream", subtasks, floor, undefined);
  row("divvy", subtasks, await measured({ contender: "divvy", subtasks, profile: values.profile }), floor);
  row("Promise.all over the AI SDK", subtasks, await measured({ contender: "promiseAll", subtasks }), floor);
  if (subtasks <= 10) row("sequential", subtasks, await measured({ contender: "sequential", subtasks }), floor);
}

const many = { subtasks: 5, runs: 200, atOnce: 50 };
const manyFloor = await measured({ contender: "bare", ...many });
row("bare doStream, 200 runs, 50 at once", 5, manyFloor, undefined);
row("divvy, 200 runs, 50 at once", 5, await measured({ contender: "divvy", ...many }), manyFloor);

const start = coldStart();
const machine = `${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} cores`;
process.stdout.write(`${table(rows)}\n\n`);
process.stdout.write(
  `Cold start (${machine}): import ${round(start.importCpuMs)} ms CPU; first request after ${round(start.firstRequestMs)} ms, by bare doStream after ${round(start.bareFirstRequestMs)} ms.\n`,
);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, rows, coldStart: start }, null, 2)}\n`);

function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}

function ratio(a: number, b: number): string {
  return (a / b).toFixed(3);
}

function table(all: readonly Record<string, string | number>[]): string {
  const heads = Object.keys(all[0] ?? {});
  const lines = all.map((entry) => `| ${heads.map((head) => entry[head]).join(" | ")} |`);
  return [`| ${heads.join(" | ")} |`, `| ${heads.map(() => "---").join(" | ")} |`, ...lines].join("\n");
}
