import type { Budget } from "../../src/budget.ts";
import { lookupPart } from "../../src/role.ts";
import type { Fact } from "../../src/events.ts";
import { keyOf } from "../../src/names.ts";
import type { ReplyOptions } from "../../src/testing/script.ts";
import { metInChoice, metInReductions } from "./answer-coverage.ts";
import { metInCode } from "./code-coverage.ts";
import type { LifePlan, Schedule } from "./schedule.ts";
import type { Kept } from "./store.ts";
import type { Scene } from "./scene.ts";
import { wantedFaults, type WantedKind, wantedNames } from "./wanted.ts";
import { metInWarming } from "./warming-invariants.ts";

/** What a simulation met with, each thing once. */
export function metIn(scene: Scene): string[] {
  const { schedule, lives, runs, replies } = scene;
  const met = new Set<string>([...scene.incidents, ...scene.store.incidents]);
  const meet = (kind: WantedKind, thing: string | number, does = true): void => {
    if (does) met.add(`${kind}: ${thing}`);
  };
  meet("plan", "given", schedule.isGiven);
  meet("plan", schedule.planFormat, !schedule.isGiven);
  meet("limit", "one call at a time", schedule.concurrency === 1);
  meet("ledger", "on SQLite", schedule.onSqlite);
  meet("run", "two at once", runs.length > 1 && schedule.runs > 1);
  meet("run", "shared cache", schedule.shared);
  meet("run", "kinds with a price", schedule.kinds === "own price");
  meet("run", "kind with a model", schedule.kinds === "own model");
  for (const { runId, isLost } of runs) {
    meet("run", "lost", isLost);
    for (const name of metInLog(scene.store.factsOf(runId))) met.add(name);
    for (const name of metInForms(scene.store.factsOf(runId), schedule)) met.add(`form: ${name}`);
    for (const name of metInChoice(scene.store.factsOf(runId))) meet("choice", name);
    for (const name of metInReductions(scene.store.factsOf(runId))) meet("reduction", name);
    for (const name of metInCode(scene.store.factsOf(runId), schedule)) meet("code", name);
    for (const name of metInSamples(scene.store.factsOf(runId), schedule)) meet("samples", name);
    for (const name of metInPlanCache(scene.store.factsOf(runId), schedule)) meet("plan cache", name);
    const outcomes = scene.outcomesOf(runId);
    for (const { status } of outcomes) meet("end", status);
    meet("end", "none", outcomes.length === 0);
  }
  for (const reply of replies.values()) for (const name of metInReply(reply)) met.add(name);
  for (const name of metInWarming(scene)) meet("warming", name);
  const deaths = lives.filter(({ process }) => process.isDead);
  meet("crash", "twice", deaths.length > 1);
  meet("crash", "three times", deaths.length > 2);
  for (const { process } of deaths) meet("death at", process.diedAt ?? "");
  for (const { runId } of runs) for (const name of metInApproval(scene.store.logs.get(runId) ?? [])) met.add(name);
  for (const { runId } of runs) for (const name of metInBudget(scene.store.factsOf(runId))) met.add(name);
  meet(
    "budget",
    "cap broken",
    [...replies.values()].some(({ usage }) => typeof usage === "object" && usage.outputTokens > 16_384 * 2),
  );
  meet(
    "budget",
    "cap used up",
    [...replies.values()].some(({ usage }) => typeof usage === "object" && usage.outputTokens === 8_192),
  );
  const isBounded = runs.some(({ runId }) => scene.store.factsOf(runId).some((fact) => fact.type === "run.started" && fact.budget !== undefined));
  meet("budget", schedule.areRaised ? "raised" : "not raised", isBounded);
  for (const { process } of lives) for (const name of metInLife(process.plan, process.isDead)) met.add(name);
  return [...met].filter((name) => wantedNames.includes(name));
}

function metInForms(log: readonly Fact[], { answerFormed }: Schedule): string[] {
  const names: string[] = [];
  const rejected = new Set<string | undefined>();
  const failed = new Set<string>();
  const judged = new Set<string>();
  for (const fact of log) {
    if (fact.type === "output.rejected") {
      rejected.add(fact.subtaskId);
      if (judged.has(fact.subtaskId ?? "")) names.push("in a judged try");
    }
    if (fact.type === "subtask.evaluated") judged.add(fact.subtaskId);
    if (fact.type === "run.finished" && answerFormed && fact.outcome.coverage.answer === "merge") names.push("of the answer");
    if (fact.type === "synthesis.failed" && fact.error.code === "output_invalid") names.push("of an answer, not mended");
    if (fact.type === "run.finished" && rejected.has(undefined) && fact.outcome.coverage.answer === "merge") names.push("of an answer, mended");
    if (fact.type === "subtask.failed" && fact.error.code === "output_invalid") {
      names.push("not mended");
      failed.add(fact.subtaskId);
    }
    if (fact.type !== "subtask.finished") continue;
    if (failed.has(fact.subtaskId)) names.push("asked anew by a resume");
    else if (rejected.has(fact.subtaskId)) names.push("mended");
  }
  return names;
}

