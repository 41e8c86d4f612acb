import { expect, test } from "vitest";
import { DivvyError } from "../../errors.ts";
import { parseArguments } from "./arguments.ts";

const noModels = { model: undefined, orchestrator: undefined, worker: undefined, synthesizer: undefined };
const plainWork = { concurrency: undefined, output: undefined, outDir: undefined, format: "text", quiet: false };

test.each([
  [["runs"], { name: "runs", json: false, action: { kind: "list", limit: undefined } }],
  [["runs", "--limit", "5", "--json"], { name: "runs", json: true, action: { kind: "list", limit: 5 } }],
  [["runs", "rm", "3f2a", "last"], { name: "runs", json: false, action: { kind: "rm", runs: ["3f2a", "last"] } }],
  [["runs", "prune", "--older-than", "90m"], { name: "runs", json: false, action: { kind: "prune", olderThanMs: 5_400_000 } }],
  [["runs", "prune", "--older-than=2w"], { name: "runs", json: false, action: { kind: "prune", olderThanMs: 1_209_600_000 } }],
  [["show", "last"], { name: "show", run: "last", subtask: undefined, events: false, format: "text" }],
  [["show", "3f2a", "--jsonl"], { name: "show", run: "3f2a", subtask: undefined, events: true, format: "jsonl" }],
  [["show", "3f2a", "--subtask", "a", "--json"], { name: "show", run: "3f2a", subtask: "a", events: false, format: "json" }],
  [["resume", "last"], { name: "resume", run: "last", models: noModels, acceptChanges: false, ...plainWork }],
  [
    ["resume", "3f2a", "-m", "a:b", "--accept-changes", "-o", "x.md", "-q", "--concurrency", "2"],
    {
      name: "resume",
      run: "3f2a",
      models: { ...noModels, model: "a:b" },
      acceptChanges: true,
      ...plainWork,
      output: "x.md",
      quiet: true,
      concurrency: 2,
    },
  ],
  [
    ["rerun", "last", "--subtask", "a", "--description", "b", "--type", "c"],
    { name: "rerun", run: "last", models: noModels, subtask: "a", description: "b", type: "c", ...plainWork },
  ],
  [["t", "--no-save"], { name: "run", save: false }],
])("%j is understood", (argv, command) => {
  expect(parseArguments(argv)).toMatchObject(command);
});

test.each([
  [["runs", "mr"], 'divvy runs takes rm or prune, and got "mr".', "Did you mean divvy runs rm?"],
  [["runs", "3f2a91c4"], 'divvy runs takes rm or prune, and got "3f2a91c4".', "One run: divvy show 3f2a91c4"],
  [["runs", "rm"], "divvy runs rm needs a run.", "Type, for example: divvy runs rm last"],
  [["runs", "prune"], "divvy runs prune needs an age.", "Type, for example: divvy runs prune --older-than 30d"],
  [["runs", "prune", "--older-than", "soon"], '--older-than is a time such as 90m, 12h, 30d or 8w, and got "soon".', undefined],
  [["runs", "--older-than", "30d"], "--older-than goes with divvy runs prune.", undefined],
  [["runs", "rm", "last", "--limit", "3"], "--limit goes with divvy runs alone.", undefined],
  [["runs", "--limit", "0"], "--limit is 1 or more.", undefined],
  [["show"], "divvy show needs a run.", "The newest: divvy show last. All of them: divvy runs"],
  [["resume", "last", "first"], 'divvy resume takes no more words, and got "first".', undefined],
  [["show", "last", "--events", "--subtask", "a"], "--subtask and --events do not go together.", undefined],
  [["show", "last", "--jsonl", "--subtask", "a"], "--subtask and --jsonl do not go together.", undefined],
  [["rerun", "last"], "divvy rerun needs the subtask that is to be done anew.", "Type: divvy rerun last --subtask id"],
  [["resume", "last", "--no-save"], "--no-save does not go with divvy resume; it goes with divvy run.", undefined],
  [["resmue", "last"], 'There is no command "resmue". Did you mean "resume"?', undefined],
])("%j says what is wrong", (argv, message, hint = "Type divvy --help for all flags, with examples.") => {
  const seen = (): unknown => {
    try {
      return parseArguments(argv);
    } catch (thrown) {
      return thrown;
    }
  };
  const thrown = seen();
  expect(thrown).toBeInstanceOf(DivvyError);
  expect(thrown).toMatchObject({ code: "invalid_option", message });
  if (!argv.includes("resmue")) expect(thrown).toMatchObject({ hint });
});
