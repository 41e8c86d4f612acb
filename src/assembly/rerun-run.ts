import type { Assembly } from "./assembly.ts";
import { formsOf } from "./forms.ts";
import { revivedEnds } from "./revived.ts";
import { DivvyError } from "../errors.ts";
import { mustBeFree } from "../ledger/lease-keeper.ts";
import { patiently } from "../ledger/patience.ts";
import { keyOf } from "../names.ts";
import { withDependants } from "../plan/dependants.ts";
import type { RerunOptions } from "../options.ts";
import { readPast } from "../orchestrator/past/read-past.ts";
import type { Run } from "../orchestrator/run-handle.ts";
import { mustNotWait, withModelsOf } from "./resume-run.ts";
import { sampleOfRerun } from "../sample.ts";
import { startRun } from "./start-run.ts";
import type { Subtask } from "../subtask.ts";
import type { JobEnd } from "../work/worker.ts";

/** A new run over an old one's plan; see `FlexibleOrchestrator.rerun`. */
export async function rerunRun(assembly: Assembly, runId: string, options: RerunOptions): Promise<Run> {
  const { subtask: id, description, type, signal, concurrency, budget, approvePlan = assembly.options.approvePlan } = options;
  const { ledger, clock, identity } = assembly.keeper;
  const past = readPast(runId, await patiently(clock, () => ledger.readFacts(runId)));
  const { planned, ends, analysis, combine, setup } = past;
  if (approvePlan === undefined) mustNotWait(runId, past);
  // What it has not done yet would be paid for in both.
  if (past.outcome === undefined) await mustBeFree(ledger, runId, identity, clock);
  if (past.plan !== "complete" && past.given === undefined) {
    throw new DivvyError("invalid_option", `The run ${runId} has no complete plan.`, { hint: "Resume it first; a direct answer has no subtasks." });
  }
  const wanted = planned.find(({ subtask }) => keyOf(subtask.id) === keyOf(id));
  if (wanted === undefined) {
    const known = planned.map(({ subtask }) => subtask.id);
    throw new DivvyError("invalid_option", `The run ${runId} has no subtask "${id}".`, { hint: `It has: ${known.join(", ")}.`, evidence: { known } });
  }
  const key = keyOf(wanted.subtask.id);
  const before = planned.map(({ subtask }) => subtask);
  const anew = withDependants([key], before);
  const subtasks = before.map((subtask): Subtask => {
    if (keyOf(subtask.id) !== key) return subtask;
    return { ...subtask, ...(description !== undefined && { description }), ...(type !== undefined && { type }) };
  });
  const kept = new Map<string, JobEnd>();
  for (const [ended, end] of ends) if (!anew.has(ended)) kept.set(ended, { ...end, attempts: 0 });
  const going = withModelsOf(assembly.options, setup);
  const revived = await revivedEnds(formsOf(going), planned, kept);
  const newId = assembly.runtime.newId();
  return startRun(assembly, {
    runId: newId,
    rerunOf: runId,
    request: past.request,
    options: {
      ...(signal && { signal }),
      concurrency: concurrency ?? assembly.options.concurrency ?? past.concurrency,
      ...(budget && { budget }),
      ...(approvePlan && { approvePlan }),
    },
    setup,
    plan: { kind: "subtasks", analysis, combine: combine ?? "keep", subtasks },
    kept: revived,
    dropped: past.dropped,
    samples: new Map([[key, sampleOfRerun(newId)]]),
    find: () => assembly.findFor(going),
  });
}
