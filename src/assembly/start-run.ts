import { type Assembly, type Found, type NewSetup, sharedScope } from "./assembly.ts";
import type { RunScope } from "../calls/run-scope.ts";
import type { Fact, RunRequest } from "../events.ts";
import type { OpenLog } from "../fact-log.ts";
import { ownRun } from "../ledger/keep-run.ts";
import { defaults } from "../limits.ts";
import type { ApprovePlan, RerunOptions, RunCallOptions } from "../options.ts";
import { rolesAsked } from "../orchestrator/ahead/roles-asked.ts";
import { carryOut } from "../orchestrator/run.ts";
import { type Run, RunHandle, type RunInside } from "../orchestrator/run-handle.ts";
import type { Outcome } from "../outcome.ts";
import { functionModel } from "../role.ts";
import type { Plan } from "../subtask.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { keptPlans } from "./kept-plans.ts";
import { budgetFor, openBudget } from "./run-budget.ts";

export interface NewRun extends Pick<NewSetup, "kept" | "samples" | "dropped" | "setup"> {
  readonly runId: string;
  readonly request: RunRequest;
  readonly options: Pick<RunCallOptions, "signal" | "concurrency" | "budget" | "planCache"> & Pick<RerunOptions, "approvePlan">;
  readonly plan: Plan | undefined;
  /** @default the orchestrator's own models */
  readonly find?: () => Promise<Found>;
  readonly rerunOf?: string;
}

/** Starts a run that nobody has begun before. */
export function startRun(assembly: Assembly, { runId, request, options, plan, find = () => assembly.find(), rerunOf, ...more }: NewRun): Run {
  const openLog: OpenLog = async (onBroken) => (await ownRun(assembly.keeper, runId)).open(onBroken);
  const { sharedCache } = assembly;
  return newRun(assembly, { runId, options, sharedCache, past: [], openLog }, async (inside, run) => {
    const found = await unlessAborted(find(), inside.signal);
    const approval = approvalBy(options.approvePlan ?? assembly.options.approvePlan, inside);
    const unbounded = assembly.setup(found, { request, plan, signal: inside.signal, run, approval, pausedMs: () => inside.time.pausedMs, ...more });
    const budget = await budgetFor(unbounded, {
      named: options.budget ?? assembly.options.budget,
      allowance: assembly.allowance,
      asked: rolesAsked(unbounded, approval !== undefined),
    });
    const setup = budget === undefined ? unbounded : { ...unbounded, run: { ...run, budget: await openBudget(unbounded, budget, inside.tally) } };
    const { roles } = found;
    const workers = Object.fromEntries([
      ...[...roles.workers].map(([type, { model }]) => [type, model] as const),
      ...[...roles.functions.keys()].map((type) => [type, functionModel] as const),
    ]);
    inside.events.emit({
      type: "run.started",
      request,
      models: { orchestrator: roles.orchestrator.model, synthesizer: roles.synthesizer.model, workers: { default: roles.worker.model, ...workers } },
      concurrency: run.concurrency,
      ...(budget && { budget }),
      setup: assembly.print(setup, found),
      ...(sharedCache !== undefined && { sharedCache }),
      ...(rerunOf !== undefined && { rerunOf }),
      ...(approval && { approval: true }),
    });
    for (const notice of found.notices) inside.events.emit({ type: "run.noticed", notice });
    const { planCache } = assembly.options;
    const lookedUp = planCache === undefined || options.planCache === false ? setup : { ...setup, keptPlans: keptPlans(assembly, planCache, setup, found) };
    return await carryOut(lookedUp, inside.answer, inside.tally);
  });
}

/** Who approves the plan of a run, waited for as the run waits. */
export function approvalBy(approve: ApprovePlan | undefined, { rest }: RunInside): NewSetup["approval"] {
  return approve && { approve, rest };
}

interface Handle {
  readonly runId: string;
  readonly options: Pick<RunCallOptions, "signal" | "concurrency">;
  /** Where the run's calls are recorded; nothing where they are its own. */
  readonly sharedCache: string | undefined;
  readonly past: readonly Fact[];
  readonly openLog: OpenLog;
}

/** A run's handle around its story. */
export function newRun(
  assembly: Assembly,
  { runId, options, sharedCache, past, openLog }: Handle,
  story: (inside: RunInside, run: RunScope) => Promise<Outcome>,
): Run {
  const { options: given, runtime } = assembly;
  const runMs = given.timeout?.runMs ?? defaults.timeout.runMs;
  return new RunHandle({
    runId,
    clock: runtime.clock,
    runMs,
    signal: options.signal,
    past,
    openLog,
    carryOut: async (inside) =>
      await story(inside, {
        runId,
        concurrency: options.concurrency ?? given.concurrency ?? defaults.concurrency,
        emit: (event) => {
          // A run that goes on comes upon what it has said before.
          if (event.type === "run.noticed" && inside.tally.notices.some(({ message }) => message === event.notice.message)) return;
          inside.events.emit(event);
        },
        cache: sharedCache === undefined ? runId : sharedScope(sharedCache),
        committed: inside.committed,
        endsAt: () => inside.time.endsAt,
      }),
  });
}
