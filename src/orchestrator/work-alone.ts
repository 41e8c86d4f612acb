import type { Result } from "../outcome.ts";
import { functionModel, isFunctionKind } from "../role.ts";
import { fencing } from "../prompt/fence.ts";
import type { Subtask } from "../subtask.ts";
import { carryOutSubtask } from "../work/worker.ts";
import { boundUpstream } from "../work/upstream.ts";
import { endOf } from "../work/work.ts";
import type { Upstream } from "../work/worker-prompt.ts";
import { resultOf } from "./ending/census.ts";
import { kindFor, type RunSetup } from "./run-setup.ts";
import type { Tally } from "./tally.ts";

/** One worker alone. Never rejects: how it ended stands in the result. */
export async function workAlone(setup: RunSetup, tally: Tally, subtask: Subtask, given: readonly Upstream[]): Promise<Result> {
  const { request, roles, options, calls, run, signal, clock } = setup;
  const kind = kindFor(roles, subtask.type);
  const { upstream } = boundUpstream(given, options.upstreamBytes);
  run.emit({ type: "subtask.started", subtaskId: subtask.id, model: isFunctionKind(kind) ? functionModel : kind.model });
  const end = await carryOutSubtask(kind, { request, subtask, upstream, sample: 0 }, { calls, run, signal, clock, fence: fencing() });
  run.emit(endOf(subtask.id, end));
  return resultOf(subtask, end, tally, kind.name);
}
