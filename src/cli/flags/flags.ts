import type { ParseArgsOptionsConfig } from "node:util";

export const commandNames = ["run", "plan", "compare", "models", "runs", "show", "resume", "rerun"] as const;

export type CommandName = (typeof commandNames)[number];

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
  /** In place of it, for a command of which it does not say enough. */
  readonly helpFor?: Partial<Readonly<Record<CommandName, string>>>;
}

/** Commands that ask the orchestrator; that carry subtasks out; that take models; that say something on the way. */
const asking = ["run", "plan", "compare"] as const;
const working = ["run", "resume", "rerun"] as const;
const choosing = ["run", "plan", "compare", "resume", "rerun"] as const;

const planBudgetHelp = "US dollars that the plan may use at most, as 0.50 (default: 5; any of the next three lifts that)";
const compareBudgetHelp = "US dollars that the whole comparison may use, all runs and judging together (default: 5; any of the next three lifts that)";
const resumeBudgetHelp =
  "US dollars that the whole run may use, what it has used among it; this or any of the next three replaces all that bounded it before (default: as before)";
const rerunBudgetHelp = "US dollars that the new run may use; the old one's budget does not hold for it (default: 5; any of the next three lifts that)";

/** Every flag there is, in the order in which help shows them. */
export const flags: readonly Flag[] = [
  { name: "model", short: "m", value: "p:m", option: "model", commands: choosing, help: "The model of every role that names none, as provider:model" },
  {
    name: "orchestrator",
    value: "p:m",
    option: "orchestrator",
    commands: ["run", "plan", "compare", "resume"],
    help: "The model that reads the request and divides it",
    helpFor: { compare: "The model that divides the request, and that answers it in one call" },
  },
  {
    name: "worker",
    value: "p:m",
    option: "worker",
    commands: choosing,
    help: "The model that carries out the subtasks",
    helpFor: { plan: "The model that is to carry out the subtasks: for what that may cost" },
  },
  {
    name: "synthesizer",
    value: "p:m",
    option: "synthesizer",
    commands: choosing,
    help: "The model that joins the results",
    helpFor: { plan: "The model that is to join the results: for what that may cost" },
  },
  {
    name: "kind",
    value: "name: what for",
    repeatable: true,
    option: "workers",
    commands: choosing,
    help: 'A kind of worker for the orchestrator to choose, as "research: finds sources"; with a model of its own "research@p:m: finds sources"',
  },
  {
    name: "window",
    value: "tokens",
    option: "synthesizer.contextTokens",
    commands: choosing,
    help: "The window of the model that joins, where it is not known: results that do not fit are shortened first (default: what is known of it, else 128000)",
  },
  {
    name: "evaluate",
    value: "criteria",
    option: "worker.evaluate.criteria",
    commands: working,
    help: "Judge each worker's result by these criteria, in words, and have it written again where it falls short",
  },
  {
    name: "evaluate-answer",
    value: "criteria",
    option: "synthesizer.evaluate.criteria",
    commands: working,
    help: "The same for the answer that is joined from the results",
  },
  { name: "threshold", value: "0.8", option: "evaluate.threshold", commands: working, help: "What is good enough, from 0 to 1 (default: 0.8)" },
  { name: "tries", value: "n", option: "evaluate.maxAttempts", commands: working, help: "How often what is judged is written at most (default: 2)" },
  {
    name: "evaluator",
    value: "p:m",
    option: "evaluate.model",
    commands: [...working, "compare"],
    help: "The model that judges (default: the one that divides)",
  },
  {
    name: "samples",
    value: "n",
    option: "worker.samples",
    commands: working,
    help: "Tries of each subtask, all at once, of which the best is kept: two at a time are compared (default: 1)",
  },
  { name: "judge", option: "judge", commands: ["compare"], help: "Have each two answers compared by a model, asked twice with their places swapped" },
  { name: "n", value: "n", option: "tries", commands: ["compare"], help: "How often each task is done each way (default: 1)" },
  { name: "tasks", value: "file", commands: ["compare"], help: "The tasks, in place of one: one a line, or a JSON list of texts" },
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
  {
    name: "approve",
    commands: ["run", "resume"],
    help: "Show the plan and what it may cost, and ask before anything of it starts: take it, edit it, or have another one",
    helpFor: { resume: "Ask about the plan before anything of it starts; at a terminal, a run that waits for that is asked about without it" },
  },
  {
    name: "plan-cache",
    value: "p:m",
    option: "planCache.embed",
    commands: ["run"],
    help: "Take over the plan of a kept run whose task was like this one, as this embedding model sees it; none is asked for then",
  },
  {
    name: "plan-threshold",
    value: "0.95",
    option: "planCache.threshold",
    commands: ["run"],
    help: "How alike they must be for that, from 0 to 1 (default: 0.95)",
  },
  { name: "divide", option: "direct", commands: ["run", "plan"], help: "Always divide: the orchestrator may not answer by itself" },
  { name: "synthesis", value: "how", option: "synthesis", commands: asking, help: "auto, merge, keep, choose or none (default: auto, the plan says)" },
  { name: "max-subtasks", value: "n", option: "limits.subtasks", commands: asking, help: "Subtasks of the plan at most (default: 20)" },
  {
    name: "rounds",
    value: "n",
    option: "limits.rounds",
    commands: ["run", "compare"],
    help: "Rounds of the plan at most: after each, the orchestrator sees the results and may ask for more (default: 1)",
  },
  { name: "accept-changes", option: "acceptChanges", commands: ["resume"], help: "Go on although what is missing would be asked otherwise than before" },
  { name: "subtask", value: "id", commands: ["show", "rerun"], help: "The subtask that is meant" },
  { name: "description", value: "text", option: "description", commands: ["rerun"], help: "In place of the subtask's description" },
  { name: "type", value: "type", option: "type", commands: ["rerun"], help: "In place of the subtask's type" },
  { name: "events", commands: ["show"], help: "All that happened, one line each" },
  { name: "older-than", value: "30d", commands: ["runs"], help: "For prune: how long ago a run's last event must be, as 90m, 12h, 30d or 8w" },
  { name: "limit", value: "n", commands: ["runs"], help: "How many are listed (default: 20; with --json, all)" },
  {
    name: "price",
    value: "p:m=in/out",
    repeatable: true,
    commands: choosing,
    help: "What a model costs where the price list does not know it: US dollars per million tokens in and out, as openrouter:x/y=3/15",
  },
  {
    name: "budget",
    value: "usd",
    option: "budget.usd",
    commands: choosing,
    help: "US dollars that the run may use at most, as 0.50 (default: 5; any of the next three lifts that)",
    helpFor: { plan: planBudgetHelp, compare: compareBudgetHelp, resume: resumeBudgetHelp, rerun: rerunBudgetHelp },
  },
  {
    name: "max-tokens",
    value: "n",
    option: "budget.tokens",
    commands: choosing,
    help: "Tokens that it may use (default: 500000 where a price is not known)",
    helpFor: { resume: "Tokens that it may use" },
  },
  { name: "max-calls", value: "n", option: "budget.calls", commands: choosing, help: "Tries that may leave for a model" },
  { name: "max-seconds", value: "n", option: "budget.seconds", commands: choosing, help: "After so long no call leaves but that for the answer" },
  {
    name: "concurrency",
    value: "n",
    option: "concurrency",
    commands: [...working, "compare"],
    help: "Calls in flight at once (default: 100); 1 is one after another",
  },
  { name: "output", short: "o", value: "answer.md", commands: working, help: "Write the answer to this file instead of stdout" },
  {
    name: "output-schema",
    value: "schema.json",
    option: "synthesizer.output",
    commands: working,
    help: "The answer is JSON of this JSON Schema: checked, and asked for once more where it is not valid",
  },
  { name: "out-dir", value: "dir", commands: working, help: "Also write answer.md, a file a worker, and outcome.json into this folder" },
  { name: "no-save", commands: ["run"], help: "Keep nothing of the run: it cannot be resumed, nor shown again" },
  {
    name: "json",
    commands: commandNames,
    help: "One JSON object on stdout: the outcome, also of a failure",
    helpFor: {
      plan: "The plan as JSON",
      compare: "One JSON object on stdout: all answers, figures, and what follows from them",
      models: "The same as JSON",
      runs: "The same as JSON",
      show: "JSON on stdout: the run as it stands, a subtask, or with --events a list of them",
    },
  },
  {
    name: "jsonl",
    commands: [...working, "show"],
    help: "Every event on stdout as it happens, one JSON object a line",
    helpFor: { show: "All that is kept of what happened, one JSON object a line" },
  },
  { name: "quiet", short: "q", commands: choosing, help: "Nothing on stderr but errors" },
  { name: "help", short: "h", commands: commandNames, help: "This help" },
  { name: "version", short: "V", commands: commandNames, help: "The version" },
];

export const flagsByName: ReadonlyMap<string, Flag> = new Map(flags.map((flag) => [flag.name, flag]));

/** For `parseArgs`. */
export const parseOptions: ParseArgsOptionsConfig = Object.fromEntries(
  flags.map(({ name, short, value }) => [
    name,
    { type: value === undefined ? ("boolean" as const) : ("string" as const), ...(short !== undefined && { short }) },
  ]),
);
