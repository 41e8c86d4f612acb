import type { Fact } from "../../src/events.ts";
import { lookupPart } from "../../src/role.ts";
import { earlierTask, likeness } from "./earlier-run.ts";
import type { Schedule } from "./schedule.ts";

/** A plan is looked for once, before one is asked for; one that is taken over is carried out, and nobody is paid for another. */
export function planCacheFaults(log: readonly Fact[], { planCache, isGiven, lives }: Schedule): string[] {
  const faults: string[] = [];
  const resumedAt = log.findIndex(({ type }) => type === "run.resumed");
  const first = resumedAt === -1 ? log : log.slice(0, resumedAt);
  const at = (type: Fact["type"]): number => first.findIndex((fact) => fact.type === type);
  const [lookedUp, reused, started, finished] = [at("plan.looked_up"), at("plan.reused"), at("plan.started"), at("run.finished")];
  const isLooking = planCache !== "no" && !isGiven && first.every((fact) => fact.type !== "run.started" || fact.rerunOf === undefined);
  const isFailed = first.some((fact) => fact.type === "run.noticed" && fact.notice.code === "plan_cache_failed");
  // Who was taken over, or died, before it could say that it was stopped or had no time left, does not say it.
  const mayBeStopped = finished === -1 && (lives[0]?.abort !== undefined || lives[0]?.runMs !== undefined);
  const isStopped = mayBeStopped || log.some((fact) => fact.type === "run.finished" && "error" in fact.outcome && fact.outcome.error.code !== "incomplete");

  for (const fact of log.slice(first.length))
    if (fact.type === "plan.looked_up" || fact.type === "plan.reused" || isLookup(fact)) faults.push(`gone on with, it says ${fact.type}`);
  if (!isLooking && (lookedUp !== -1 || reused !== -1 || first.some(isLookup))) faults.push("it looked for a plan, though it was not to");
  if (lookedUp !== -1 && !first.slice(0, lookedUp).some(isBooked)) faults.push("it looked for a plan, and booked nothing of it");
  if (started !== -1 && first.slice(started).some(isLookup)) faults.push("it looked for a plan when it had one under way");
  if (isLooking && started !== -1 && lookedUp === -1 && !isFailed && !isStopped) faults.push("it looked for no plan");
  if (isFailed && finished !== -1 && started === -1 && !isStopped) faults.push("it ended because no plan could be looked for");
  if (reused === -1) {
    const near = first[lookedUp];
    const isNear = near?.type === "plan.looked_up" && (near.similarity ?? 0) >= likeness;
    if (planCache === "hit" && isNear && started !== -1 && !isFailed && !isStopped) faults.push("it did not take over the plan that was found");
    return faults;
  }
  const hit = first[reused];
  // Runs beside it are asked the same; it may come upon the plan of one that has ended.
  const mayTake = hit?.type === "plan.reused" && (planCache === "hit" || (planCache === "miss" && hit.task !== earlierTask));
  if (!mayTake || hit.similarity < likeness) faults.push("it took over a plan that it was not to have");
  const own = first[started];
  if (own?.type === "plan.started" && !own.given) faults.push("it took a plan over, and did not carry it out");
  const sentBack = log.findIndex(({ type }) => type === "approval.declined");
  const isPaid = log
    .slice(0, sentBack === -1 ? log.length : sentBack)
    .some((fact) => fact.type === "attempt.started" && fact.role === "orchestrator" && fact.part !== lookupPart);
  if (own?.type === "plan.started" && own.given && isPaid) faults.push(`it took over the plan of "${earlierTask}", and asked for another`);
  return faults;
}

function isLookup(fact: Fact): boolean {
  return fact.type === "attempt.started" && fact.part === lookupPart;
}

/** It has ended, and was paid for. */
function isBooked(fact: Fact): boolean {
  return fact.type === "attempt.settled" && fact.part === lookupPart && (fact.usage.totalTokens ?? 0) > 0;
}
