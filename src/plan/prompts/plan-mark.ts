import { hash } from "node:crypto";
import type { JsonRecord } from "../../json.ts";
import { contextText } from "../../prompt/template.ts";
import type { PlanFormat } from "../format-plan.ts";

/** What a reader could take for a plan, or for the end of what stands before one. */
const planLike: Readonly<Record<PlanFormat, RegExp>> = {
  xml: /<\/?(?:analysis|think|thinking|tasks|task|description|answer)[\s/>]/i,
  json: /\{\s*"/,
};

const length = 8;

/**
 * What the planner's own tags must carry, where the request holds such tags itself: a planner that quotes the request would
 * otherwise write subtasks which are none of its own. Made of the request so that it does not occur in it, and always the same
 * for the same request. Nothing where the request holds nothing like a plan.
 */
export function planMark(task: string, context: string | JsonRecord, format: PlanFormat): string | undefined {
  const request = `${task}\n${contextText(context)}`;
  if (!planLike[format].test(request)) return undefined;
  let counter = 0;
  let mark = markOf(request, counter);
  while (request.includes(mark)) mark = markOf(request, ++counter);
  return mark;
}

function markOf(request: string, counter: number): string {
  return hash("sha256", `plan ${counter}\n${request}`, "hex").slice(0, length);
}

/** A plan, or its form, with the mark wherever the planner has to write it. */
export function marked(text: string, format: PlanFormat, mark: string | undefined): string {
  if (mark === undefined) return text;
  if (format === "json") return text.replace(/\{(\s*)"analysis"/g, `{$1"mark": "${mark}",$1"analysis"`);
  return text.replace(/<(tasks|task|answer)(?=[\s>])/g, `<$1 mark="${mark}"`);
}

/** What the planner is told of it, last of all: in words that are no tag with the mark themselves, should it quote them. */
export function markRule(format: PlanFormat, mark: string, what = "The request"): string {
  return format === "json"
    ? `${what} holds JSON that could be taken for your reply. So begin your object with "mark": "${mark}"; what does not begin so is read as a quote.`
    : `${what} holds tags like those of your reply. So write mark="${mark}" into each <tasks>, <task> and <answer> of your own; a tag without it is read as a quote.`;
}
