import type { Assembly, NewSetup } from "./assembly.ts";
import type { RunScope } from "../calls/run-scope.ts";
import { modelJudge } from "../evaluation/judge.ts";
import { DivvyError } from "../errors.ts";
import type { Fact, FactBody } from "../events.ts";
import type { FactLog } from "../fact-log.ts";
import { type OwnedRun, ownRun } from "../ledger/keep-run.ts";
import { patiently } from "../ledger/patience.ts";
import { isModelName } from "../models/model-name.ts";
import type { OrchestratorOptions, ResumeOptions } from "../options.ts";
import type { RoleOption } from "../role-options.ts";
import { checkSharing } from "../options-check.ts";
import { carryOut } from "../orchestrator/run.ts";
import { approvalOf, isDecided } from "../orchestrator/planning/approval-phase.ts";
import { drifted, driftOf } from "../orchestrator/past/drift.ts";
import type { Past } from "../orchestrator/past/past.ts";
import { readPast } from "../orchestrator/past/read-past.ts";
import { rolesAsked } from "../orchestrator/ahead/roles-asked.ts";
import { isComplete } from "../outcome.ts";
import { type Run, RunHandle } from "../orchestrator/run-handle.ts";
import { kindFor, modelKindFor, type RunSetup } from "../orchestrator/run-setup.ts";
import { roleSettings } from "./role-settings.ts";
import { lookupPart, refOf } from "../role.ts";
import type { RunPrint } from "../run-print.ts";
import { formsOf } from "./forms.ts";
import { lookupPrice } from "./kept-plans.ts";
import { revivedEnds, revivedOutcome } from "./revived.ts";
import { budgetFor, openBudget } from "./run-budget.ts";
import { approvalBy, newRun } from "./start-run.ts";
import { unlessAborted } from "../unless-aborted.ts";
import type { JobEnd } from "../work/worker.ts";
import { costAtMost, presumedUsage } from "../usage.ts";

/** Goes on with a run; see `FlexibleOrchestrator.resume`. */
export async function resumeRun(assembly: Assembly, runId: string, options: ResumeOptions): Promise<Run> {
  const { ledger, clock } = assembly.keeper;
  const record = await patiently(clock, () => ledger.readRun(runId));
  if (record === undefined) throw new DivvyError("run_not_found", `No run ${runId} is kept.`);
  if (record.status === "ok") return await finished(assembly, runId, await patiently(clock, () => ledger.readFacts(runId)));

  const owned = await ownRun(assembly.keeper, runId);
  try {
    return await goOn(assembly, runId, options, owned);
  } catch (thrown) {
    await owned.release();
    throw thrown;
  }
}

async function goOn(
  assembly: Assembly,
  runId: string,
  { acceptChanges = false, signal, concurrency, budget: wanted, approvePlan = assembly.options.approvePlan }: ResumeOptions,
  owned: OwnedRun,
): Promise<Run> {
  const past = readPast(runId, owned.past);
  // It may have ended while its lease was waited for.
  if (past.outcome !== undefined && isComplete(past.outcome)) {
    const over = await finished(assembly, runId, owned.past);
    await owned.release();
    return over;
  }
  if (approvePlan === undefined) mustNotWait(runId, past);
  if (past.sharedCache !== undefined) checkSharing(assembly.options);
  const found = await unlessAborted(assembly.findFor(withModelsOf(assembly.options, past.setup)), signal);
  const kept = await revivedEnds(found.forms, past.planned, settledIn(past), acceptChanges);
  const setupFor = (run: RunScope, aborts: AbortSignal, more?: Pick<NewSetup, "approval" | "pausedMs">): RunSetup =>
    assembly.setup(found, { request: past.request, run, signal: aborts, past, kept, ...more });

  const mute = { runId, concurrency: 1, emit: () => undefined, committed: () => Promise.resolve() };
  const setup = setupFor(mute, new AbortController().signal);
  const drift = driftOf(past, assembly.print(setup, found), setup.options.rounds);
  if (drift !== undefined && !acceptChanges) throw await drifted(setup, past, drift);

  const lost = await Promise.all(past.open.map((attempt) => settledAsLost(assembly, setup, past, attempt)));
  // Before anything is said of going on: a run that cannot go on stays as it is.
  const budget = await budgetFor(setup, {
    named: wanted ?? assembly.options.budget ?? past.budget,
    allowance: assembly.allowance,
    asked: rolesAsked(setup, approvePlan !== undefined && !isDecided(past)),
    isCostKnown: [...owned.past, ...lost].every((fact) => fact.type !== "attempt.settled" || fact.cost !== undefined),
  });
  const runOptions = { ...(signal && { signal }), concurrency: concurrency ?? assembly.options.concurrency ?? past.concurrency };
  const openLog = async (onBroken: (error: DivvyError) => void): Promise<FactLog> => owned.open(onBroken);
  // What was paid is found where the run recorded it, whatever the options say now.
  const handle = { runId, options: runOptions, sharedCache: past.sharedCache, past: owned.past, openLog };
  return newRun(assembly, handle, async (inside, run) => {
    const approval = approvalBy(approvePlan, inside);
    const unbounded = setupFor(run, inside.signal, { approval, pausedMs: () => inside.time.pausedMs });
    const asks = approvalOf(unbounded) !== undefined;
    run.emit({ type: "run.resumed", ...(budget && { budget }), ...(asks && { approval: true }) });
    for (const settled of lost) run.emit(settled);
    const scope = budget === undefined ? run : { ...run, budget: await openBudget(unbounded, budget, inside.tally) };
    return await carryOut({ ...unbounded, run: scope }, inside.answer, inside.tally);
  });
}

