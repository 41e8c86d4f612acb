import { spawn } from "node:child_process";

export interface ShellOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Said {
  readonly ok: boolean;
  readonly stdout: string;
  /** All of it, in the order in which it came. */
  readonly output: string;
}

/** Runs a program to its end. Rejects only where it cannot be started: a failure is data. */
export function said(program: string, args: readonly string[], { cwd, env = process.env }: ShellOptions = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ ok: code === 0, stdout, output }));
  });
}

/** What a program that has to succeed writes to its standard output. */
export async function shell(program: string, args: readonly string[], options?: ShellOptions): Promise<string> {
  const { ok, stdout, output } = await said(program, args, options);
  if (!ok) throw new Error(`${[program, ...args].join(" ")}\n${output}`);
  return stdout;
}
