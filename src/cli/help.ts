import { type CommandName, commandNames, flags } from "./flags/flags.ts";
import { type Topic, topics } from "./help-topics.ts";

const exitCodes = "Exit codes: 0 ok · 1 failed · 2 what was typed is wrong · 3 partial (something is missing) · 130 stopped";

export function helpText(about: CommandName | undefined, columns: number): string {
  const width = Math.max(40, Math.min(columns, 110));
  if (about === undefined) return `${overview(width)}\n`;
  const { usage, about: text, examples } = topics[about];
  return `${[`Usage: ${usage}`, wrap(text.replaceAll("\n", " "), width, 0), section("Flags", flagLines(about, width)), section("Examples", exampleLines(examples)), wrap(exitCodes, width, 0)].join("\n\n")}\n`;
}

function overview(width: number): string {
  const { run, plan, models, resume } = topics;
  const commands = [
    ['divvy "task"', 'carry it out (the same as divvy run "task")'],
    ['divvy plan "task"', "the plan alone, to look at, edit and run"],
    ['divvy compare "task"', "divided and as one call, side by side: is it worth it?"],
    ["divvy models", "what can be used here, and why or why not"],
    ["divvy", "ask for the task"],
    ["divvy runs", "the runs that are kept; rm and prune forget some"],
    ["divvy show <run>", "one of them: its plan, its results, its cost; last is the newest"],
    ["divvy resume <run>", "go on with one that was stopped or lacks something"],
    ["divvy rerun <run>", "one subtask of it anew: --subtask id"],
  ] as const;
  return [
    "divvy: one task, divided, carried out in parallel, joined.",
    section(
      "Commands",
      commands.map(([typed, what]) => entry(typed, what, 24, width)),
    ),
    section("Flags", flagLines("run", width)),
    section(
      "Examples",
      exampleLines([...run.examples.slice(0, 3), ...plan.examples.slice(0, 2), ...models.examples.slice(0, 1), ...resume.examples.slice(0, 1)]),
    ),
    wrap(exitCodes, width, 0),
    wrap(`Each has its own: ${commandNames.map((name) => `divvy ${name} --help`).join(" · ")}`, width, 0),
  ].join("\n\n");
}

function flagLines(command: CommandName, width: number): string[] {
  const shown = flags.filter(({ commands }) => commands.includes(command));
  const typed = shown.map(({ name, short, value }) => `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`);
  const indent = Math.max(...typed.map(({ length }) => length)) + 4;
  return shown.map(({ help, helpFor }, index) => entry(typed[index] ?? "", helpFor?.[command] ?? help, indent, width));
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
