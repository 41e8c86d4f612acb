import { hash } from "node:crypto";
import { ranks } from "../calls/call.ts";
import { embedded } from "../calls/embedded.ts";
import { DivvyError } from "../errors.ts";
import { patiently } from "../ledger/patience.ts";
import { type EmbeddingModel, embeddingModelId, resolveEmbeddingModel } from "../models/embedding-model.ts";
import { statedPrice } from "../models/prices.ts";
import type { PlanCache } from "../options.ts";
import type { KeptPlans } from "../orchestrator/planning/kept-plans.ts";
import { readPast } from "../orchestrator/past/read-past.ts";
import { planningPrint } from "../orchestrator/past/run-prints.ts";
import type { RunSetup } from "../orchestrator/run-setup.ts";
import { lookupPart } from "../role.ts";
import { noUsage, type PriceOf } from "../usage.ts";
import type { Assembly, Found } from "./assembly.ts";

/** The plans that a ledger keeps for requests like a new run's. The model is found when it is asked, so that a run begins without it too. */
export function keptPlans(assembly: Assembly, planCache: PlanCache, setup: RunSetup, { models }: Found): KeptPlans {
  const { ledger, clock, identity } = assembly.keeper;
  const { run, signal } = setup;
  const { runId } = run;
  let found: Promise<EmbeddingModel> | undefined;
  const model = (): Promise<EmbeddingModel> => (found ??= embeddingModel(assembly, planCache));
  const group = async (): Promise<string> => {
    const { id, baseUrl } = await model();
    const asked = planningPrint(setup, (name) => models(name).baseUrl);
    return hash("sha256", JSON.stringify([asked, id, baseUrl]), "hex").slice(0, 32);
  };
  return {
    model: embeddingModelId(planCache.embed),
    threshold: planCache.threshold,
    accept: planCache.accept,
    embed: async (text) => {
      const asked = await model();
      if (run.budget?.inDollars === true) mustBePriced(asked.id, await asked.price());
      return await embedded(asked, assembly.attemptRules)(text, { run, role: "orchestrator", part: lookupPart, rank: ranks.plan, signal });
    },
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

/** What a call costs that looked for a plan; by the model's name alone, where it is not the options'. Rejects where there is no such model. */
export async function lookupPrice(assembly: Assembly, id: string): Promise<PriceOf> {
  const { planCache } = assembly.options;
  const choice = planCache !== undefined && embeddingModelId(planCache.embed) === id ? planCache : { embed: id };
  return await (await embeddingModel(assembly, choice)).price();
}

async function embeddingModel({ sources }: Assembly, { embed, price }: Pick<PlanCache, "embed" | "price">): Promise<EmbeddingModel> {
  const model = await resolveEmbeddingModel(embed, sources.env, sources.load);
  const stated = price ?? sources.prices?.get(model.id);
  return stated === undefined ? model : { ...model, price: () => Promise.resolve(statedPrice(stated)) };
}

/** A budget that cannot tell what a call takes does not hold. */
function mustBePriced(id: string, priceOf: PriceOf): void {
  if (priceOf({ ...noUsage, inputTokens: 1, totalTokens: 1 }) !== undefined) return;
  throw new DivvyError("unknown_price", `The budget is in dollars, and what ${id} costs is not known: state its price, or bound the run by tokens.`);
}
