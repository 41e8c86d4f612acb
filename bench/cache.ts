import { FlexibleOrchestrator } from "../src/flexible-orchestrator.ts";
import { adaptiveGovernor } from "../src/governor/adaptive-governor.ts";
import { warmingGovernor } from "../src/governor/warming-governor.ts";
import { systemRuntime } from "../src/runtime.ts";
import { type DoubleReply, latencyModel, providerServer } from "../src/testing/index.ts";
import { median } from "./measure.ts";
import { round, table } from "./report.ts";

/** One run against a provider that caches prompts. */
interface CachedRun {
  /** Workers whose start came from the cache. */
  readonly hits: number;
  readonly makespanMs: number;
  /** Of the workers' input, with reads at a tenth of the price of input and writes at a quarter more; 1 for no cache at all. */
  readonly inputCost: number;
}

export interface CacheRow {
  readonly subtasks: number;
  /** Is the plan written by the orchestrator, or handed in? */
  readonly plan: "streamed" | "given";
  readonly warms: boolean;
  readonly runs: readonly CachedRun[];
}

/** 40,000 characters, which the double counts as 10,000 tokens. */
const context = "All that is known of the matter, line by line. ".repeat(851).slice(0, 40_000);
const msPerToken = 0.1;

/** Workers that share a long start, let out as ever and with the first ahead of the others. Seeds run side by side. */
export async function caching(seeds: readonly number[]): Promise<CacheRow[]> {
  const rows: CacheRow[] = [];
  for (const subtasks of [10, 50])
    for (const plan of ["streamed", "given"] as const)
      for (const warms of [false, true]) {
        const runs = await Promise.all(seeds.map((seed) => cachedRun(seed, subtasks, plan, warms)));
        rows.push({ subtasks, plan, warms, runs });
        process.stderr.write(`${warms ? "first one ahead" : "all at once"}, plan ${plan}, N = ${subtasks}: ${runs.map(({ hits }) => hits).join(", ")} hits\n`);
      }
  return rows;
}

async function cachedRun(seed: number, n: number, plan: CacheRow["plan"], warms: boolean): Promise<CachedRun> {
  const latency = latencyModel({ seed, firstTokenMs: { median: 100, sigma: 0.2 }, totalMs: { median: 3_000, sigma: 0.5 } });
  const parts = Array.from({ length: n }, (_, i) => ({ type: "part", description: `Part ${i}. ${"What it is to be, for whom, and how long. ".repeat(3)}` }));
  const text = "Word after word of what is wanted. ".repeat(20);
  const written = `<tasks combine="keep">${parts.map(({ type, description }) => `<task><type>${type}</type><description>${description}</description></task>`).join("")}</tasks>`;
  const answer = (prompt: string): DoubleReply => ({ text, ...latency.timing(/Part (\d+)\./.exec(prompt)?.[1] ?? "", text) });
  await using server = await providerServer(
    [
      { when: "You are the orchestrator", reply: { text: written, firstMs: 300, chunkSize: 16, chunkMs: 25 } },
      { when: "You carry out one subtask", reply: ({ prompt }) => answer(prompt) },
    ],
    { vary: false, promptCache: { msPerToken } },
  );
  const env = { ANTHROPIC_API_KEY: "key", ANTHROPIC_BASE_URL: server.anthropicBaseUrl };
  const plain = adaptiveGovernor(systemRuntime);
  const orchestrator = new FlexibleOrchestrator(
    { model: "anthropic:claude-sonnet-4-5", synthesis: "keep", limits: { subtasks: 100 } },
    { models: { env }, governor: warms ? warmingGovernor(plain, systemRuntime.clock) : plain },
  );
  const startedAt = performance.now();
  const run = orchestrator.start("Do it all.", context, plan === "given" ? { plan: { subtasks: parts } } : {});
  const of = { hits: 0, input: 0, billed: 0 };
  for await (const event of run.events) {
    if (event.type !== "attempt.settled" || event.role !== "worker") continue;
    const { inputTokens = 0, inputTokenDetails } = event.usage;
    const { cacheReadTokens = 0, cacheWriteTokens = 0 } = inputTokenDetails;
    if (cacheReadTokens > 0) of.hits++;
    of.input += inputTokens;
    of.billed += inputTokens - 0.9 * cacheReadTokens + 0.25 * cacheWriteTokens;
  }
  const makespanMs = performance.now() - startedAt;
  const { status } = await run.outcome;
  if (status !== "ok") throw new Error(`The run ended ${status}.`);
  return { hits: of.hits, makespanMs, inputCost: of.billed / of.input };
}

/** The makespan over that of the same seeds let out as ever, for each row in which the first goes ahead. */
export function makespanRatio(rows: readonly CacheRow[], row: CacheRow): number {
  const other = rows.find(({ subtasks, plan, warms }) => subtasks === row.subtasks && plan === row.plan && !warms);
  return median(row.runs.map(({ makespanMs }, seed) => makespanMs / (other?.runs[seed]?.makespanMs ?? Number.NaN)));
}

export function cacheTable(rows: readonly CacheRow[]): string {
  return table(
    ["workers", "plan", "N", "hits", "fewest", "cost of input", "makespan ms", "/ all at once"],
    rows.map((row) => {
      const { subtasks, plan, warms, runs } = row;
      const hits = runs.map((run) => run.hits);
      const cost = median(runs.map(({ inputCost }) => inputCost)).toFixed(3);
      const makespan = round(median(runs.map(({ makespanMs }) => makespanMs)));
      const ratio = warms ? makespanRatio(rows, row).toFixed(3) : undefined;
      return [warms ? "first one ahead" : "all at once", plan, subtasks, median(hits), Math.min(...hits), cost, makespan, ratio];
    }),
  );
}
