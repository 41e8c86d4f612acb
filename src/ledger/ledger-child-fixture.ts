import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Json } from "../json.ts";

/** Other processes, for tests of what several do with one ledger. They run the functions of `ledger-child-work-fixture.ts`. */

export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  /** What it says next, a line at a time; undefined when it says no more. */
  heard(): Promise<string | undefined>;
  /** All that it goes on to say. */
  rest(): Promise<string[]>;
  tell(line: string): void;
  /** Resolves when it is gone. */
  ended(): Promise<void>;
}

/**
 * Runs a function in a process of its own.
 *
 * @param around a command that the process is run by, such as `["sh", "-c", 'ulimit -f 100; exec "$@"', "sh"]`
 */
export function startChild<A extends readonly Json[]>(
  work: (...args: A) => Promise<void>,
  args: A,
  { around = [], nodeArgs = [] }: { readonly around?: readonly string[]; readonly nodeArgs?: readonly string[] } = {},
): Child {
  const module = new URL("./ledger-child-work-fixture.ts", import.meta.url).href;
  const code = `import { ${work.name} } from ${JSON.stringify(module)}; await ${work.name}(...${JSON.stringify(args)});`;
  const [program, ...rest] = [...around, process.execPath, ...nodeArgs, "--no-warnings", "--input-type=module", "-e", code];
  const child = spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"] });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("The child has no pipes.");
  // One that is killed does not read what it was told last.
  stdin.on("error", () => undefined);
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const ended = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  };
  const heard = async (): Promise<string | undefined> => {
    const next = await lines.next();
    return next.done === true ? undefined : next.value;
  };
  return {
    process: child,
    heard,
    rest: async () => {
      const all: string[] = [];
      for (let line = await heard(); line !== undefined; line = await heard()) all.push(line);
      return all;
    },
    tell: (line) => void stdin.write(`${line}\n`),
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended();
    },
  };
}
