import { fence } from "../../prompt/fence.ts";
import type { DividedPlan } from "../../subtask.ts";
import { formatPlan, type PlanFormat } from "../format-plan.ts";
import { formatReminder } from "./orchestrator-prompt.ts";
import { markRule } from "./plan-mark.ts";

/**
 * Asks for another plan in place of those that were sent back, told by the last of them and by all that was said; nothing where none
 * was.
 */
export function remarksMessage(
  declined: readonly { readonly plan: DividedPlan; readonly feedback: string }[],
  format: PlanFormat,
  direct: boolean,
  mark: string | undefined,
): string | undefined {
  const last = declined.at(-1);
  if (last === undefined) return undefined;
  const said = declined.length === 1 ? "What was said of it:" : "What was said of it and, before, of earlier ones, the newest last:";
  return [
    `You have planned this request before, and the plan was sent back; nothing of it is carried out:\n${fence("plan", formatPlan(last.plan, format))}`,
    `${said}\n${declined.map(({ feedback }) => fence("remark", feedback)).join("\n")}`,
    `Write the whole plan anew, so that it does what was said; keep of the old one what nobody spoke against. ${formatReminder(format, direct)}`,
    ...(mark === undefined ? [] : [markRule(format, mark)]),
  ].join("\n\n");
}