function metInLife({ ledgerMs, rival, diesUnseen }: LifePlan, isDead: boolean): string[] {
  return [...(ledgerMs > 0 ? ["ledger: slow"] : []), ...(rival ? ["takeover: rival"] : []), ...(isDead && diesUnseen ? ["crash: unseen"] : [])];
}

function metInSamples(log: readonly Fact[], { samples }: Schedule): string[] {
  return log.flatMap((fact) => {
    if (fact.type === "run.noticed") return fact.notice.code === "samples_not_compared" ? ["not compared"] : [];
    if (fact.type !== "subtask.chosen") return [];
    const { of, sample, ties } = fact;
    return [String(samples), of === samples ? "chosen among all" : "some failed", ...(ties.length > 0 ? ["tied"] : []), sample === 1 ? "the first" : "another"];
  });
}

function metInPlanCache(log: readonly Fact[], { planCache }: Schedule): string[] {
  const at = (type: Fact["type"]): number => log.findIndex((fact) => fact.type === type);
  const [lookedUp, reused, started, resumed] = [at("plan.looked_up"), at("plan.reused"), at("plan.started"), at("run.resumed")];
  const isFailed = log.some((fact) => fact.type === "run.noticed" && fact.notice.code === "plan_cache_failed");
  const asks = log.filter((fact) => "part" in fact && fact.part === lookupPart);
  const names = [
    ...(isFailed ? [asks.length === 0 ? "not allowed" : "failed"] : []),
    ...(asks.some(({ type }) => type === "governor.throttled") ? ["sent back"] : []),
    ...(resumed !== -1 && log.slice(resumed).some((fact) => asks.includes(fact)) ? ["died while asking"] : []),
  ];
  if (lookedUp === -1) return names;
  if (resumed !== -1 && (started === -1 || started > resumed)) return [...names, "died in between"];
  if (reused === -1) return [...names, ...(planCache === "miss" || planCache === "refused" ? [planCache] : [])];
  return [...names, "hit", ...(resumed === -1 ? [] : ["gone on with"])];
}

function metInApproval(kept: readonly Kept[]): string[] {
  const names: string[] = [];
  let [sentBack, asked] = [0, 0];
  let before: Kept | undefined;
  const askers = new Set<number>();
  for (const one of kept) {
    const { fact, pid } = one;
    const waitedMs = before?.fact.type === "approval.requested" ? fact.at - before.fact.at : 0;
    if (fact.type === "approval.requested") {
      askers.add(pid);
      if (++asked > sentBack + 1) names.push("asked again");
      if (kept.some((other) => other.fact.type === "plan.started" && other.fact.given)) names.push(isRerun(kept) ? "of a rerun" : "of a given plan");
    }
    if (fact.type === "approval.given") names.push(fact.edited ? "edited" : "as it is", ...(askers.size > 1 ? ["decided elsewhere"] : []));
    if (fact.type === "approval.declined") names.push(++sentBack > 1 ? "sent back twice" : "sent back");
    if (fact.type === "approval.rejected") names.push("rejected");
    if (fact.type.startsWith("approval.") && waitedMs > 3_600_000) names.push("after an hour");
    if (fact.type === "run.finished" && "error" in fact.outcome && fact.outcome.error.code === "approval_failed") names.push("failed");
    before = one;
  }
  return names.map((name) => `approval: ${name}`);
}

function isRerun(kept: readonly Kept[]): boolean {
  return kept.some(({ fact }) => fact.type === "run.started" && fact.rerunOf !== undefined);
}

