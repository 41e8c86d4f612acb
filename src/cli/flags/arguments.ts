import { parseArgs } from "node:util";
import { nearest } from "../../nearest.ts";
import type { Command, RequestFlags, WorkFlags } from "./command.ts";
import { commandNames, type CommandName, flags, flagsByName, parseOptions } from "./flags.ts";
import { typedRerun, typedResume, typedRuns, typedShow } from "./kept-run-arguments.ts";
import { budgetOf, lastOf, namedModels, noMore, planCacheOf, synthesisOf, type Typed, whole, workFlags } from "./typed.ts";
import { listed } from "../../quantity.ts";
import { usageError } from "./usage-error.ts";

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
  const typed: Typed = { words: command === undefined ? words : others, values };
  switch (name) {
    case "models":
      noMore(name, typed.words);
      return { name, json: values.has("json") };
    case "runs":
      return typedRuns(typed);
    case "show":
      return typedShow(typed);
    case "resume":
      return typedResume(typed);
    case "rerun":
      return typedRerun(typed);
    default:
      return commandWithTask(name, typed);
  }
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
    // One letter is near to every other.
    flags.flatMap(({ name }) => (name.length === 1 ? [] : [name])),
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
    throw usageError(`--${name} does not go with divvy ${command}; it goes with ${listed(flag.commands.map((known) => `divvy ${known}`))}.`);
  }
}

function commandWithTask(name: "run" | "plan" | "compare", typed: Typed): Command {
  const { words, values } = typed;
  const [task, ...more] = words;
  if (more.length > 0) {
    throw usageError("The task came as several words. Put it in quotes.", `Type: divvy ${name === "run" ? "" : `${name} `}${JSON.stringify(words.join(" "))}`);
  }
  if (task?.trim() === "") throw usageError("The task is empty.");
  const request: RequestFlags = {
    task,
    models: namedModels(typed),
    context: values.get("context") ?? [],
    files: values.get("file") ?? [],
    divide: values.has("divide"),
    synthesis: synthesisOf(typed),
    maxSubtasks: whole(typed, "max-subtasks"),
    rounds: whole(typed, "rounds"),
    quiet: values.has("quiet"),
  };
  if (name === "compare") return typedCompare(request, typed);
  if (name === "plan") return { name, ...request, budget: budgetOf(typed), json: values.has("json") };
  if (values.has("plan") && values.has("rounds")) {
    throw usageError("--rounds lets the orchestrator add to its plan, and one that --plan hands in is carried out as it is: they do not go together.");
  }
  const work = workFlags(typed);
  mustWriteAnswer(request, work);
  const own = { plan: lastOf(typed, "plan"), planCache: planCacheOf(typed), approve: values.has("approve"), save: !values.has("no-save") };
  return { name, ...request, ...work, ...own };
}

/** What is said of an answer that is written holds for none that is laid out or chosen. */
function mustWriteAnswer({ synthesis }: RequestFlags, { judging, outputSchema }: WorkFlags): void {
  if (synthesis === undefined || synthesis === "auto" || synthesis === "merge") return;
  const otherwise = "leave --synthesis out, or type --synthesis merge.";
  if (outputSchema !== undefined)
    throw usageError(
      `--output-schema gives a form to an answer that is written of the results, and --synthesis ${synthesis} writes none.`,
      `To have one, ${otherwise}`,
    );
  if (judging?.answer !== undefined)
    throw usageError(
      `--evaluate-answer judges an answer that is written of the results, and --synthesis ${synthesis} writes none.`,
      `Judge the results instead, with --evaluate; or ${otherwise}`,
    );
}

function typedCompare(request: RequestFlags, typed: Typed): Command {
  const tasks = lastOf(typed, "tasks");
  const judge = typed.values.has("judge");
  if (tasks !== undefined && request.task !== undefined) throw usageError("The task is given in quotes and by --tasks: one of them is enough.");
  if (request.models.evaluator?.trim() === "") throw usageError("--evaluator names no model.", "Write it as provider:model.");
  if (!judge && request.models.evaluator !== undefined) throw usageError("--evaluator says who judges the answers, and needs --judge.");
  if (request.synthesis === "none")
    throw usageError("--synthesis none leaves no answer to compare.", "Leave --synthesis out, or say how results become one: merge, keep or choose.");
  const [tries, concurrency] = [whole(typed, "n"), whole(typed, "concurrency")];
  return { name: "compare", ...request, tasks, judge, tries, concurrency, budget: budgetOf(typed), json: typed.values.has("json") };
}
