import { DivvyError } from "../errors.ts";
import { keyOf } from "../names.ts";
import type { RolePrint, RunPrint } from "../run-print.ts";
import type { Past } from "./past.ts";

/**
 * What has changed since a run was started that would change the calls which are still missing. Nothing where nothing has: what
 * changed for calls that are done and over makes no difference.
 */
export function driftOf(past: Past, now: RunPrint): DivvyError | undefined {
  const { setup: before, given, plan, planned, ends } = past;
  const missing = planned.filter(({ subtask }) => !ends.has(keyOf(subtask.id)));
  const asksForPlan = given === undefined && plan === undefined;
  const kinds = new Set(asksForPlan ? Object.keys({ ...before.workers, ...now.workers }) : missing.map(({ subtask }) => kindOf(before, subtask.type)));
  const combine = before.combine ?? past.combine;
  const joins = plan !== "answered" && (combine === undefined || combine === "merge" || combine === "choose");

  const changes = [
    ...(asksForPlan ? changesOf("orchestrator", before.orchestrator, now.orchestrator) : []),
    ...[...kinds].flatMap((kind) => changesOf(kind === "default" ? "worker" : `worker "${kind}"`, before.workers[kind], now.workers[kind])),
    ...(joins ? changesOf("synthesizer", before.synthesizer, now.synthesizer) : []),
  ];
  if (changes.length === 0) return undefined;
  const calls = [
    ...(asksForPlan ? ["the rest of the plan"] : []),
    ...(missing.length > 0 ? [counted(missing.length)] : []),
    ...(joins ? ["the synthesis"] : []),
  ];
  const done = planned.length - missing.length;
  const message = `The run was started under other settings: ${changes.join("; ")}. Under the new ones it would pay for ${calls.join(", ")}; ${done} of ${planned.length} results stay as they are.`;
  return new DivvyError("run_drifted", message, { evidence: { known: changes } });
}

function kindOf({ workers }: RunPrint, type: string): string {
  const key = keyOf(type);
  return Object.keys(workers).find((kind) => kind !== "default" && keyOf(kind) === key) ?? "default";
}

function counted(subtasks: number): string {
  return subtasks === 1 ? "1 subtask" : `${subtasks} subtasks`;
}

function changesOf(role: string, before: RolePrint | undefined, now: RolePrint | undefined): string[] {
  if (before === undefined) return now === undefined ? [] : [`there is a new ${role}`];
  if (now === undefined) return [`there is no ${role} any more`];
  if (before.model !== now.model) return [`the ${role}'s model was ${before.model} and is ${now.model}`];
  const parts = (["endpoint", "settings", "prompt"] as const).filter((part) => before[part] !== now[part]);
  return parts.map((part) => `the ${role}'s ${part === "endpoint" ? "address" : part} changed`);
}
