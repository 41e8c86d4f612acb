/**
 * Judged before it is taken: a model scores each text by criteria, and a function counts what can be counted.
 *
 * What falls short goes back to its worker with the reasons. The best try stands, and the outcome says where none was good enough.
 *
 *   npm run build
 *   node examples/evaluate/main.ts                      a model that can be used here (`node dist/cli.js models` says which)
 *   node examples/evaluate/main.ts anthropic:claude-haiku-4-5
 */
import { FlexibleOrchestrator, type JudgeFunction, type OrchestratorOptions, type Run } from "divvy";
import { runFromTerminal } from "../terminal.ts";

const task = `Announce that the town's library lends tools from Monday on: drills, ladders and sanders, three days each, free with a library card.
A headline for the poster at the door (type "headline"), and a text of three sentences for the newsletter (type "newsletter").`;

/** A poster is read in passing. */
const atMostEightWords: JudgeFunction = ({ text }) => {
  const words = text.trim().split(/\s+/).length;
  return { score: words <= 8 ? 1 : 8 / words, reasons: `It has ${words} words; at most 8 can be read in passing.` };
};

export function announcement(options: OrchestratorOptions = {}): Run {
  const orchestrator = new FlexibleOrchestrator({
    direct: "never",
    synthesis: "keep",
    worker: {
      evaluate: {
        criteria: "It names what is lent, for how long, and what it costs. It promises nothing else. It has no exclamation mark.",
        threshold: 0.8,
      },
    },
    workers: { headline: { evaluate: { judge: atMostEightWords, threshold: 1, maxAttempts: 3 } } },
    ...options,
  });
  return orchestrator.start(task);
}

if (process.argv[1] === import.meta.filename) await runFromTerminal(announcement);
