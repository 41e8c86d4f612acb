import type { Evaluator, ModelJudge } from "../evaluation/judge.ts";
import { defaults } from "../limits.ts";
import type { Model } from "../models/model.ts";
import type { Timeout } from "../options.ts";
import type { Evaluate, RoleSettings } from "../role-options.ts";
import type { WorkingRole } from "../role.ts";
import type { WorkerKind } from "../work/worker.ts";
import { callSettings, roleSettings, rulesOf, withModelOf } from "./role-settings.ts";

/** Finds a role's model: its own, else what is named for all, else what is usual for that role. */
export type FindModel = (role: WorkingRole, settings: RoleSettings<never>) => Promise<Model>;

/** Who judges: the model that is named for it, else the orchestrator's. */
export interface Judges {
  /** Of work by criteria, or by a function. */
  evaluator(evaluate: Evaluate | false | undefined): Promise<{ readonly evaluator?: Evaluator }>;
  /** Of several tries at once, two at a time. */
  sampling(count: number | undefined, evaluate: Evaluate | false | undefined): Promise<Pick<WorkerKind, "sampling">>;
}

export function judgesOf(orchestrator: RoleSettings<never>, find: FindModel, timeout: Timeout | undefined): Judges {
  const judgeBy = async (evaluate: Evaluate | undefined): Promise<Omit<ModelJudge, "criteria">> => {
    const settings = withModelOf(orchestrator, roleSettings<never>(evaluate?.model));
    const { id, policy } = await find("orchestrator", settings);
    return {
      model: id,
      settings: callSettings(settings, policy?.maxOutputTokens ?? defaults.maxOutputTokens.evaluator),
      // Judging takes as long as work does.
      rules: rulesOf(settings, timeout?.workerMs ?? defaults.timeout.workerMs, timeout),
    };
  };
  return {
    evaluator: async (evaluate) => {
      if (!evaluate) return {};
      const { threshold, maxAttempts = defaults.evaluate.maxAttempts, criteria, judge } = evaluate;
      return { evaluator: { threshold, maxAttempts, judge: judge ?? { ...(await judgeBy(evaluate)), criteria } } };
    },
    sampling: async (count, evaluate) =>
      count === undefined || count < 2 ? {} : { sampling: { count, judge: await judgeBy(evaluate === false ? undefined : evaluate) } },
  };
}
