/**
 * A code review: kinds of workers, each with a prompt and settings of its own.
 *
 * The names in `workers` are types of subtask. The orchestrator is told that there are workers for them; a subtask of another type
 * is done by the general worker. What a kind leaves out is as in `worker`; it may also have its own `model`.
 *
 *   npm run build
 *   node examples/code-review/main.ts                         a model that can be used here (`node dist/cli.js models` says which)
 *   node examples/code-review/main.ts openai:gpt-6-luna
 */
import { readdirSync, readFileSync } from "node:fs";
import { FlexibleOrchestrator, type OrchestratorOptions, type RoleSettings, type Run, type WorkerPromptInput, workerPrompt } from "divvy";
import { runFromTerminal } from "../terminal.ts";

const task =
  "Review these files of a web shop for security, performance and readability. For each finding: file and line, what is wrong, what to write instead.";

/** A worker that is asked as all are, with its duty before the subtask's own words. */
function reviewer(duty: string, maxOutputTokens: number): RoleSettings<WorkerPromptInput> {
  return {
    maxOutputTokens,
    prompt: (input) => workerPrompt({ ...input, description: `${duty}\n\n${input.description}` }),
  };
}

const workers = {
  security: reviewer("You review as an attacker would: what can somebody do with this code that its author did not intend? Show the input that does it.", 4096),
  performance: reviewer("You review for cost as data grows: name the input whose size matters, and how the work grows with it.", 3072),
  readability: reviewer("You review as who reads this for the first time: names, dead code, surprises. Leave formatting alone.", 2048),
};

/** The files of a folder, by name. */
function filesIn(folder: URL): Record<string, string> {
  const names = readdirSync(folder).toSorted();
  return Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
}

export function codeReview(options: OrchestratorOptions = {}): Run {
  const orchestrator = new FlexibleOrchestrator({ direct: "never", synthesis: "keep", workers, ...options });
  return orchestrator.start(task, filesIn(new URL("shop/", import.meta.url)));
}

if (process.argv[1] === import.meta.filename) await runFromTerminal(codeReview);
