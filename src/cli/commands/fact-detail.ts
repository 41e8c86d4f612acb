import { shownEstimate } from "../../estimate.ts";
import { shownBudget } from "../../budget.ts";
import type { Fact } from "../../events.ts";
import type { TryVerdict } from "../../evaluation/verdict.ts";
import type { CallRef } from "../../role.ts";
import type { SpentUsage } from "../../usage.ts";
import { beginning, oneLine } from "../writing/clean-text.ts";
import { count, dollars, duration, listed, tokens, usedTokens } from "../../quantity.ts";
import { ofHundred } from "../view/worker-line.ts";

/** Of texts that have a place of their own to be read in. */
const shownText = 100;

/** What matters of a fact, on one clean line. */
export function factDetail(fact: Fact): string {
  return oneLine(detail(fact));
}

function detail(fact: Fact): string {
  switch (fact.type) {
    case "run.started": {
      const { orchestrator, synthesizer, workers } = fact.models;
      const models = [...new Set([orchestrator, ...Object.values(workers), synthesizer])].join(", ");
      return `${beginning(fact.request.task, shownText)} (${models})${fact.rerunOf === undefined ? "" : ` over ${fact.rerunOf}`}`;
    }
    case "run.resumed":
      return fact.budget === undefined ? "" : `at most ${shownBudget(fact.budget)}`;
    case "plan.looked_up":
      return `${count(fact.plans, "plan")}${fact.similarity === undefined ? "" : `, the nearest ${ofHundred(fact.similarity)} alike`}, ${fact.model}`;
    case "plan.reused":
      return `of ${fact.fromRunId}, ${ofHundred(fact.similarity)} alike: ${beginning(fact.task, shownText)}`;
    case "plan.started":
      return fact.given ? "given" : "";
    case "plan.opened":
      return fact.combine;
    case "plan.asked_again":
      return `${fact.round}, ${fact.format}: ${fact.reason}`;
    case "plan.finished":
      return [
        count(fact.subtasks, "subtask"),
        fact.combine,
        ...(fact.dropped > 0 ? [`${fact.dropped} over the limit`] : []),
        ...(fact.complete ? [] : ["cut off"]),
      ].join(", ");
    case "round.started":
      return `${fact.round}: the orchestrator looks at the results${fact.cut.length === 0 ? "" : `, only the beginnings of ${listed(fact.cut)}`}`;
    case "plan.answered":
      return "answers by itself";
    case "plan.failed":
    case "synthesis.failed":
      return `${fact.error.code}: ${fact.error.message}`;
    case "approval.requested":
      return `${count(fact.plan.subtasks.length, "subtask")}, ${shownEstimate(fact.estimate)}`;
    case "approval.given":
      return fact.edited ? `edited: ${count(fact.plan.subtasks.length, "subtask")}` : "as it is";
    case "approval.declined":
      return beginning(fact.feedback, shownText);
    case "approval.rejected":
      return "";
    case "subtask.planned": {
      const { id, dependsOn, description } = fact.subtask;
      return `${id}${dependsOn.length > 0 ? ` after ${dependsOn.join(", ")}` : ""}: ${beginning(description, shownText)}`;
    }
    case "subtask.started":
      return `${fact.subtaskId}, ${fact.model}`;
    case "subtask.finished":
      return `${fact.subtaskId}${fact.truncated ? " (cut at its cap)" : ""}: ${beginning(fact.result, shownText)}`;
    case "subtask.delivered":
      return `${fact.subtaskId}: ${beginning(fact.result, shownText)}`;
    case "output.rejected":
      return `${fact.subtaskId ?? "answer"}${fact.part === undefined ? "" : ` ${fact.part}`}, try ${fact.try}: ${beginning(fact.issues.join("; "), shownText)}`;
    case "subtask.chosen":
      return `${fact.subtaskId}, try ${fact.sample} of ${fact.of}${fact.ties.length === 0 ? "" : `, as good as ${listed(fact.ties.map(String))}`}: ${beginning(fact.reason, shownText)}`;
    case "subtask.evaluated":
      return `${fact.subtaskId}, ${verdict(fact)}`;
    case "answer.evaluated":
      return verdict(fact);
    case "subtask.failed":
      return `${fact.subtaskId}: ${fact.error.code}: ${fact.error.message}`;
    case "subtask.skipped":
      return `${fact.subtaskId}: ${fact.reason}${fact.because === "" ? "" : `, it needs ${fact.because}`}`;
    case "attempt.started":
      return `${whose(fact)}, attempt ${fact.attempt}, ${fact.model}${fact.requeues > 0 ? `, ${fact.requeues} times in the queue again` : ""}`;
    case "attempt.settled":
      return `${whose(fact)}, attempt ${fact.attempt}: ${used(fact.usage)}${fact.cost === undefined ? "" : `, ${dollars(fact.cost)}`}`;
    case "attempt.failed":
      return `${whose(fact)}, attempt ${fact.attempt}: ${fact.error.code}: ${fact.error.message}${fact.retryInMs === undefined ? "" : ` Again in ${duration(fact.retryInMs)}.`}`;
    case "budget.low":
      return `${count(fact.spent.calls, "call")}, ${tokens(fact.spent.tokens)} tokens${fact.spent.cost === undefined ? "" : `, ${dollars(fact.spent.cost)}`} of ${shownBudget(fact.budget)}`;
    case "governor.throttled":
      return `${whose(fact)}, ${fact.model}: ${fact.reason}${fact.until > fact.at ? `, goes on in ${duration(fact.until - fact.at)}` : ""}`;
    case "synthesis.started":
      return `${fact.combine}, ${fact.model}`;
    case "reduction.started":
      return `level ${fact.level}: ${count(fact.texts, "text")} in ${count(fact.groups, "call")}`;
    case "synthesis.chosen":
      return `${fact.subtaskId}: ${fact.reason}`;
    case "run.noticed":
      return fact.notice.message;
    case "run.finished":
      return `${fact.outcome.status}${"error" in fact.outcome ? `: ${fact.outcome.error.message}` : ""}`;
  }
}

function verdict({ try: number, score, passed, reasons }: TryVerdict): string {
  return `try ${number}: ${Math.round(score * 100)} of 100${passed ? "" : ", falls short"}: ${beginning(reasons, shownText)}`;
}

function whose({ role, subtaskId, part }: CallRef): string {
  const who = subtaskId === undefined ? role : role === "evaluator" ? `evaluator of ${subtaskId}` : subtaskId;
  return `${who}${part === undefined ? "" : ` ${part}`}`;
}

function used(usage: SpentUsage): string {
  const { estimatedTokens, presumedTokens } = usage;
  const how = presumedTokens > 0 ? " presumed" : estimatedTokens > 0 ? " estimated" : "";
  return usedTokens(usage) + how;
}