function metInBudget(log: readonly Fact[]): string[] {
  const names: string[] = [];
  let before: Budget | undefined;
  for (const fact of log) {
    switch (fact.type) {
      case "run.started":
      case "run.resumed": {
        const { budget } = fact;
        const bounded = Object.keys(budget ?? {});
        names.push(...bounded, ...(bounded.length > 1 ? ["several"] : []));
        if (fact.type === "run.resumed" && before !== undefined && budget !== undefined) names.push(totalBeside(before, budget));
        before = budget;
        break;
      }
      case "budget.low":
        names.push("low");
        break;
      case "run.noticed":
        if (fact.notice.code === "over_budget") names.push("over");
        break;
      case "plan.failed":
        if (fact.error.code === "budget_exhausted") names.push("no plan");
        break;
      case "subtask.skipped":
        if (fact.reason === "budget") names.push("subtask left out");
        break;
      case "synthesis.failed":
        if (fact.error.code === "budget_exhausted") names.push("no answer call");
        break;
      default:
    }
  }
  return names.map((name) => `budget: ${name}`);
}

/** The new total beside the one before, in what both of them bound. */
function totalBeside(before: Budget, { usd = 0, tokens = 0, calls = 0, seconds = 0 }: Budget): string {
  if (JSON.stringify(Object.keys(before)) !== JSON.stringify(Object.entries({ usd, tokens, calls, seconds }).flatMap(([name, n]) => (n > 0 ? [name] : []))))
    return "another total";
  const change = [usd - (before.usd ?? 0), tokens - (before.tokens ?? 0), calls - (before.calls ?? 0), seconds - (before.seconds ?? 0)];
  if (change.every((by) => by === 0)) return "same total";
  return change.every((by) => by >= 0) ? "higher total" : "lower total";
}

function metInReply({ fault, text, usage }: ReplyOptions): string[] {
  const names: string[] = [];
  if (usage === "missing") names.push("fault: no usage");
  if (text === "") names.push("fault: empty");
  if (fault === undefined) return names;
  if (fault.kind !== "status") return [...names, `fault: ${fault.kind}`];
  return [...names, ...wantedFaults.filter((name) => name.endsWith(`(${fault.status})`)).map((name) => `fault: ${name}`)];
}

function metInLog(log: readonly Fact[]): string[] {
  const names: string[] = [];
  const depths = new Map<string, number>();
  const [attempts, ends] = [new Set<string>(), new Set<string>()];
  for (const fact of log) {
    switch (fact.type) {
      case "run.started":
        if (fact.rerunOf !== undefined) names.push("run: rerun");
        break;
      case "plan.asked_again":
        names.push("plan: cut", ...(fact.format === "json" ? ["plan: asked again as json"] : []));
        break;
      case "plan.finished":
        names.push(`subtasks: ${fact.subtasks}`, ...(fact.dropped > 0 ? ["plan: over the limit"] : []));
        break;
      case "plan.answered":
        names.push("plan: direct");
        break;
      case "round.started":
        names.push(`plan: round ${fact.round}`);
        break;
      case "subtask.planned": {
        if (depths.has(keyOf(fact.subtask.id))) names.push("plan: written anew");
        const { id, dependsOn } = fact.subtask;
        const depth = 1 + Math.max(0, ...dependsOn.map((name) => depths.get(keyOf(name)) ?? 0));
        depths.set(keyOf(id), depth);
        names.push(`plan: chain of ${depth}`, ...(fact.sample > 0 ? ["plan: copies"] : []));
        break;
      }
      case "subtask.finished":
        if (fact.truncated) names.push("limit: truncated and taken");
        ends.add(fact.subtaskId);
        break;
      case "subtask.failed":
      case "attempt.failed":
        names.push(`refusal: ${fact.error.code}`, `limit: ${fact.error.code}`);
        break;
      case "attempt.started":
        if (fact.subtaskId !== undefined) attempts.add(fact.subtaskId);
        break;
      case "attempt.settled":
        if (fact.usage.presumedTokens > 0 && fact.usage.outputTokens === 8_192) names.push("run: presumed usage");
        break;
      case "governor.throttled":
        names.push("limit: throttled");
        break;
      case "run.noticed":
        names.push(`limit: ${fact.notice.code}`, ...(fact.notice.code === "dependency_cycle" ? ["plan: cycle"] : []));
        if (fact.notice.code === "repeat_dropped") names.push("plan: repeat dropped");
        if (fact.notice.code === "dependency_unknown") names.push("plan: unknown dependency");
        break;
      case "run.finished":
        names.push(`answer: ${fact.outcome.coverage.answer}`);
        if ("error" in fact.outcome) names.push(`limit: ${fact.outcome.error.code}`);
        break;
      default:
    }
  }
  // Of a run that was done anew, what was not is no call of its own.
  if (!names.includes("run: rerun") && [...ends].some((id) => !attempts.has(id))) names.push("run: answer of another run");
  return names;
}
