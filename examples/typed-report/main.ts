/**
 * Results with types: what each researcher finds is a list of claims with their sources, and the answer is a report that a program can
 * read on. The compiler knows both; what a model writes otherwise is asked for again.
 *
 *   npm run build
 *   node examples/typed-report/main.ts                      a model that can be used here (`node dist/cli.js models` says which)
 *   node examples/typed-report/main.ts anthropic:claude-haiku-4-5
 */
import { FlexibleOrchestrator, type ModelChoice, type OrchestratorOptions } from "divvy";
import { z } from "zod";
import { runFromTerminal } from "../terminal.ts";

const task = "Should our library lend out tools? Look at what it costs, what is borrowed, and who is liable, each by itself.";

const findings = z.object({
  claims: z.array(z.object({ claim: z.string(), source: z.string(), certainty: z.number().min(0).max(1) })).min(1),
});

const report = z.object({
  advice: z.enum(["yes", "no", "try it first"]),
  reasons: z.array(z.string()).min(1),
  reviewOn: z.iso.date().transform((day) => new Date(day)),
});

interface Choices extends Pick<OrchestratorOptions, "ledger"> {
  readonly model?: ModelChoice;
}

// What it returns has the types of the two schemas: they are read, and not written down a second time.
const reporter = (choices: Choices) =>
  new FlexibleOrchestrator({
    workers: { research: { description: "Finds claims, each with its source and how certain it is.", output: findings } },
    synthesizer: { output: report },
    ...choices,
  });

/** The claims that are least certain, and the advice with the year in which it is to be looked at again. */
export async function typedReport(choices: Choices = {}): Promise<{ readonly doubtful: readonly string[]; readonly advice: string }> {
  const outcome = await reporter(choices).orchestrate(task);
  const claims = outcome.results.flatMap((result) => (result.status === "done" && result.kind === "research" ? result.output.claims : []));
  const doubtful = claims.filter(({ certainty }) => certainty < 0.5).map(({ claim }) => claim);
  if (outcome.status !== "ok") return { doubtful, advice: `none: ${outcome.error.message}` };
  return { doubtful, advice: `${outcome.output.advice}, to be looked at again in ${outcome.output.reviewOn.getUTCFullYear()}` };
}

if (process.argv[1] === import.meta.filename) await runFromTerminal(({ model }) => reporter(model === undefined ? {} : { model }).start(task));
