import { parentPort, workerData } from "node:worker_threads";
import { carryOut, type Job } from "./jobs.ts";

/** One core's share of a simulation. */
const jobs: readonly Job[] = workerData;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port between threads has no origin
for (const job of jobs) await carryOut(job, (report) => parentPort?.postMessage(report));
