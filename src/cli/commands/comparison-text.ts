import type { Average, Comparison, Figures, Side, Try } from "../../compare/comparison.ts";
import { percent } from "../../compare/conclusion.ts";
import type { ErrorData } from "../../errors.ts";
import { count, dollars, duration, tokens } from "../../quantity.ts";
import { oneLine } from "../writing/clean-text.ts";
import { adviceOf } from "../writing/failure.ts";
import { shortened } from "../../shortened.ts";

/** A comparison in Markdown: both answers where there is one try, else a table of the tasks; the figures; what follows from them. */
export function comparisonText({ tasks, figures, conclusion }: Comparison): string {
  const [only, another] = tasks.flatMap((task) => task.tries);
  const answers = only !== undefined && another === undefined && tasks.length === 1 ? [answersText(only)] : [];
  const rows = tasks.flatMap((task) => (task.figures === undefined ? [] : [[cell(task.task), ...columns(task.figures)]]));
  if (figures !== undefined && rows.length > 1) rows.push(["all", ...columns(figures)]);
  const table = rows.length === 0 ? [] : [tableText(["task", "tries", "one call", "divided", "divided won"], rows)];
  const unjudged = answers.length > 0 ? [] : unjudgedText(tasks.flatMap((task) => task.tries));
  return [...answers, ...table, ...unjudged, conclusion].join("\n\n");
}

/** Why there are tries that nobody judged: what kept most of them from it. */
function unjudgedText(tries: readonly Try[]): readonly string[] {
  const errors = tries.flatMap(({ judgeError }) => judgeError ?? []);
  const often = (code: ErrorData["code"]): number => errors.filter((error) => error.code === code).length;
  const [commonest] = errors.toSorted((a, b) => often(b.code) - often(a.code));
  return commonest === undefined ? [] : [`**Not judged:** ${errors.length} of ${count(tries.length, "try", "tries")}. ${errorLine(commonest)}`];
}

function errorLine(error: ErrorData): string {
  return oneLine([error.message, adviceOf(error)].filter((text) => text !== "").join(" "));
}

function answersText({ one, divided, verdict, judgeError }: Try): string {
  const judged = verdict && `**Judged:** ${winners[verdict.winner]} ${verdict.reasons}`;
  const unjudged = judgeError && `**Not judged:** ${errorLine(judgeError)}`;
  return [`# One call`, answerText(one), `# Divided`, answerText(divided), judged ?? unjudged ?? ""].filter((text) => text !== "").join("\n\n");
}

const winners = { one: "the one call's answer is better.", divided: "the divided answer is better.", tie: "neither is better." } as const;

function answerText({ text, error }: Side): string {
  const wrong = error === undefined ? "" : `*${oneLine(error.message)}*`;
  return [text.trim(), wrong].filter((part) => part !== "").join("\n\n");
}

function columns({ tries, one, divided, share }: Figures): string[] {
  const won = share === undefined ? "not judged" : `${percent(share.share)} (95 %: ${percent(share.low)} to ${percent(share.high)}), ${share.ties} tied`;
  return [String(tries), spent(one, tries), spent(divided, tries), won];
}

/** On average over the tries. */
function spent({ unanswered, calls, tokens: used, cost, durationMs }: Average, tries: number): string {
  const called = Number.isInteger(calls) ? String(calls) : calls.toFixed(1);
  return [
    `${called} ${calls === 1 ? "call" : "calls"}`,
    `${tokens(Math.round(used))} tokens`,
    ...(cost === undefined ? [] : [dollars(cost)]),
    duration(durationMs),
    ...(unanswered === 0 ? [] : [`${unanswered} of ${tries} without an answer`]),
  ].join(", ");
}

const longestTask = 60;

function cell(text: string): string {
  return shortened(oneLine(text), longestTask).replaceAll("|", "\\|");
}

function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
