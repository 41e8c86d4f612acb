import type { ParseArgsOptionsConfig } from "node:util";

export type CommandName = "run" | "plan" | "models";

export const commandNames: readonly CommandName[] = ["run", "plan", "models"];

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** What stands for its value in the help; a flag without is on or off. */
  readonly value?: string;
  readonly repeatable?: true;
  /** The option of the library that it sets, where messages name that. */
  readonly option?: string;
  readonly commands: readonly CommandName[];
  readonly help: string;
}

const asking = ["run", "plan"] as const;

/** Every flag there is, in the order in which help shows them. */
export const flags: readonly Flag[] = [
  { name: "model", short: "m", value: "p:m", option: "model", commands: asking, help: "The model of every role that names none, as provider:model" },
  { name: "orchestrator", value: "p:m", option: "orchestrator", commands: asking, help: "The model that reads the request and divides it" },
  { name: "worker", value: "p:m", option: "worker", commands: ["run"], help: "The model that carries out the subtasks" },
  { name: "synthesizer", value: "p:m", option: "synthesizer", commands: ["run"], help: "The model that joins the results" },
  {
    name: "context",
    short: "c",
    value: "key=value",
    repeatable: true,
    commands: asking,
    help: "What the task is about; key=@file takes the file's text, a value that is a JSON object or list is read as one, key=@@x is the text @x",
  },
  {
    name: "file",
    short: "f",
    value: "file|glob",
    repeatable: true,
    commands: asking,
    help: "A text file for the context, under its name (up to 1 MB; a glob leaves out node_modules); - is stdin",
  },
  { name: "plan", value: "plan.xml", option: "plan", commands: ["run"], help: "Carry out this plan (XML or JSON; - is stdin) instead of asking for one" },
  { name: "divide", option: "direct", commands: asking, help: "Always divide: the orchestrator may not answer by itself" },
  { name: "synthesis", value: "how", option: "synthesis", commands: asking, help: "auto, merge, keep, choose or none (default: auto, the plan says)" },
  { name: "concurrency", value: "n", option: "concurrency", commands: ["run"], help: "Calls in flight at once (default: 100); 1 is one after another" },
  { name: "max-subtasks", value: "n", option: "limits.subtasks", commands: asking, help: "Subtasks of the plan at most (default: 20)" },
  { name: "output", short: "o", value: "answer.md", commands: ["run"], help: "Write the answer to this file instead of stdout" },
  { name: "out-dir", value: "dir", commands: ["run"], help: "Also write answer.md, a file a worker, and outcome.json into this folder" },
  { name: "json", commands: ["run", "plan", "models"], help: "One JSON object on stdout: the outcome (also of a failure), the plan, or the models" },
  { name: "jsonl", commands: ["run"], help: "Every event on stdout as it happens, one JSON object a line" },
  { name: "quiet", short: "q", commands: ["run", "plan"], help: "Nothing on stderr but errors" },
  { name: "help", short: "h", commands: ["run", "plan", "models"], help: "This help" },
  { name: "version", short: "V", commands: ["run", "plan", "models"], help: "The version" },
];

export const flagsByName: ReadonlyMap<string, Flag> = new Map(flags.map((flag) => [flag.name, flag]));

/** For `parseArgs`. */
export const parseOptions: ParseArgsOptionsConfig = Object.fromEntries(
  flags.map(({ name, short, value }) => [
    name,
    { type: value === undefined ? ("boolean" as const) : ("string" as const), ...(short !== undefined && { short }) },
  ]),
);
