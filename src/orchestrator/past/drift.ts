import { DivvyError } from "../../errors.ts";
import { shownEstimate } from "../../estimate.ts";
import { keyOf } from "../../names.ts";
import { count, listed } from "../../quantity.ts";
import type { RolePrint, RunPrint } from "../../run-print.ts";
import type { Ahead } from "../ahead/calls-ahead.ts";
import { estimateAhead } from "../ahead/estimate-ahead.ts";
import type { Past } from "./past.ts";
import { mayLookAgain } from "../planning/rounds.ts";
import type { RunSetup } from "../run-setup.ts";

/** What has changed since a run was started, and what of it is still to be done under the new settings. */
export interface Drift {
  readonly changes: readonly string[];
  readonly ahead: Ahead;
}

/**
 * What has changed since a run was started that would change the calls which are still missing. Nothing where nothing has: what
 * changed for calls that are done and over makes no difference.
 */
export function driftOf(past: Past, now: RunPrint, rounds: number): Drift | undefined {
  const { setup: before } = past;
  const ahead = aheadOf(past, rounds);
  const types = ahead.subtasks.map(({ type }) => [kindOf(before, type), kindOf(now, type)]).flat();
  // A plan that waits may yet be sent back.
  const mayPlan = ahead.plan || ahead.looks > 0 || past.approval === "needed";
  const kinds = new Set([...types, ...(mayPlan ? Object.keys({ ...before.workers, ...now.workers }) : [])]);
  const changes = [
    ...(mayPlan ? changesOf("orchestrator", before.orchestrator, now.orchestrator) : []),
    ...[...kinds].flatMap((kind) => changesOf(kind === "default" ? "worker" : `worker "${kind}"`, before.workers[kind], now.workers[kind])),
    ...(joins(past) || now.synthesizer.output !== undefined ? changesOf("synthesizer", before.synthesizer, now.synthesizer) : []),
  ];
  return changes.length === 0 ? undefined : { changes, ahead };
}

/** Drift as an error that says what it would cost to go on all the same. */
export async function drifted(setup: RunSetup, past: Past, { changes, ahead }: Drift): Promise<DivvyError> {
  const { plan, looks, subtasks } = ahead;
  const calls = [
    ...(plan ? ["the rest of the plan"] : looks > 0 ? ["further rounds of the plan"] : []),
    ...(subtasks.length > 0 ? [count(subtasks.length, "subtask")] : []),
    ...(joins(past) ? ["the synthesis"] : []),
  ];
  const cost = shownEstimate(await estimateAhead(setup, ahead));
  const all = past.planned.length;
  const message = `The run was started under other settings: ${changes.join("; ")}. Under the new ones it would pay for ${listed(calls)}: ${cost}. ${all - subtasks.length} of ${all} results stay as they are.`;
  return new DivvyError("run_drifted", message, { evidence: { known: changes } });
}

function aheadOf(past: Past, rounds: number): Ahead {
  const { setup, given, plan, planned, ends, combine } = past;
  const done = planned.flatMap(({ subtask }) => {
    const end = ends.get(keyOf(subtask.id));
    return end?.status === "done" ? [{ ...subtask, result: end.result }] : [];
  });
  return {
    plan: given === undefined && plan === undefined,
    looks: mayLookAgain(past, rounds) ? rounds - past.round : 0,
    subtasks: planned.map(({ subtask }) => subtask).filter(({ id }) => !ends.has(keyOf(id))),
    done,
    combine: plan === "answered" ? "none" : (setup.combine ?? combine),
  };
}

function joins({ setup, plan, combine: planned }: Past): boolean {
  const combine = setup.combine ?? planned;
  return plan !== "answered" && (combine === undefined || combine === "merge" || combine === "choose");
}

function kindOf({ workers }: RunPrint, type: string): string {
  const key = keyOf(type);
  return Object.keys(workers).find((kind) => kind !== "default" && keyOf(kind) === key) ?? "default";
}

function changesOf(role: string, before: RolePrint | undefined, now: RolePrint | undefined): string[] {
  if (before === undefined) return now === undefined ? [] : [`there is a new ${role}`];
  if (now === undefined) return [`there is no ${role} any more`];
  if (before.model !== now.model) return [`the ${role}'s model was ${before.model} and is ${now.model}`];
  const parts = (["endpoint", "settings", "prompt", "output", "evaluation", "sampling"] as const).filter((part) => before[part] !== now[part]);
  return parts.map((part) => `the ${role}'s ${part === "endpoint" ? "address" : part} changed`);
}
