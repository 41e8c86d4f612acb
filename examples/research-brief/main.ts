/**
 * A research brief: subtasks that build on each other, joined into one text.
 *
 * The findings come first, side by side; what builds on them (`after` in the plan, `dependsOn` in code) starts when they are done,
 * and its worker is given their texts. A last call writes the one brief from all results: `synthesis: "merge"`.
 *
 *   npm run build
 *   node examples/research-brief/main.ts                      a model that can be used here (`node dist/cli.js models` says which)
 *   node examples/research-brief/main.ts anthropic:claude-haiku-4-5
 */
import { FlexibleOrchestrator, type OrchestratorOptions, type Run } from "divvy";
import { runFromTerminal } from "../terminal.ts";

const task = `Write a one-page brief for the town council: should the public library lend tools, and how?
Establish demand and cost from the sources, each on its own. Weigh the ways of doing it on the grounds of both. End with one recommendation.`;

/** Made up for this example. Models that search would bring their own. */
const sources = {
  survey:
    "Library survey, spring, 412 answers: 61% would borrow tools at least twice a year; drills, ladders and sanders are named most. 9% would volunteer for repairs.",
  neighbour:
    "The neighbouring town lends 180 tools since two years: 2,900 loans a year, 14 tools lost or broken, half a position of staff, 6,500 a year for replacement and insurance.",
  building: "The library's cellar: 40 square metres, dry, step-free by the goods lift. Fitting it with shelves and a counter: 11,000, once.",
  shops: "Two hardware shops in town rent out machines, from 18 a day. One has offered to service the library's tools at cost.",
};

export function researchBrief(options: OrchestratorOptions = {}): Run {
  const orchestrator = new FlexibleOrchestrator({ direct: "never", synthesis: "merge", ...options });
  return orchestrator.start(task, sources);
}

if (process.argv[1] === import.meta.filename) await runFromTerminal(researchBrief);