/** How those ended that need not be carried out again. */
function settledIn({ ends, unjudged }: Past): ReadonlyMap<string, JobEnd> {
  return new Map([...ends].filter(([key]) => !unjudged.has(key)));
}

/** Throws `approval_needed` where nothing of the run may start before somebody has approved its plan. */
export function mustNotWait(runId: string, { approval }: Past): void {
  if (approval === "needed") throw new DivvyError("approval_needed", `The plan of the run ${runId} needs approval, and nobody is there to give it.`);
}

/** What is booked of an attempt that left, and of which nothing more is known: all that was reserved for it. */
async function settledAsLost(assembly: Assembly, setup: RunSetup, past: Past, attempt: Past["open"][number]): Promise<FactBody> {
  const { reserved } = attempt;
  const cost = await costOf(assembly, setup, past, attempt);
  return {
    type: "attempt.settled",
    ...refOf(attempt),
    attempt: attempt.attempt,
    usage: presumedUsage(reserved),
    ...(cost !== undefined && { cost }),
  };
}

async function costOf(assembly: Assembly, { roles, costs }: RunSetup, { planned }: Past, attempt: Past["open"][number]): Promise<number | undefined> {
  const { role, subtaskId, part, model } = attempt;
  const type = planned.find(({ subtask }) => subtask.id === subtaskId)?.subtask.type ?? "";
  const judged = subtaskId === undefined ? roles.synthesizer : kindFor(roles, type);
  const asked =
    role === "worker"
      ? modelKindFor(roles, type)
      : role === "evaluator"
        ? (modelJudge(judged.evaluator) ?? ("sampling" in judged ? judged.sampling?.judge : undefined))
        : roles[role];
  try {
    const price = part === lookupPart ? lookupPrice(assembly, model) : costs.priceOf(asked?.model === model ? asked : { model });
    return costAtMost(await price, attempt.reserved);
  } catch {
    // No price, or no such model any more.
    return undefined;
  }
}

async function finished(assembly: Assembly, runId: string, facts: readonly Fact[]): Promise<Run> {
  const { outcome } = readPast(runId, facts);
  if (outcome === undefined) throw new DivvyError("ledger_failed", `The log of the run ${runId} lacks its end, though it is said to have ended.`);
  return RunHandle.finished(runId, assembly.runtime.clock, facts, await revivedOutcome(formsOf(assembly.options), outcome));
}

/** Where the options name no model, the run goes on with those that it was started with. */
export function withModelsOf(options: OrchestratorOptions, { orchestrator, synthesizer, workers }: RunPrint): OrchestratorOptions {
  if (options.model !== undefined) return options;
  return {
    ...options,
    orchestrator: withModel(options.orchestrator, orchestrator.model),
    // Who joins with the orchestrator's model has its endpoint and key, too, as when the run began.
    synthesizer: synthesizer.model === orchestrator.model ? roleSettings(options.synthesizer) : withModel(options.synthesizer, synthesizer.model),
    worker: withModel(options.worker, workers["default"]?.model),
  };
}

function withModel<Input>(option: RoleOption<Input> | undefined, model: string | undefined): RoleOption<Input> {
  const settings = roleSettings(option);
  return settings.model !== undefined || model === undefined || !isModelName(model) ? settings : { ...settings, model };
}
