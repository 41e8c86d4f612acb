import type { Average, Comparison, Figures, ComparedSide, ComparedTry } from "../../compare/comparison.ts";
import { commonest } from "../../commonest.ts";
import { percent } from "../../compare/conclusion.ts";
import type { ErrorData } from "../../errors.ts";
import type { Spend } from "../../estimate.ts";
import { count, dollars, duration, tokens } from "../../quantity.ts";
import { sentence } from "../../sentence.ts";
import { oneLine } from "../writing/clean-text.ts";
import { adviceOf } from "../writing/failure.ts";
import { shortened } from "../../shortened.ts";

/** A comparison in Markdown: both answers where there is one try, else a table of the tasks; the figures; what follows from them. */
export function comparisonText({ tasks, figures, judging, conclusion }: Comparison): string {
  const tries = tasks.flatMap((task) => task.tries);
  const [only, another] = tries;
  const answers = only !== undefined && another === undefined && tasks.length === 1 ? [answersText(only)] : [];
  const rows = tasks.flatMap((task) => (task.figures === undefined ? [] : [[cell(task.task), ...columns(task.figures)]]));
  if (figures !== undefined && rows.length > 1) rows.push(["all", ...columns(figures)]);
  const table = rows.length === 0 ? [] : [tableText(["task", "tries", "one call", "divided", "divided won"], rows)];
  const lacking = answers.length > 0 ? [] : lackingTexts(tries);
  const judged = judging.calls === 0 ? [] : [`Judging took ${used(judging)}, which stand in neither way's figures.`];
  return [...answers, ...table, ...judged, ...lacking, conclusion].join("\n\n");
}

/** Why there are tries in which a way came to no answer, or that nobody judged: what kept most of them from it. */
function lackingTexts(tries: readonly ComparedTry[]): readonly string[] {
  const said = (what: string, errors: readonly ErrorData[]): string[] => {
    const cause = commonest(errors);
    return cause === undefined ? [] : [`**${what}:** ${errors.length} of ${count(tries.length, "try", "tries")}. ${errorLine(cause.error)}`];
  };
  const failures = (way: "one" | "divided"): ErrorData[] => tries.flatMap(({ [way]: { text, error } }) => (text === "" ? (error ?? []) : []));
  return [
    ...said("No answer in one call", failures("one")),
    ...said("No answer divided", failures("divided")),
    ...said(
      "Not judged",
      tries.flatMap(({ judgeError }) => judgeError ?? []),
    ),
  ];
}

function errorLine(error: ErrorData): string {
  const advice = adviceOf(error);
  return oneLine(advice === "" ? error.message : `${sentence(error.message)} ${advice}`);
}

function answersText({ one, divided, verdict, judgeError }: ComparedTry): string {
  const judged = verdict && `**Judged:** ${winners[verdict.winner]} ${verdict.reasons}`;
  const unjudged = judgeError && `**Not judged:** ${errorLine(judgeError)}`;
  return [`# One call`, answerText(one), `# Divided`, answerText(divided), judged ?? unjudged ?? ""].filter((text) => text !== "").join("\n\n");
}

const winners = { one: "the one call's answer is better.", divided: "the divided answer is better.", tie: "neither is better." } as const;

function answerText({ text, error }: ComparedSide): string {
  const wrong = error === undefined ? "" : `*${oneLine(error.message)}*`;
  return [text.trim(), wrong].filter((part) => part !== "").join("\n\n");
}

function columns({ tries, one, divided, share }: Figures): string[] {
  const won = share === undefined ? "not judged" : `${percent(share.share)} (95 %: ${percent(share.low)} to ${percent(share.high)}), ${share.ties} tied`;
  return [String(tries), spent(one, tries), spent(divided, tries), won];
}

/** On average over the tries. */
function spent({ unanswered, durationMs, ...spend }: Average, tries: number): string {
  return [used(spend), duration(durationMs), ...(unanswered === 0 ? [] : [`${unanswered} of ${tries} without an answer`])].join(", ");
}

function used({ calls, tokens: read, cost }: Spend): string {
  const called = Number.isInteger(calls) ? String(calls) : calls.toFixed(1);
  return [`${called} ${calls === 1 ? "call" : "calls"}`, `${tokens(Math.round(read))} tokens`, ...(cost === undefined ? [] : [dollars(cost)])].join(", ");
}

const longestTask = 60;

function cell(text: string): string {
  return shortened(oneLine(text), longestTask).replaceAll("|", "\\|");
}

function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
