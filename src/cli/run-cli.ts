import { toDivvyError } from "../errors.ts";
import { parseArguments, wantsJson } from "./flags/arguments.ts";
import type { Command } from "./flags/command.ts";
import { flagsByName } from "./flags/flags.ts";
import { exitCodeOf, exitCodes } from "./exit-code.ts";
import { failureText, writeFailure } from "./writing/failure.ts";
import { helpText } from "./help.ts";
import { Interrupts } from "./interrupts.ts";
import { OutStream } from "./writing/out-stream.ts";
import { paintFor } from "./writing/paint.ts";
import type { Terminal } from "./terminal.ts";
import { asTyped } from "./flags/usage-error.ts";
import type { CliWorld } from "./world.ts";

/** Carries out what was typed. Resolves to the exit code when everything is written; never rejects. */
export async function runCli(world: CliWorld): Promise<number> {
  const out = new OutStream(world.stdout);
  const err = new OutStream(world.stderr);
  using interrupts = new Interrupts(world);
  const terminal: Terminal = {
    world,
    out,
    err,
    outPaint: paintFor(world.env, world.stdout),
    errPaint: paintFor(world.env, world.stderr),
    signal: interrupts.signal,
    onInterrupt: () => undefined,
    isLent: false,
  };
  interrupts.onFirst = () => terminal.onInterrupt();
  interrupts.isLent = () => terminal.isLent;
  const code = await carriedOut(terminal);
  if (out.fault === undefined) return code;
  await err.write(failureText(`stdout cannot be written: ${out.fault.message}`, elsewhere(world.argv), terminal));
  return code === exitCodes.ok ? exitCodes.failed : code;
}

/** Where to put what did not get out. */
function elsewhere(argv: readonly string[]): string {
  const answering = flagsByName.get("output")?.commands ?? [];
  return answering.some((name) => name === commandIn(argv)) ? "Write the answer to a file: -o answer.md" : "Send it elsewhere.";
}

/** Nothing where what was typed is none. */
function commandIn(argv: readonly string[]): Command["name"] | undefined {
  try {
    return parseArguments(argv).name;
  } catch {
    return undefined;
  }
}

async function carriedOut(terminal: Terminal): Promise<number> {
  const { argv } = terminal.world;
  try {
    return await dispatch(parseArguments(argv), terminal);
  } catch (thrown) {
    const { signal } = terminal;
    const error = asTyped(toDivvyError(signal.aborted ? signal.reason : thrown));
    await writeFailure(terminal, error, argv, wantsJson(argv));
    return exitCodeOf(error.code);
  }
}

/** Commands are loaded late: help and mistakes answer at once. */
async function dispatch(command: Command, terminal: Terminal): Promise<number> {
  switch (command.name) {
    case "help":
      await terminal.out.write(helpText(command.about, terminal.out.columns));
      return exitCodes.ok;
    case "version": {
      const { version } = await import("./version.ts");
      await terminal.out.write(`${version}\n`);
      return exitCodes.ok;
    }
    case "models": {
      const { modelsCommand } = await import("./commands/models-command.ts");
      return await modelsCommand(command, terminal);
    }
    case "plan": {
      const { planCommand } = await import("./commands/plan-command.ts");
      return await planCommand(command, terminal);
    }
    case "compare": {
      const { compareCommand } = await import("./commands/compare-command.ts");
      return await compareCommand(command, terminal);
    }
    case "runs": {
      const { runsCommand } = await import("./commands/runs-command.ts");
      return await runsCommand(command, terminal);
    }
    case "show": {
      const { showCommand } = await import("./commands/show-command.ts");
      return await showCommand(command, terminal);
    }
    case "resume": {
      const { resumeCommand } = await import("./commands/resume-command.ts");
      return await resumeCommand(command, terminal);
    }
    case "rerun": {
      const { rerunCommand } = await import("./commands/rerun-command.ts");
      return await rerunCommand(command, terminal);
    }
    case "run": {
      const { runCommand } = await import("./commands/run-command.ts");
      return await runCommand(command, terminal);
    }
  }
}
