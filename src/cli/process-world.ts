import process from "node:process";
import { isDead, thisProcess } from "../ledger/process-identity.ts";
import { systemRuntime, timeOfDay } from "../runtime.ts";
import { runCli } from "./run-cli.ts";
import type { CliWorld } from "./world.ts";

/** Runs the terminal program in this process, and ends the process. */
export async function runProcess(): Promise<void> {
  keepSqliteQuiet();
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
    identity: { owner: thisProcess(), isDead, now: timeOfDay },
    fetch: globalThis.fetch,
  };
  // Everything is written by then. Idle connections, and a stdin that was never read, must not keep the process.
  leave(await runCli(world));
}

/** Node 22 says at its first use that its SQLite may change: nothing for who sits at a terminal. All other warnings are shown as ever. */
function keepSqliteQuiet(): void {
  const listeners = process.listeners("warning");
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name === "ExperimentalWarning" && warning.message.startsWith("SQLite ")) return;
    for (const listener of listeners) listener.call(process, warning);
  });
}

function leave(code: number): void {
  // oxlint-disable-next-line unicorn/no-process-exit -- this is the program, not a library
  process.exit(code);
}
