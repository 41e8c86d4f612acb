import { modelJudge } from "../../evaluation/judge.ts";
import { keyOf } from "../../names.ts";
import { isFunctionKind } from "../../role.ts";
import type { SynthesizerRole } from "../../synthesis/synthesizer-messages.ts";
import type { FunctionKind } from "../../work/function-worker.ts";
import type { WorkerKind } from "../../work/worker.ts";
import { mayLookAgain } from "../planning/rounds.ts";
import { type Costs, kindFor, type RunSetup } from "../run-setup.ts";

export type AskedRole = Parameters<Costs["priceOf"]>[0];

/**
 * Who may be asked for what of a run is still to be done: a plan that is known leaves out some.
 *
 * @param mayChange is somebody asked about the plan, who may edit it or have another one written?
 */
export function rolesAsked({ start: { plan, past, kept }, roles, options }: RunSetup, mayChange: boolean): readonly AskedRole[] {
  const given = plan ?? past?.given;
  if (given?.kind === "direct") return [];
  const isKnown = past?.plan === "complete" && !mayLookAgain(past, options.rounds);
  const known = mayChange ? undefined : isKnown ? past.planned.map(({ subtask }) => subtask) : given?.subtasks;
  const combine = options.combine ?? (known === undefined ? undefined : (given?.combine ?? past?.combine));
  const joins = combine !== "keep" && combine !== "none" && (known?.length !== 1 || roles.synthesizer.form !== undefined);
  const left = known?.filter(({ id }) => !kept.has(keyOf(id)));
  const kinds =
    left === undefined ? [roles.worker, ...roles.workers.values(), ...roles.functions.values()] : new Set(left.map(({ type }) => kindFor(roles, type)));
  return [...(known === undefined ? [roles.orchestrator] : []), ...[...kinds, ...(joins ? [roles.synthesizer] : [])].flatMap(modelsOf)];
}

/** The models that a role's work takes: its own, unless it is a function, and who judges or compares it. */
export function modelsOf(role: WorkerKind | FunctionKind | SynthesizerRole): readonly AskedRole[] {
  const sampling = "sampling" in role ? role.sampling : undefined;
  return [...(isFunctionKind(role) ? [] : [role]), modelJudge(role.evaluator) ?? [], sampling?.judge ?? []].flat();
}
