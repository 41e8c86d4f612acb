import process from "node:process";
import { systemRuntime } from "../runtime.ts";
import { runCli } from "./run-cli.ts";
import type { CliWorld } from "./world.ts";

/** Runs the terminal program in this process, and ends the process. */
export async function runProcess(): Promise<void> {
  const world: CliWorld = {
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signals: process,
    leave,
    runtime: systemRuntime,
    fetch: globalThis.fetch,
  };
  // Everything is written by then. Idle connections, and a stdin that was never read, must not keep the process.
  leave(await runCli(world));
}

function leave(code: number): void {
  // oxlint-disable-next-line unicorn/no-process-exit -- this is the program, not a library
  process.exit(code);
}
