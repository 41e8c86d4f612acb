import type { JsonRecord } from "../../json.ts";
import { parsePlan } from "../../plan/given-plan.ts";
import type { Plan } from "../../subtask.ts";
import { askTask } from "./ask-task.ts";
import type { RequestFlags } from "../flags/command.ts";
import { readContextFiles } from "./context-files.ts";
import { readContextValues } from "./context-values.ts";
import type { Terminal } from "../terminal.ts";
import { readText, readTextFile } from "./text-file.ts";
import { usageError } from "../flags/usage-error.ts";

/** How long stdin may keep silent before we say that it is waited for. */
const patienceMs = 2000;

export interface RequestInput {
  readonly context: JsonRecord;
  readonly plan: Plan | undefined;
  /** The task; reads stdin, or asks, only now. `undefined` where the asked one does not want to. */
  readonly task: () => Promise<string | undefined>;
}

/** A command that takes a task. */
interface Asking extends RequestFlags {
  readonly name: "run" | "plan" | "compare";
  readonly plan?: string | undefined;
}

/** Everything but the task is read at once, so that what is wrong with it shows before anybody types. */
export async function requestInput(flags: Asking, terminal: Terminal): Promise<RequestInput> {
  const { cwd, stdin } = terminal.world;
  const stdinIsFile = flags.files.includes("-");
  const stdinIsPlan = flags.plan === "-";
  const stdinIsTask = flags.task === undefined && stdin.isTTY !== true;
  if ([stdinIsFile, stdinIsPlan, stdinIsTask].filter(Boolean).length > 1) {
    throw usageError("stdin can be one thing only: the task, -f - or --plan -.", 'Give the task in quotes: divvy "task" -f -');
  }
  if (flags.task === undefined && stdin.isTTY === true && (!terminal.err.isTerminal || stdinIsFile || stdinIsPlan)) throw noTask(flags);
  const context = await readContext(cwd, flags, stdinIsFile ? () => readStdin(terminal, "stdin") : undefined);
  const plan = flags.plan === undefined ? undefined : parsePlan(stdinIsPlan ? await readStdin(terminal, "stdin") : await readTextFile(cwd, flags.plan));
  const task = async (): Promise<string | undefined> => {
    if (flags.task !== undefined) return flags.task;
    if (!stdinIsTask) return await askTask(terminal);
    const read = (await readStdin(terminal, "the task on stdin")).trim();
    if (read === "") throw noTask(flags);
    return read;
  };
  return { context, plan, task };
}

async function readContext(cwd: string, { context, files }: RequestFlags, stdin: (() => Promise<string>) | undefined): Promise<JsonRecord> {
  const values = await readContextValues(cwd, context);
  const texts = await readContextFiles(
    cwd,
    files.filter((name) => name !== "-"),
  );
  if (stdin !== undefined) texts.set("stdin", await stdin());
  for (const [name, text] of texts) {
    if (values.has(name)) throw usageError(`"${name}" is given by -c and by -f.`, `Give the -c value another name.`);
    values.set(name, text);
  }
  return Object.fromEntries(values);
}

async function readStdin({ world, err, signal }: Terminal, what: string): Promise<string> {
  const { stdin, runtime } = world;
  const cancel = runtime.clock.setTimer(patienceMs, () => void err.write(`divvy: waiting for ${what}; Ctrl-C stops.\n`));
  const stop = (): void => void stdin.destroy(signal.reason instanceof Error ? signal.reason : undefined);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await readText(stdin, what);
  } finally {
    cancel();
    signal.removeEventListener("abort", stop);
  }
}

function noTask({ name }: Asking): Error {
  return usageError("There is no task.", `Type: divvy ${name === "run" ? "" : `${name} `}"what you want done"`);
}
