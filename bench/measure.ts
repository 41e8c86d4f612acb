import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { answerOf } from "./child.ts";
import type { HeapPeak, LiveHeap } from "./memory.ts";
import type { Seen } from "./provider-process.ts";

export interface Job {
  readonly contender: "divvy" | "divvyKept" | "promiseAll" | "sequential" | "bare";
  readonly subtasks: number;
  readonly seed: number;
  /** How many runs in all, and how many at once. @default 1 */
  readonly runs?: number;
  readonly atOnce?: number;
  /** A folder for the client's CPU profile. @default none */
  readonly profile?: string | undefined;
}

/** What the client's process is told. */
export interface ClientJob extends Pick<Job, "contender" | "subtasks" | "seed"> {
  readonly url: string;
  /** The runs' names. */
  readonly runs: readonly string[];
  readonly atOnce: number;
}

/** What the client's process says. Times are epoch milliseconds. */
export interface ClientResult extends HeapPeak, Partial<LiveHeap> {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly cpuMs: number;
  /** Of the process (RSS). */
  readonly peakMb: number;
}

export interface Measured extends HeapPeak {
  readonly makespanMs: number;
  /** The soonest that any engine could be done: max over subtasks of "its tag is out + its worker", + the synthesis. One run alone has it. */
  readonly boundMs?: number;
  /** From the start to the first worker's request; of one run alone. */
  readonly firstWorkerMs?: number;
  /** From a subtask's closing tag to its worker's request, at the provider; over all runs. */
  readonly dispatchMs: { readonly median: number; readonly p99: number; readonly max: number };
  readonly cpuMs: number;
  readonly peakMb: number;
}

/** The provider's process. */
export class Provider implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(file = "provider-process.ts"): Promise<Provider> {
    const child = fork(new URL(file, import.meta.url), { stdio: "inherit" });
    const [message] = await once(child, "message");
    return new Provider(child, Number(Reflect.get(Object(message), "port")));
  }

  /** What it saw of a run; it forgets it. */
  async seen(run: string): Promise<Seen> {
    const response = await fetch(`${this.url}/?run=${run}`);
    const seen: Seen | null = JSON.parse(await response.text());
    if (seen === null) throw new Error(`The provider saw nothing of the run ${run}.`);
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await once(this.#child, "exit");
  }
}

/** Carries out a job in a process of its own. */
export async function measure(provider: Provider, job: Job): Promise<Measured> {
  const flags = job.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${job.profile}`];
  const { result, seen } = await carryOut(provider, job, flags);
  const { startedAt, endedAt, cpuMs, peakMb, peakHeapMb, fullCollections } = result;
  const [only, ...others] = seen;
  return {
    makespanMs: endedAt - startedAt,
    ...(only !== undefined && others.length === 0 && timesOf(only, startedAt)),
    dispatchMs: dispatchOf(seen),
    cpuMs,
    peakMb,
    peakHeapMb,
    fullCollections,
  };
}

/** The same job once more, collecting all the time: what of its memory is in use, and what it leaves. */
export async function measureLive(provider: Provider, job: Job): Promise<LiveHeap> {
  const { liveMb, leftMb } = (await carryOut(provider, job, ["--expose-gc"])).result;
  if (liveMb === undefined || leftMb === undefined) throw new Error(`The process of ${job.contender} did not look at its heap.`);
  return { liveMb, leftMb };
}

let runs = 0;

async function carryOut(provider: Provider, job: Job, execArgv: readonly string[]): Promise<{ result: ClientResult; seen: Seen[] }> {
  const { contender, subtasks, seed } = job;
  const names = Array.from({ length: job.runs ?? 1 }, () => `r${++runs}`);
  const told: ClientJob = { url: provider.url, contender, subtasks, seed, runs: names, atOnce: job.atOnce ?? 1 };
  const result = await answerOf<ClientResult>("client-process.ts", told, execArgv);
  const seen: Seen[] = [];
  for (const name of names) seen.push(await provider.seen(name));
  return { result, seen };
}

function timesOf(
  { planAt, planEndAt, tagAt, workerAt, workerEndAt, synthesisAt, synthesisEndAt }: Seen,
  startedAt: number,
): Required<Pick<Measured, "boundMs" | "firstWorkerMs">> {
  const ends = tagAt.map((at, n) => at + (workerEndAt[n] ?? 0) - (workerAt[n] ?? 0));
  const workDone = Math.max(planEndAt, ...ends);
  return { boundMs: workDone - planAt + (synthesisEndAt - synthesisAt), firstWorkerMs: Math.min(...workerAt) - startedAt };
}

function dispatchOf(seen: readonly Seen[]): Measured["dispatchMs"] {
  const waits = seen.flatMap(({ tagAt, workerAt }) => tagAt.map((at, n) => (workerAt[n] ?? 0) - at)).sort((a, b) => a - b);
  return { median: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: waits.at(-1) ?? 0 };
}

export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
