import { hash } from "node:crypto";
import { embedded } from "../calls/embedded.ts";
import type { Embed } from "../embedding.ts";
import { patiently } from "../ledger/patience.ts";
import { type EmbeddingModel, embeddingModelId, resolveEmbeddingModel } from "../models/embedding-model.ts";
import type { PlanCache } from "../options.ts";
import type { KeptPlans } from "../orchestrator/kept-plans.ts";
import { readPast } from "../orchestrator/past.ts";
import { planningPrint } from "../orchestrator/run-prints.ts";
import type { RunSetup } from "../orchestrator/run-setup.ts";
import type { Assembly, Found } from "./assembly.ts";

/** The plans that a ledger keeps for requests like a new run's. The model is found when it is asked, so that a run begins without it too. */
export function keptPlans(assembly: Assembly, { embed: choice, threshold, accept }: PlanCache, setup: RunSetup, { models }: Found): KeptPlans {
  const { keeper, sources, runtime, retry } = assembly;
  const { ledger, clock, identity } = keeper;
  const { runId } = setup.run;
  let found: Promise<EmbeddingModel> | undefined;
  const model = (): Promise<EmbeddingModel> => (found ??= resolveEmbeddingModel(choice, sources.env, sources.load));
  const group = async (): Promise<string> => {
    const { id, baseUrl } = await model();
    const asked = planningPrint(setup, (name) => models(name).baseUrl);
    return hash("sha256", JSON.stringify([asked, id, baseUrl]), "hex").slice(0, 32);
  };
  const embed: Embed = async (text, signal) => await embedded(await model(), retry, runtime)(text, signal);
  return {
    model: embeddingModelId(choice),
    threshold,
    accept,
    embed,
    list: async () => {
      const name = await group();
      return await patiently(clock, () => ledger.readPlans(name));
    },
    read: async (other) => {
      const facts = await patiently(clock, () => ledger.readFacts(other));
      // Forgotten since.
      if (facts.length === 0) return undefined;
      const { request, outcome } = readPast(other, facts);
      return outcome?.status === "ok" && outcome.plan?.kind === "subtasks" ? { request, plan: outcome.plan } : undefined;
    },
    keep: async (vector) => {
      const plan = { runId, group: await group(), keptAt: identity.now(), vector };
      await patiently(clock, () => ledger.keepPlan(plan));
    },
  };
}
