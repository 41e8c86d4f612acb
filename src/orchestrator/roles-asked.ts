import { modelJudge } from "../evaluation/judge.ts";
import { keyOf } from "../names.ts";
import { type Costs, modelKindFor, type RunSetup } from "./run-setup.ts";

export type AskedRole = Parameters<Costs["priceOf"]>[0];

/** Who may be asked for what of a run is still to be done: a plan that is known leaves out some. */
export function rolesAsked({ plan, past, kept, roles, options }: RunSetup): readonly AskedRole[] {
  const given = plan ?? past?.given;
  if (given?.kind === "direct") return [];
  const known = past?.plan === "complete" ? past.planned.map(({ subtask }) => subtask) : given?.subtasks;
  const combine = options.combine ?? (known === undefined ? undefined : (given?.combine ?? past?.combine));
  const joins = combine !== "keep" && combine !== "none" && known?.length !== 1;
  const left = known?.filter(({ id }) => !kept.has(keyOf(id)));
  const workers = left === undefined ? [roles.worker, ...roles.workers.values()] : left.flatMap(({ type }) => modelKindFor(roles, type) ?? []);
  const working = [...(known === undefined ? [roles.orchestrator] : []), ...new Set(workers), ...(joins ? [roles.synthesizer] : [])];
  return [...working, ...working.flatMap((role) => ("evaluator" in role && modelJudge(role.evaluator)) || [])];
}
