import { compare, type CompareProgress } from "../../compare/compare.ts";
import { allowance } from "../models/allowance.ts";
import type { CompareCommand } from "../flags/command.ts";
import { comparisonText } from "./comparison-text.ts";
import { isRecord } from "../../json.ts";
import { exitCodes } from "../exit-code.ts";
import { errorText } from "../writing/failure.ts";
import { jsonText } from "../writing/json-text.ts";
import { chooseModels, tinyBefore, usesTinyModel } from "../models/model-choice.ts";
import { modelsInUse } from "../models/models-in-use.ts";
import { orchestratorOptions } from "../flags/orchestrator-options.ts";
import { requestInput } from "../input/request-input.ts";
import { writeAnswer } from "./run-ending.ts";
import { sayTo } from "../writing/say.ts";
import type { Terminal } from "../terminal.ts";
import { readTextFile } from "../input/text-file.ts";
import { usageError } from "../flags/usage-error.ts";

const doing: Readonly<Record<CompareProgress["doing"], string>> = { divided: "dividing", one: "in one call", judging: "judging" };

/** A task, or a file of them, divided and as one call. */
export async function compareCommand(command: CompareCommand, terminal: Terminal): Promise<number> {
  const { world, out, err, signal } = terminal;
  const { quiet, tries = 1, judge } = command;
  const say = (text: string): void => (quiet ? undefined : sayTo(terminal, text));
  const listed = command.tasks === undefined ? undefined : tasksIn(await readTextFile(world.cwd, command.tasks), command.tasks);
  const input = await requestInput({ ...command, task: listed?.[0] ?? command.task }, terminal);
  await using models = modelsInUse(terminal, command);
  const choice = await chooseModels(command.models, world.env, models.probes);
  const task = await input.task();
  if (task === undefined) return exitCodes.aborted;
  signal.throwIfAborted();

  if (choice.said !== undefined) say(choice.said);
  if (usesTinyModel(choice)) say(tinyBefore);
  terminal.onInterrupt = () => say("Stopping; Ctrl-C again leaves at once.");
  const tasks = listed ?? [task];
  const comparison = await compare(
    tasks,
    {
      orchestrator: orchestratorOptions({ ...command, judging: undefined, samples: undefined }, choice),
      context: input.context,
      judge: judge && (choice.evaluator ?? true),
      tries,
      signal,
      ...(command.budget && { budget: command.budget }),
      onProgress: ({ task: at, try: number, doing: what }) => say(`task ${at} of ${tasks.length}, try ${number} of ${tries}: ${doing[what]}`),
    },
    { runtime: world.runtime, identity: world.identity, models: models.sources, allowance },
  );
  terminal.onInterrupt = () => undefined;

  if (command.json) await out.write(`${jsonText(comparison, out.isTerminal ? 2 : undefined)}\n`);
  else await writeAnswer(comparisonText(comparison), terminal, quiet);
  const { stopped, figures } = comparison;
  // Who wants them judged, and gets none judged, has not got what he wanted.
  if (stopped === undefined) return judge && figures?.share === undefined ? exitCodes.partial : exitCodes.ok;
  await err.write(stopped.code === "aborted" ? "Stopped.\n" : errorText(stopped, terminal));
  if (stopped.code === "aborted") return exitCodes.aborted;
  return figures === undefined ? exitCodes.failed : exitCodes.partial;
}

/** One task a line, or a JSON list of them. Other JSON, whole or a line at a time, is a file of something else: each of its lines would be paid for as a task. */
function tasksIn(text: string, name: string): readonly string[] {
  const [first = ""] = text.trim().split("\n");
  if (isObject(text) || isObject(first))
    throw usageError(`${name} holds JSON objects, and no tasks.`, 'Write one task a line, or a JSON list of texts: ["task", "task"].');
  const tasks = text.trimStart().startsWith("[") ? jsonTasks(text, name) : text.split("\n");
  const filled = tasks.map((task) => task.trim()).filter((task) => task !== "");
  if (filled.length === 0) throw usageError(`${name} holds no task.`, "Write one task a line, or a JSON list of texts.");
  return filled;
}

function isObject(text: string): boolean {
  return text.trimStart().startsWith("{") && isRecord(parsed(text));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function jsonTasks(text: string, name: string): readonly string[] {
  const value = parsed(text);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw usageError(`${name} begins as a JSON list, and is none of texts.`, 'Write ["task", "task"], or one task a line.');
}
