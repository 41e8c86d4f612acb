/**
 * Code among the workers: a stock list that is looked up, and sums that are computed, not guessed.
 *
 * A kind of worker may be a plain async function. The orchestrator is told what each kind is for, and chooses; models do the rest, and
 * are given what the functions found (`after` in the plan).
 *
 *   npm run build
 *   node examples/plain-functions/main.ts                      a model that can be used here (`node dist/cli.js models` says which)
 *   node examples/plain-functions/main.ts anthropic:claude-haiku-4-5
 */
import { FlexibleOrchestrator, type OrchestratorOptions, type Run, type WorkerFunction } from "divvy";
import { runFromTerminal } from "../terminal.ts";

const task = `The library wants to lend two drills and one ladder from Monday on. What is in stock, what has to be bought, and what does that cost?
Look up the stock of each, work out what is missing, and write a note of five sentences to the treasurer.`;

/** What a database would hold. */
const stock = new Map([
  ["drill", { there: 1, price: 49 }],
  ["ladder", { there: 0, price: 120 }],
  ["sander", { there: 2, price: 65 }],
]);

const lookUp: WorkerFunction = async ({ description }) => {
  const found = [...stock].filter(([article]) => description.toLowerCase().includes(article));
  if (found.length === 0) throw new Error(`The stock list knows ${[...stock.keys()].join(", ")}, and none of them is asked for.`);
  return found.map(([article, { there, price }]) => `${article}: ${there} in stock, ${price} each`).join("\n");
};

export function stockNote(options: OrchestratorOptions = {}): Run {
  const orchestrator = new FlexibleOrchestrator({
    direct: "never",
    synthesis: "merge",
    workers: {
      stock: {
        description: "Looks articles up in the library's stock list. Name the articles; it says how many there are and what one costs.",
        run: lookUp,
        idempotent: true,
      },
    },
    ...options,
  });
  return orchestrator.start(task);
}

if (process.argv[1] === import.meta.filename) await runFromTerminal(stockNote);
