import { APICallError, type EmbeddingModelV4 } from "@ai-sdk/provider";
import type { Fact, FactBody } from "../../src/events.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { OrchestratorOptions } from "../../src/options.ts";
import type { Outcome } from "../../src/outcome.ts";
import type { RolePrint } from "../../src/run-print.ts";
import { type Clock, sleep } from "../../src/runtime.ts";
import { noUsage } from "../../src/usage.ts";
import { chance } from "./chance.ts";
import { usualPrice } from "./kinds.ts";
import { givenPlan } from "./plan-text.ts";
import type { Schedule } from "./schedule.ts";

/** A run that was there before all others, and whose plan they may take over. */

export const earlierTask = "An earlier task.";
const runId = "earlier";
export const likeness = 0.9;
/** What the embedding model says of a text: fewer than are reserved for it. */
const vectorTokens = 5;

/** The ledger, with the earlier run in it. */
export function withEarlierRun(schedule: Schedule, ledger: Ledger): Ledger {
  if (schedule.planCache === "no") return ledger;
  const vector = schedule.planCache === "miss" ? Float32Array.of(0, 1) : Float32Array.of(1, 0);
  return {
    ...ledger,
    readPlans: async (group) => [...(await ledger.readPlans(group)), { runId, group, keptAt: 0, vector }],
    readFacts: async (id) => (id === runId ? factsOf(schedule) : await ledger.readFacts(id)),
  };
}

function factsOf(schedule: Schedule): readonly Fact[] {
  const { seed, subtasks, maxSubtasks } = schedule;
  const few = { ...schedule, direct: "never" as const, cycles: 0, copies: 0, subtasks: Math.min(subtasks, maxSubtasks - 2) };
  const plan = givenPlan(few, chance(seed, "earlier"));
  const coverage = { planned: 0, done: 0, failed: 0, skipped: 0, dropped: 0, planComplete: true, answer: "keep" as const, missing: [], notices: [] };
  const usage = { ...noUsage, byRole: { orchestrator: noUsage, worker: noUsage, synthesizer: noUsage, evaluator: noUsage } };
  const outcome: Outcome = { status: "ok", runId, coverage, analysis: "", plan, results: [], calls: 0, usage, durationMs: 0, text: "" };
  const print: RolePrint = { model: "strong", endpoint: "", settings: "", prompt: "" };
  const bodies: readonly FactBody[] = [
    {
      type: "run.started",
      request: { task: earlierTask, context: "" },
      models: { orchestrator: "strong", synthesizer: "strong", workers: {} },
      concurrency: 1,
      setup: { orchestrator: print, synthesizer: print, workers: {}, planFormat: "xml", direct: true, maxSubtasks },
    },
    { type: "run.finished", outcome },
  ];
  return bodies.map((body, seq) => ({ ...body, seq, at: 0, runId }));
}

/** How a process looks for plans: its embedding model takes its time, and may say nothing that is of use. */
export function planCacheOf(schedule: Schedule, clock: Clock, pid: number, onEmbed: (text: string) => void): Pick<OrchestratorOptions, "planCache"> {
  const { planCache, seed } = schedule;
  if (planCache === "no") return {};
  const { happens, magnitude, of } = chance(seed, `embedding of ${pid}`);
  const [takesMs, status, isSilent] = [magnitude(1, 10_000), of([400, 401, 429, 500, 503]), happens(0.2)];
  const [isCounted, throttlings] = [happens(0.7), of([0, 0, 1, 3])];
  let times = 0;
  const embed: EmbeddingModelV4 = {
    specificationVersion: "v4",
    provider: "double",
    modelId: "vectors",
    maxEmbeddingsPerCall: 1,
    supportsParallelCalls: true,
    doEmbed: async ({ values, abortSignal }) => {
      for (const text of values) onEmbed(text);
      if (planCache === "fails" && isSilent) return await new Promise<never>(() => undefined);
      await sleep(clock, takesMs, abortSignal);
      if (planCache === "fails") throw refusal(status);
      // Sent back, and asked again.
      if (times++ < throttlings) throw refusal(429);
      return { embeddings: [[1, 0]], ...(isCounted && { usage: { tokens: vectorTokens } }), warnings: [] };
    },
  };
  const decidesMs = magnitude(1, 10_000);
  const accept = async (): Promise<boolean> => {
    await sleep(clock, decidesMs);
    return planCache !== "refused";
  };
  return { planCache: { embed, threshold: likeness, accept, ...usualPrice(schedule) } };
}

function refusal(statusCode: number): APICallError {
  return new APICallError({ message: "No vectors.", url: "", requestBodyValues: {}, statusCode });
}
