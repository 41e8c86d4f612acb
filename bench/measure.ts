import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Seen } from "./provider-process.ts";

export interface Job {
  readonly contender: "divvy" | "promiseAll" | "sequential" | "bare";
  readonly subtasks: number;
  readonly seed: number;
  /** How many runs in all, and how many at once. @default 1 */
  readonly runs?: number;
  readonly atOnce?: number;
  /** A folder for the client's CPU profile. @default none */
  readonly profile?: string | undefined;
}

export interface Measured {
  readonly makespanMs: number;
  /** The soonest that any engine could be done: max over subtasks of "its tag is out + its worker", + the synthesis. */
  readonly boundMs: number;
  /** From the start to the first worker's request. */
  readonly firstWorkerMs: number;
  /** From a subtask's closing tag to its worker's request, at the provider. */
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

  static async start(): Promise<Provider> {
    const child = fork(new URL("provider-process.ts", import.meta.url), { stdio: "inherit" });
    const [message] = await once(child, "message");
    return new Provider(child, Number(Reflect.get(Object(message), "port")));
  }

  /** What it saw of a run; `undefined` where it saw nothing. */
  async seen(run: string): Promise<Seen | undefined> {
    const response = await fetch(`${this.url}/?run=${run}`);
    return JSON.parse(await response.text()) ?? undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await once(this.#child, "exit");
  }
}

let runs = 0;

/** Carries out a job in a process of its own. With several runs, the times are those of the last. */
export async function measure(provider: Provider, job: Job): Promise<Measured> {
  const { contender, subtasks, seed } = job;
  const names = Array.from({ length: job.runs ?? 1 }, () => `r${++runs}`);
  const child = fork(new URL("client-process.ts", import.meta.url), {
    stdio: "inherit",
    execArgv: job.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${job.profile}`],
  });
  child.send({ url: provider.url, contender, subtasks, seed, runs: names, atOnce: job.atOnce ?? 1 });
  const [message] = await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => {
      throw new Error(`The process of ${contender} ended without a result.`);
    }),
  ]);
  const { startedAt, endedAt, cpuMs, peakMb } = result(message);
  const seen = await provider.seen(names.at(-1) ?? "");
  for (const name of names.slice(0, -1)) await provider.seen(name);
  if (seen === undefined) throw new Error(`The provider saw nothing of ${contender}.`);
  return { makespanMs: endedAt - startedAt, ...timesOf(seen, startedAt), cpuMs, peakMb };
}

function timesOf(
  { planAt, planEndAt, tagAt, workerAt, workerEndAt, synthesisAt, synthesisEndAt }: Seen,
  startedAt: number,
): Pick<Measured, "boundMs" | "firstWorkerMs" | "dispatchMs"> {
  const ends = tagAt.map((at, n) => at + (workerEndAt[n] ?? 0) - (workerAt[n] ?? 0));
  const workDone = Math.max(planEndAt, ...ends);
  const waits = tagAt.map((at, n) => (workerAt[n] ?? 0) - at).sort((a, b) => a - b);
  return {
    boundMs: workDone - planAt + (synthesisEndAt - synthesisAt),
    firstWorkerMs: Math.min(...workerAt) - startedAt,
    dispatchMs: { median: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: waits.at(-1) ?? 0 },
  };
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

function result(message: unknown): { startedAt: number; endedAt: number; cpuMs: number; peakMb: number } {
  const read = (key: string): number => Number(Reflect.get(Object(message), key));
  return { startedAt: read("startedAt"), endedAt: read("endedAt"), cpuMs: read("cpuMs"), peakMb: read("peakMb") };
}
