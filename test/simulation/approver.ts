import type { ApprovePlan, PlanDecision } from "../../src/options.ts";
import { circleIn } from "../../src/plan/circle.ts";
import { withoutSubtask, withSubtask } from "../../src/plan/edit-plan.ts";
import { type Clock, sleep } from "../../src/runtime.ts";
import type { DividedPlan } from "../../src/subtask.ts";
import { chance } from "./chance.ts";
import type { LifePlan, Schedule } from "./schedule.ts";
import type { Store } from "./store.ts";

/** Who approves plans in a simulation: at once or much later, and not always in favour. What is said depends on the run and how often it has asked. */
export function approverOf(
  { seed }: Schedule,
  process: { readonly pid: number; readonly plan: LifePlan },
  clock: Clock,
  store: Store,
  onFault: (fault: string) => void,
): ApprovePlan {
  return async (plan, _, { signal, runId }) => {
    const log = store.factsOf(runId);
    const asked = log.filter(({ type }) => type === "approval.requested").length;
    const { of, magnitude, happens } = chance(seed, `approval ${asked} of ${runId}`);
    const lease = await store.readLease(runId);
    // A ledger that is busy, or fails, may not have taken it back.
    const { ledgerBusy, ledgerFailsAt, agrees } = process.plan;
    if (lease?.owner.pid === process.pid && lease.expiresAt !== 0 && ledgerBusy === 0 && ledgerFailsAt === undefined)
      onFault(`${runId} waits for approval, and is held`);
    await sleep(clock, of([0, magnitude(1, 60_000), magnitude(60_000, 10_000_000)]), signal);
    const isNew = !log.some((fact) => fact.type === "run.started" && fact.rerunOf !== undefined);
    if (!isNew || asked > 6) return plan;
    if (!agrees && happens(0.15)) return of<() => PlanDecision>([() => "reject", () => ({ subtasks: [] }), () => fail()])();
    return of<() => PlanDecision>([() => plan, () => plan, () => edited(plan, `${asked}-${runId}`), () => ({ feedback: `Otherwise, says ${asked}.` })])();
  };
}

function fail(): never {
  throw new Error("Nobody can be asked.");
}

/** One subtask less and another one more; as it is where that would be none. */
function edited(plan: DividedPlan, name: string): DividedPlan {
  const [first] = plan.subtasks;
  if (first === undefined || circleIn(plan.subtasks).length > 0) return plan;
  const more = withSubtask(withoutSubtask(plan, first.id), { type: "draft", description: `Do part ${name}/e.`, dependsOn: [] });
  return { ...more, subtasks: more.subtasks.map((one) => (one.id === "" ? { ...one, id: `e-${name}` } : one)) };
}
