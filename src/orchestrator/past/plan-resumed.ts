import { type CallRequest, type CallResult, textOf } from "../../calls/call.ts";
import type { PlannedBefore, Planner } from "../../plan/planner.ts";
import { planQuestion } from "../../plan/planner.ts";
import { readAgain } from "../../plan/reading/read-again.ts";
import type { Planned } from "../../subtask.ts";
import type { Past } from "./past.ts";

/**
 * Where the planning of a run goes on that was left in the middle of it. Its last question is asked again where nothing came of
 * it, or where its reply is recorded: then that is read again, and gives what it gave. Otherwise what was planned stands, and the
 * rest is asked for.
 */
export async function whereToGoOn(planner: Planner, past: Past, recorded: (request: CallRequest) => Promise<CallResult | undefined>): Promise<PlannedBefore> {
  const { builder } = planner;
  const { question, questionOver, history, analysis, dropped, combine } = past;
  const { number, format, stood } = question;
  if (stood > 0) builder.setCombine(combine);
  builder.restore(history.slice(builder.added, stood), dropped);
  const ofQuestion = history.slice(stood);
  const again = !questionOver && (ofQuestion.length === 0 || (await isOfRecord()));
  if (again) return { number, format, asksForRest: false, analysis };
  builder.setCombine(combine);
  builder.restore(ofQuestion, dropped);
  return { number: number + 1, format: planner.format, asksForRest: true, analysis };

  /** What is recorded may be another reply to the same question: that of a process that was taken over, or of a run with the same cache. */
  async function isOfRecord(): Promise<boolean> {
    const reply = await recorded(planQuestion(planner, format, number));
    return reply !== undefined && beginsWith(readAgain(builder, format, number, textOf(reply), planner.marks[format]), ofQuestion);
  }
}

function beginsWith(all: readonly Planned[], first: readonly Planned[]): boolean {
  return first.every(({ subtask }, index) => JSON.stringify(subtask) === JSON.stringify(all[index]?.subtask));
}
