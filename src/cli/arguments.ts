import { parseArgs } from "node:util";
import { nearest } from "../nearest.ts";
import type { OrchestratorOptions } from "../options.ts";
import type { Command, RequestFlags } from "./command.ts";
import { commandNames, type CommandName, type Flag, flags, flagsByName, parseOptions } from "./flags.ts";
import { usageError } from "./usage-error.ts";

/** What was typed: words, and flags with their values. */
interface Typed {
  readonly words: readonly string[];
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** @throws DivvyError for what cannot be understood; it names what was probably meant */
export function parseArguments(argv: readonly string[]): Command {
  const { words, values } = readTokens(argv);
  const [first, ...others] = words;
  const command = commandNames.find((name) => name === first);
  if (values.has("version")) return { name: "version" };
  if (first === "help" || values.has("help")) return { name: "help", about: command ?? commandNames.find((name) => name === others[0]) };
  if (command === undefined && first !== undefined) mustBeTask(first, others);

  const name = command ?? "run";
  mustBelong(values, name);
  const rest = command === undefined ? words : others;
  if (name === "models") {
    if (rest[0] !== undefined) throw usageError(`divvy models takes no words, and got "${rest[0]}".`);
    return { name, json: values.has("json") };
  }
  return commandWithTask(name, rest, values);
}

/** Whether a program is to read what comes out, whatever else is wrong with what was typed. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end === -1 ? argv : argv.slice(0, end)).some((word) => word === "--json" || word === "--jsonl");
}

function readTokens(argv: readonly string[]): Typed {
  // Not strict: the messages of strict parsing know nothing of near names.
  const { tokens } = parseArgs({ args: [...argv], options: parseOptions, strict: false, allowPositionals: true, tokens: true });
  const words: string[] = [];
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const flag = flagsByName.get(name);
    if (flag === undefined) throw unknownFlag(rawName);
    if (flag.value === undefined && value !== undefined) throw usageError(`${rawName} takes no value, and got "${value}".`);
    if (flag.value !== undefined && (value === undefined || (inlineValue !== true && isFlag(value)))) {
      throw usageError(`${rawName} needs a value: ${rawName} ${flag.value}${value === undefined ? "." : `. "${value}" is a flag.`}`);
    }
    values.set(name, [...(flag.repeatable ? (values.get(name) ?? []) : []), value ?? ""]);
  }
  return { words, values };
}

function isFlag(word: string): boolean {
  const name = /^--([^=]+)/.exec(word)?.[1];
  if (name !== undefined) return flagsByName.has(name);
  return /^-[A-Za-z]$/.test(word) && flags.some(({ short }) => short === word.slice(1));
}

function unknownFlag(typed: string): Error {
  const near = nearest(
    typed.replace(/^-+/, ""),
    flags.map(({ name }) => name),
  );
  return usageError(`There is no flag ${typed}.${near === undefined ? "" : ` Did you mean --${near}?`}`);
}

/** One word that looks like a command is one that was mistyped; several words are a task without its quotes. */
function mustBeTask(first: string, others: readonly string[]): void {
  const near = /\s/.test(first) ? undefined : nearest(first, [...commandNames, "help"]);
  if (near !== undefined) {
    throw usageError(
      `There is no command "${first}". Did you mean "${near}"?`,
      `If "${first}" is the task, type: divvy run ${JSON.stringify([first, ...others].join(" "))}`,
    );
  }
}

function mustBelong(values: Typed["values"], command: CommandName): void {
  for (const name of values.keys()) {
    const flag = flagsByName.get(name);
    if (flag === undefined || flag.commands.includes(command)) continue;
    throw usageError(`--${name} does not go with divvy ${command}; it goes with ${flag.commands.map((known) => `divvy ${known}`).join(" and ")}.`);
  }
}

function commandWithTask(name: "run" | "plan", words: readonly string[], values: Typed["values"]): Command {
  const [task, ...more] = words;
  if (more.length > 0) {
    throw usageError("The task came as several words. Put it in quotes.", `Type: divvy ${name === "run" ? "" : `${name} `}${JSON.stringify(words.join(" "))}`);
  }
  if (task?.trim() === "") throw usageError("The task is empty.");
  const last = (flag: string): string | undefined => values.get(flag)?.at(-1);
  const request: RequestFlags = {
    task,
    models: { model: last("model"), orchestrator: last("orchestrator"), worker: last("worker"), synthesizer: last("synthesizer") },
    context: values.get("context") ?? [],
    files: values.get("file") ?? [],
    divide: values.has("divide"),
    synthesis: synthesisOf(last("synthesis")),
    maxSubtasks: whole("max-subtasks", last("max-subtasks")),
    quiet: values.has("quiet"),
  };
  const [json, jsonl] = [values.has("json"), values.has("jsonl")];
  if (name === "plan") return { name, ...request, json };
  if (json && jsonl) throw usageError("--json and --jsonl do not go together: the last line of --jsonl carries the outcome.");
  const format = json ? "json" : jsonl ? "jsonl" : "text";
  return {
    name,
    ...request,
    plan: last("plan"),
    concurrency: whole("concurrency", last("concurrency")),
    output: last("output"),
    outDir: last("out-dir"),
    format,
  };
}

/** Its bounds are the library's matter. */
function whole(flag: Flag["name"], text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw usageError(`--${flag} is a whole number, and got "${text}".`);
  return Number(text);
}

const ways = ["auto", "merge", "keep", "choose", "none"] as const satisfies readonly OrchestratorOptions["synthesis"][];

function synthesisOf(text: string | undefined): OrchestratorOptions["synthesis"] | undefined {
  if (text === undefined) return undefined;
  const way = ways.find((one) => one === text);
  if (way !== undefined) return way;
  const near = nearest(text, ways);
  throw usageError(`--synthesis is one of ${ways.join(", ")}, and got "${text}".${near === undefined ? "" : ` Did you mean "${near}"?`}`);
}
