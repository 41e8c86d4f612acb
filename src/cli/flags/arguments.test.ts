import { expect, test } from "vitest";
import { DivvyError } from "../../errors.ts";
import { parseArguments, wantsJson } from "./arguments.ts";

test("a task alone is a run", () => {
  expect(parseArguments(["Write a haiku"])).toEqual({
    name: "run",
    task: "Write a haiku",
    models: { model: undefined, orchestrator: undefined, worker: undefined, synthesizer: undefined, kinds: [], prices: new Map() },
    context: [],
    files: [],
    divide: false,
    approve: false,
    synthesis: undefined,
    maxSubtasks: undefined,
    quiet: false,
    plan: undefined,
    concurrency: undefined,
    output: undefined,
    outDir: undefined,
    format: "text",
    save: true,
  });
});

test("flags come in any form and place", () => {
  const command = parseArguments([
    "-m",
    "a:b",
    "run",
    "t",
    "--worker=c:d",
    "-cx=1",
    "-c",
    "y=2",
    "-f",
    "-",
    "-f",
    "*.ts",
    "--divide",
    "-q",
    "--synthesis",
    "merge",
    "--concurrency",
    "4",
    "--max-subtasks=7",
    "-o",
    "a.md",
    "--out-dir",
    "d",
    "--json",
  ]);
  expect(command).toMatchObject({
    name: "run",
    task: "t",
    models: { model: "a:b", worker: "c:d" },
    context: ["x=1", "y=2"],
    files: ["-", "*.ts"],
    divide: true,
    quiet: true,
    synthesis: "merge",
    concurrency: 4,
    maxSubtasks: 7,
    output: "a.md",
    outDir: "d",
    format: "json",
  });
});

test("what follows -- is the task, whatever it looks like", () => {
  expect(parseArguments(["run", "--", "--json"])).toMatchObject({ name: "run", task: "--json", format: "text" });
});

test("a command's name among the words of a task is part of it", () => {
  expect(parseArguments(["plan my holiday"])).toMatchObject({ name: "run", task: "plan my holiday" });
  expect(parseArguments(["plan", "my holiday"])).toMatchObject({ name: "plan", task: "my holiday" });
});

test.each([
  [["--help"], { name: "help", about: undefined }],
  [["help"], { name: "help", about: undefined }],
  [["help", "plan"], { name: "help", about: "plan" }],
  [["plan", "-h"], { name: "help", about: "plan" }],
  [["a task", "--help"], { name: "help", about: undefined }],
  [["-V"], { name: "version" }],
])("%j", (argv, command) => {
  expect(parseArguments(argv)).toEqual(command);
});

test.each([
  [["--modle", "x"], "There is no flag --modle. Did you mean --model?"],
  [["--out_dir", "x"], "There is no flag --out_dir. Did you mean --out-dir?"],
  [["--wibbly"], "There is no flag --wibbly."],
  [["-x"], "There is no flag -x."],
  [["modles"], 'There is no command "modles". Did you mean "models"?'],
  [["rnu", "a task"], 'There is no command "rnu". Did you mean "run"?'],
  [["t", "-m"], "-m needs a value: -m p:m."],
  [["t", "-o", "--json"], '-o needs a value: -o answer.md. "--json" is a flag.'],
  [["t", "--json=yes"], '--json takes no value, and got "yes".'],
  [["write", "a", "haiku"], "The task came as several words. Put it in quotes."],
  [[" "], "The task is empty."],
  [["t", "--concurrency", "many"], '--concurrency is a whole number, and got "many".'],
  [["t", "--synthesis", "marge"], '--synthesis is one of auto, merge, keep, choose, none, and got "marge". Did you mean "merge"?'],
  [
    ["t", "--evaluate-answer", "It is short.", "--synthesis", "keep"],
    "--evaluate-answer judges an answer that is written of the results, and --synthesis keep writes none.",
  ],
  [["t", "--json", "--jsonl"], "--json and --jsonl do not go together: the last line of --jsonl carries the outcome."],
  [
    ["t", "--plan", "plan.xml", "--rounds", "2"],
    "--rounds lets the orchestrator add to its plan, and one that --plan hands in is carried out as it is: they do not go together.",
  ],
  [["plan", "t", "--out-dir", "d"], "--out-dir does not go with divvy plan; it goes with divvy run, divvy resume and divvy rerun."],
  [["models", "x"], 'divvy models takes no more words, and got "x".'],
])("%j says what is wrong", (argv, message) => {
  const thrown = thrownBy(() => parseArguments(argv));
  expect(thrown.message).toBe(message);
  expect(thrown.code).toBe("invalid_option");
});

test("says what to type", () => {
  expect(thrownBy(() => parseArguments(["write", "a haiku"])).hint).toBe('Type: divvy "write a haiku"');
  expect(thrownBy(() => parseArguments(["plant", "trees"])).hint).toBe('If "plant" is the task, type: divvy run "plant trees"');
});

test("knows whether a program listens, however broken the rest is", () => {
  expect(wantsJson(["--jsn", "--json"])).toBe(true);
  expect(wantsJson(["--jsonl"])).toBe(true);
  expect(wantsJson(["--", "--json"])).toBe(false);
});

function thrownBy(act: () => unknown): DivvyError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof DivvyError) return thrown;
    throw thrown;
  }
  throw new Error("Nothing was thrown.");
}
