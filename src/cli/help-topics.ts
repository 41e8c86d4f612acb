import { defaultsByProvider } from "../models/catalog.ts";
import type { CommandName } from "./flags/flags.ts";

/** What help says of a command. */
export interface Topic {
  readonly usage: string;
  readonly about: string;
  readonly examples: readonly (readonly [string, string])[];
}

/** The models that a key of the first provider would choose. */
const [[strongModel, fastModel] = []] = [...defaultsByProvider].map(
  ([provider, { strong, fast }]) => [`${provider}:${strong}`, `${provider}:${fast}`] as const,
);

export const topics: Readonly<Record<CommandName, Topic>> = {
  run: {
    usage: 'divvy "task" [flags]\n       divvy run "task" [flags]',
    about:
      "Divides a task into subtasks, carries them out in parallel, and joins the results. Without a task it reads it from\nstdin, or asks for it. The answer goes to stdout, everything else to stderr.\nThe run is kept: divvy runs.",
    examples: [
      ['divvy "Write product copy for a steel water bottle" -c audience=hikers', "with a named piece of context"],
      ['divvy "Review this code" -f "src/**/*.ts" --out-dir review', "over files; the results land in review/"],
      ['git diff | divvy "What could break here?" -f -', "with stdin as context"],
      ["cat task.txt | divvy -o answer.md", "with the task from stdin"],
      [`divvy "Compare these offers" --orchestrator ${strongModel} --worker ollama:llama3.2`, "with a model for each role"],
      ['divvy run "Write the report" --plan plan.xml', "with a plan made before"],
      ['divvy "Write the report" --approve', "with the plan looked at, and edited, before anything starts"],
      ['divvy "Name three risks" --json | jq .status', "for programs"],
      ['divvy "Answer this letter" -f letter.txt --no-save', "and nothing of it is kept on this machine"],
    ],
  },
  plan: {
    usage: 'divvy plan "task" [flags] > plan.xml',
    about: "Asks for the plan alone and writes it to stdout. Edit it, then carry it out with divvy run --plan.",
    examples: [
      ['divvy plan "Write a city guide for Lisbon" > plan.xml', "one call"],
      ['divvy run "Write a city guide for Lisbon" --plan plan.xml', "then the rest"],
      ['divvy plan "Write a city guide for Lisbon" --max-subtasks 5 --json', "as JSON"],
    ],
  },
  compare: {
    usage: 'divvy compare "task" [flags]\n       divvy compare --tasks file [flags]',
    about:
      "Should it be divided at all? Does a task both ways, divided and as one call to the model that divides, and shows both answers with calls, tokens, cost and time of each. With --judge a model says which is better; over --n tries, how often the divided one is. A sentence at the end says what follows, or that the tries are too few to tell. Nothing of it is kept.",
    examples: [
      ['divvy compare "Write a city guide for Lisbon"', "both answers"],
      ['divvy compare "Write a city guide for Lisbon" --judge --n 10 --budget 2', "and which is better, over ten tries"],
      [`divvy compare --tasks tasks.txt --judge --evaluator ${fastModel} > table.md`, "a table over many tasks, one a line"],
    ],
  },
  models: {
    usage: "divvy models [--json]",
    about: "Shows what can be used here, and why or why not, and what is used when no model is named.",
    examples: [
      ["divvy models", ""],
      ["OLLAMA_HOST=192.168.1.5 divvy models", "with Ollama on another machine"],
      ["divvy models --json | jq .chosen", "for programs"],
    ],
  },
  runs: {
    usage: "divvy runs [--limit n] [--json]\n       divvy runs rm <run>...\n       divvy runs prune --older-than 30d",
    about:
      "Lists the runs that are kept, newest first, or forgets some. A run is named by the beginning of its id, four characters or more, or is last, the newest. One that is being carried out is not removed.",
    examples: [
      ["divvy runs", ""],
      ["divvy runs rm 3f2a 91c4", "forget these"],
      ["divvy runs prune --older-than 30d", "and all of which nothing was heard for so long"],
      ["divvy runs --json | jq -r '.[] | select(.status == \"interrupted\").runId'", "for programs"],
    ],
  },
  show: {
    usage: "divvy show <run> [--subtask id] [--events] [--json | --jsonl]",
    about:
      "Shows a run that is kept: what was asked, the plan, what became of each subtask, what it cost. The answer goes to stdout, everything else to stderr.",
    examples: [
      ["divvy show last", "the newest"],
      ["divvy show 3f2a --subtask facts > facts.md", "one worker's whole result"],
      ["divvy show last --events", "all that happened, one line each"],
      ["divvy show last --jsonl | jq -r .type", "for programs: every fact that is kept, one JSON object a line"],
    ],
  },
  resume: {
    usage: "divvy resume <run> [flags]",
    about:
      "Goes on with a run that was stopped, broke off or lacks something: what is planned stands, what is done is not paid again, the rest is carried out. One that ended well gives its answer again, without a call. The models are those that it was started with; what --kind, --window, --evaluate, --samples, --output-schema and --price said is typed again. What would now be asked otherwise than before is named, and is asked only with --accept-changes.",
    examples: [
      ["divvy resume last", "go on with the newest"],
      ["divvy resume 3f2a -o answer.md", "with the answer in a file"],
      [`divvy resume 3f2a --worker ${fastModel} --accept-changes`, "the rest by another model"],
    ],
  },
  rerun: {
    usage: "divvy rerun <run> --subtask id [flags]",
    about:
      "A new run over the plan of an old one: one subtask is done anew, in other words if you like, and with it what builds on it and the answer. All other results are taken over and cost nothing.",
    examples: [
      ["divvy rerun last --subtask facts", "once more"],
      ['divvy rerun last --subtask facts --description "List the facts, with a source for each."', "in other words"],
    ],
  },
};
