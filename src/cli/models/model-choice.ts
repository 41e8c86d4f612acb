import type { ModelProbes } from "../../models/available.ts";
import type { Env } from "../../models/catalog.ts";
import { defaultModels } from "../../models/defaults.ts";
import { builtIn } from "../../models/model-name.ts";
import type { OrchestratorOptions } from "../../options.ts";
import { defaultWeights } from "../../models/local/weights.ts";
import { listed } from "../../quantity.ts";
import type { NamedModels } from "../flags/command.ts";
import { judgedRoles, type Judging } from "../flags/judging.ts";
import { kindWorkers } from "../flags/kinds-typed.ts";
import { usageError } from "../flags/usage-error.ts";

/** The model of every role. */
export interface ModelChoice {
  readonly orchestrator: string;
  readonly worker: string;
  readonly synthesizer: string;
  /** Nothing where the orchestrator's model judges, or nobody. */
  readonly evaluator: string | undefined;
  /** Which models do what and why, where the choice was not the user's. */
  readonly said: string | undefined;
}

/** What was named, and for the rest what can be used here. Rejects with a `DivvyError` where that is nothing. */
export async function chooseModels(named: NamedModels, env: Env, probes: ModelProbes): Promise<ModelChoice> {
  const orchestrator = named.orchestrator ?? named.model;
  const worker = named.worker ?? named.model;
  // Who joins is who plans, unless another is named.
  const synthesizer = named.synthesizer ?? orchestrator;
  if (orchestrator !== undefined && worker !== undefined && synthesizer !== undefined) {
    const choice = {
      orchestrator: inFull(orchestrator),
      worker: inFull(worker),
      synthesizer: inFull(synthesizer),
      evaluator: named.evaluator && inFull(named.evaluator),
    };
    mustBeUsed(named, choice);
    return { ...choice, said: undefined };
  }
  const chosen = await defaultModels(env, probes);
  const choice = {
    orchestrator: inFull(orchestrator ?? chosen.orchestrator),
    worker: inFull(worker ?? chosen.worker),
    synthesizer: inFull(synthesizer ?? chosen.synthesizer),
    evaluator: named.evaluator && inFull(named.evaluator),
  };
  mustBeUsed(named, choice);
  return { ...choice, said: `${whoDoesWhat(choice)} (${chosen.why})` };
}

/** A price under a name that was mistyped would be one that nobody sees is missing. */
function mustBeUsed({ prices, evaluator, embed, kinds }: NamedModels, { orchestrator, worker, synthesizer }: Omit<ModelChoice, "said">): void {
  const ofKinds = kinds.flatMap(({ model }) => model ?? []);
  const used = [...new Set([orchestrator, worker, synthesizer, evaluator ?? [], embed ?? [], ofKinds].flat().map((model) => model.trim()))];
  const other = [...prices.keys()].find((model) => !used.includes(model));
  if (other !== undefined) throw usageError(`--price names ${other}, and the models here are ${listed(used)}.`);
}

/** What was named, for a run that has its models already: only what is named replaces them. */
export function namedRoles(
  { model, orchestrator, worker, synthesizer, evaluator, kinds, window }: NamedModels,
  judging: Judging | undefined,
  samples: number | undefined,
): OrchestratorOptions {
  return {
    ...(model !== undefined && { model: inFull(model) }),
    ...(orchestrator !== undefined && { orchestrator: inFull(orchestrator) }),
    ...judgedRoles(
      { worker: worker && inFull(worker), synthesizer: synthesizer && inFull(synthesizer), evaluator: evaluator && inFull(evaluator) },
      judging,
      samples,
      window,
    ),
    ...kindWorkers(kinds),
  };
}

export function usesTinyModel({ orchestrator, worker, synthesizer }: ModelChoice): boolean {
  return [orchestrator, worker, synthesizer].includes(tinyModel);
}

/** Shown, not hidden: nobody shall take its texts for what Divvy can do. */
export const tinyBefore =
  "The built-in model is tiny: it shows how Divvy works, and writes no good texts. A key or Ollama gives you a real one (divvy models).";
export const tinyAfter = "Written by the tiny built-in model, to show how Divvy works. divvy models says what else can be used.";

export const tinyModel: string = `${builtIn}:${defaultWeights.name}`;

/** The built-in model under its whole name, so that whoever reads the run's events knows which it was. */
function inFull(model: string): string {
  return model.trim() === `${builtIn}:` ? tinyModel : model;
}

/** In words, without a full stop. */
export function whoDoesWhat({ orchestrator, worker, synthesizer }: Omit<ModelChoice, "said">): string {
  if (orchestrator === worker && worker === synthesizer) return `${orchestrator} does everything`;
  if (orchestrator === synthesizer) return `${orchestrator} plans and joins, ${worker} works`;
  return `${orchestrator} plans, ${worker} works, ${synthesizer} joins`;
}
