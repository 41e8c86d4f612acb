import { defaultsByProvider } from "../models/catalog.ts";
import { type CommandName, type Flag, flags } from "./flags.ts";

interface Topic {
  readonly usage: string;
  readonly about: string;
  readonly examples: readonly (readonly [string, string])[];
}

/** The model that a key of the first provider would choose. */
const [strongModel] = [...defaultsByProvider].map(([provider, { strong }]) => `${provider}:${strong}`);

const topics: Readonly<Record<CommandName, Topic>> = {
  run: {
    usage: 'divvy "task" [flags]\n       divvy run "task" [flags]',
    about:
      "Divides a task into subtasks, carries them out in parallel, and joins the results. Without a task it reads it from\nstdin, or asks for it. The answer goes to stdout, everything else to stderr.",
    examples: [
      ['divvy "Write product copy for a steel water bottle" -c audience=hikers', "with a named piece of context"],
      ['divvy "Review this code" -f "src/**/*.ts" --out-dir review', "over files; the results land in review/"],
      ['git diff | divvy "What could break here?" -f -', "with stdin as context"],
      ["cat task.txt | divvy -o answer.md", "with the task from stdin"],
      [`divvy "Compare these offers" --orchestrator ${strongModel} --worker ollama:llama3.2`, "with a model for each role"],
      ['divvy run "Write the report" --plan plan.xml', "with a plan made before"],
      ['divvy "Name three risks" --json | jq .status', "for programs"],
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
  models: {
    usage: "divvy models [--json]",
    about: "Shows what can be used here, and why or why not, and what is used when no model is named.",
    examples: [
      ["divvy models", ""],
      ["OLLAMA_HOST=192.168.1.5 divvy models", "with Ollama on another machine"],
      ["divvy models --json | jq .chosen", "for programs"],
    ],
  },
};

const exitCodes = "Exit codes: 0 ok · 1 failed · 2 what was typed is wrong · 3 partial (something is missing) · 130 stopped";

export function helpText(about: CommandName | undefined, columns: number): string {
  const width = Math.max(40, Math.min(columns, 110));
  if (about === undefined) return `${overview(width)}\n`;
  const { usage, about: text, examples } = topics[about];
  return `${[`Usage: ${usage}`, wrap(text.replaceAll("\n", " "), width, 0), section("Flags", flagLines(flagsOf(about), width)), section("Examples", exampleLines(examples)), wrap(exitCodes, width, 0)].join("\n\n")}\n`;
}

function overview(width: number): string {
  const { run, plan, models } = topics;
  const commands = [
    ['divvy "task"', 'carry it out (the same as divvy run "task")'],
    ['divvy plan "task"', "the plan alone, to look at, edit and run"],
    ["divvy models", "what can be used here, and why or why not"],
    ["divvy", "ask for the task"],
  ] as const;
  return [
    "divvy: one task, divided, carried out in parallel, joined.",
    section(
      "Commands",
      commands.map(([typed, what]) => entry(typed, what, 22, width)),
    ),
    section("Flags", flagLines(flags, width)),
    section("Examples", exampleLines([...run.examples.slice(0, 3), ...plan.examples.slice(0, 2), ...models.examples.slice(0, 1)])),
    wrap(exitCodes, width, 0),
    "More: divvy run --help · divvy plan --help · divvy models --help",
  ].join("\n\n");
}

function flagsOf(command: CommandName): readonly Flag[] {
  return flags.filter(({ commands }) => commands.includes(command));
}

function flagLines(shown: readonly Flag[], width: number): string[] {
  const typed = shown.map(({ name, short, value }) => `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`);
  const indent = Math.max(...typed.map(({ length }) => length)) + 4;
  return shown.map(({ help }, index) => entry(typed[index] ?? "", help, indent, width));
}

/** The command on a line of its own, so that it can be copied whole. */
function exampleLines(examples: Topic["examples"]): string[] {
  return examples.flatMap(([typed, what]) => [...(what ? [`  # ${what}`] : []), `  ${typed}`]);
}

function section(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.join("\n")}`;
}

function entry(left: string, right: string, indent: number, width: number): string {
  // Side by side where there is room, else below each other.
  if (width < indent + 30) return `  ${left}\n${" ".repeat(6)}${wrap(right, width, 6)}`;
  return `  ${left.padEnd(indent - 2)}${wrap(right, width, indent)}`;
}

function wrap(text: string, width: number, indent: number): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && indent + line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}
