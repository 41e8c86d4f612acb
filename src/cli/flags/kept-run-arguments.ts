import { nearest } from "../../nearest.ts";
import type { RerunCommand, ResumeCommand, RunsCommand, ShowCommand } from "./command.ts";
import { formatOf, lastOf, namedModels, noMore, span, type Typed, whole, workFlags } from "./typed.ts";
import { usageError } from "./usage-error.ts";

/** What was typed after the name of a command on runs that are kept. */

export function typedRuns(typed: Typed): RunsCommand {
  const [verb, ...words] = typed.words;
  const json = typed.values.has("json");
  const olderThan = lastOf(typed, "older-than");
  if (olderThan !== undefined && verb !== "prune") throw usageError("--older-than goes with divvy runs prune.");
  if (typed.values.has("limit") && verb !== undefined) throw usageError("--limit goes with divvy runs alone.");
  switch (verb) {
    case undefined:
      return { name: "runs", json, action: { kind: "list", limit: limitOf(typed) } };
    case "rm":
      if (words.length === 0) throw usageError("divvy runs rm needs a run.", "Type, for example: divvy runs rm last");
      return { name: "runs", json, action: { kind: "rm", runs: words } };
    case "prune":
      noMore("runs", words);
      if (olderThan === undefined) throw usageError("divvy runs prune needs an age.", "Type, for example: divvy runs prune --older-than 30d");
      return { name: "runs", json, action: { kind: "prune", olderThanMs: span("older-than", olderThan) } };
    default: {
      const near = nearest(verb, ["rm", "prune"]);
      throw usageError(
        `divvy runs takes rm or prune, and got "${verb}".`,
        near === undefined ? `One run: divvy show ${verb}` : `Did you mean divvy runs ${near}?`,
      );
    }
  }
}

export function typedShow(typed: Typed): ShowCommand {
  const run = runOf("show", typed);
  const format = formatOf(typed);
  const subtask = lastOf(typed, "subtask");
  const events = typed.values.has("events") || format === "jsonl";
  if (events && subtask !== undefined) throw usageError(`--subtask and ${format === "jsonl" ? "--jsonl" : "--events"} do not go together.`);
  return { name: "show", run, subtask, events, format };
}

export function typedResume(typed: Typed): ResumeCommand {
  const run = runOf("resume", typed);
  return {
    name: "resume",
    run,
    models: namedModels(typed),
    acceptChanges: typed.values.has("accept-changes"),
    approve: typed.values.has("approve"),
    ...workFlags(typed),
  };
}

export function typedRerun(typed: Typed): RerunCommand {
  const run = runOf("rerun", typed);
  const subtask = lastOf(typed, "subtask");
  if (subtask === undefined) throw usageError("divvy rerun needs the subtask that is to be done anew.", `Type: divvy rerun ${run} --subtask id`);
  const [description, type] = ["description", "type"].map((flag) => lastOf(typed, flag));
  return { name: "rerun", run, models: namedModels(typed), subtask, description, type, ...workFlags(typed) };
}

function runOf(command: "show" | "resume" | "rerun", { words: [run, ...more] }: Typed): string {
  if (run === undefined || run.trim() === "") throw usageError(`divvy ${command} needs a run.`, `The newest: divvy ${command} last. All of them: divvy runs`);
  noMore(command, more);
  return run.trim();
}

function limitOf(typed: Typed): number | undefined {
  const limit = whole(typed, "limit");
  if (limit === 0) throw usageError("--limit is 1 or more.");
  return limit;
}
